"""When alias-arp speaks, on a virtual clock."""

import pytest
from havpn_plugins.actions._alias.schedule import (
    BURST_S,
    LATE_S,
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
