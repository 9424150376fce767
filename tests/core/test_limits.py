"""Limits that outlive a process, on a virtual clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.rules.limits import Clocks, Noted, drifted, note, resume

HOUR = 3600.0
WALL = 1_764_000_000.0
NOW = Clocks(WALL, 500.0, "boot-1")


def later(seconds, *, set_by=0.0):
    return Clocks(WALL + seconds + set_by, NOW.boot_s + seconds, "boot-1")


def booted(off_s, *, set_by=0.0, up_s=20.0):
    return Clocks(WALL + off_s + up_s + set_by, up_s, "boot-2")


def left(noted, now):
    return resume(noted, now) - now.boot_s


@pytest.mark.parametrize("set_by", [-HOUR, 0.0, HOUR, -30 * 365 * 24 * HOUR])
def test_within_a_boot_the_wall_clock_may_be_set_as_it_likes(set_by):
    noted = note(NOW.boot_s + HOUR, NOW)
    assert left(noted, later(600, set_by=set_by)) == 3000
    assert left(noted, later(HOUR, set_by=set_by)) == 0


def test_after_a_reboot_what_remains_counts():
    noted = note(NOW.boot_s + HOUR, NOW)
    assert left(noted, booted(600)) == pytest.approx(2980)
    assert left(noted, booted(2 * HOUR)) == 0


def test_after_a_reboot_with_a_clock_set_back_it_is_no_longer_than_it_was():
    noted = note(NOW.boot_s + HOUR, NOW)
    assert left(noted, booted(600, set_by=-50 * 365 * 24 * HOUR)) == HOUR


def test_a_file_of_the_release_before_counts_by_the_wall_clock_once():
    assert left(Noted(WALL + 100), NOW) == 100
    assert left(Noted(WALL - 100), NOW) == 0


def test_a_host_that_cannot_name_its_boot_takes_every_start_for_another_boot():
    nameless = Clocks(WALL, 500.0, "")
    noted = note(600.0, nameless)
    assert left(noted, Clocks(WALL + 50, 10.0, "")) == 50


def test_a_clock_that_was_set_is_noticed_so_that_the_limit_is_written_again():
    noted = note(NOW.boot_s + HOUR, NOW)
    assert not drifted(noted, later(600))
    assert drifted(noted, later(600, set_by=HOUR))
    assert drifted(noted, later(600, set_by=-2))
    assert drifted(Noted(WALL), NOW)
    assert not drifted(note(NOW.boot_s + HOUR, later(600, set_by=HOUR)), later(700, set_by=HOUR))


@pytest.mark.parametrize("drift", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_a_second_of_drift_is_worth_no_writing(drift):
    assert not drifted(note(NOW.boot_s + HOUR, NOW), later(600, set_by=drift))


@pytest.mark.parametrize("drift", [-1.25, 1.25])
def test_more_than_a_second_of_drift_is(drift):
    assert drifted(note(NOW.boot_s + HOUR, NOW), later(600, set_by=drift))


def test_what_is_written_of_a_limit():
    assert note(560.0, NOW) == Noted(WALL + 60, 60.0, "boot-1", 560.0)
    assert note(400.0, NOW) == Noted(WALL, 0.0, "boot-1", 400.0)


def test_no_time_is_written_from_before_its_beginning():
    """A wall clock before 1970, a limit of before the boot."""
    assert note(-5.0, Clocks(-100.0, 20.0, "boot-2")) == Noted(0.0, 0.0, "boot-2", 0.0)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(-1e9, 1e9))
def test_no_clock_makes_a_limit_longer(limit, off_s, set_by):
    noted = note(NOW.boot_s + limit, NOW)
    assert 0 <= left(noted, booted(off_s, set_by=set_by)) <= limit + 1e-6
