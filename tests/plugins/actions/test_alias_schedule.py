"""When alias-arp speaks, on a virtual clock."""

from itertools import pairwise

import pytest
from havpn_plugins.actions._alias.schedule import (
    BURST_S,
    LATE_S,
    Reports,
    Schedule,
    defence_s,
    defends,
    is_late,
)
from hypothesis import given
from hypothesis import strategies as st


def moments(schedule, until_s):
    """Walk as the announcer does: from each moment to the next."""
    found, now = [], schedule.begun_s
    while (due := schedule.next_s(now)) is not None and due <= until_s:
        found.append(due)
        now = due
    return found


def test_a_burst_then_the_slow_refresh():
    assert moments(Schedule(100.0, 60.0), 300.0) == [
        *(100.0 + offset for offset in BURST_S[1:]), 164.0, 224.0, 284.0
    ]  # fmt: skip


def test_without_refresh_the_burst_is_all():
    assert moments(Schedule(0.0, None), 1e9) == list(BURST_S[1:])


@given(
    st.floats(0, 1e7),
    st.floats(0.05, 86400),
    st.lists(st.floats(0, 1000), min_size=1, max_size=30),
)
def test_the_next_moment_is_always_ahead_and_never_further_than_a_refresh(begun, refresh, steps):
    schedule, now = Schedule(begun, refresh), begun
    for step in steps:
        now += step
        due = schedule.next_s(now)
        assert now < due <= now + max(refresh, BURST_S[-1]) * (1 + 1e-6) + 1e-3


def test_who_wakes_late_says_nothing():
    assert not is_late(10.0, 10.0 + LATE_S / 2)
    assert is_late(10.0, 10.0 + LATE_S + 0.01)


@given(st.binary(min_size=6, max_size=6), st.binary(min_size=6, max_size=6))
def test_of_two_owners_exactly_one_defends(one, other):
    assert defends(one, other) is not defends(other, one) or one == other


@pytest.mark.parametrize(
    ("last", "now", "expected"), [(None, 5.0, 5.0), (4.9, 5.0, 5.9), (3.0, 5.0, 5.0)]
)
def test_defence_is_immediate_and_then_once_a_second(last, now, expected):
    assert defence_s(last, now) == pytest.approx(expected)


def test_the_first_claims_are_reported_at_once_and_then_one_in_ten_seconds():
    reports = Reports()
    macs = [bytes([2, 0, 0, 0, n // 256, n % 256]) for n in range(4000)]
    due = [n for n, mac in enumerate(macs) if reports.due(mac, n / 100)]
    assert due[:3] == [0, 1, 2]
    assert len(due) == 3 + 3
    assert all(later - earlier >= 900 for earlier, later in pairwise(due[2:]))
    assert reports.told() == len(macs) - len(due)
    assert reports.told() == 0
    assert len(reports._known) <= 3, "what is remembered is bounded"


def test_one_rival_is_reported_every_ten_seconds_and_hides_no_other_one():
    reports = Reports()
    assert [reports.due(b"first!", at) for at in (0.0, 9.9, 10.0)] == [True, False, True]
    assert reports.due(b"second", 10.0)
