"""What a round-trip time learns from each reply, to the last digit."""

import pytest

from havpn_core.rules.lateness import RoundTrip


def exact(seconds):
    return pytest.approx(seconds, rel=1e-12)


def test_nothing_is_late_before_the_timeout_until_the_first_reply():
    trip = RoundTrip(0.02, 0.25)
    assert (trip.adaptive, trip.mean_s, trip.deviation_s, trip.deadline_s) == (True, None, 0, 0.25)


def test_the_first_reply_gives_the_mean_and_half_of_it_for_the_deviation():
    trip = RoundTrip(0.02, 9.0)
    trip.take(0.125)
    assert (trip.mean_s, trip.deviation_s, trip.deadline_s) == (0.125, 0.0625, 0.375)


@pytest.mark.parametrize(
    ("second", "mean", "deviation"),
    [
        (0.128, 0.128, 0.064 * 31 / 32),
        (0.160, 0.132, 0.064 - 0.032 / 32),
        (0.096, 0.124, 0.064 - 0.032 / 32),
        (0.384, 0.160, 0.064 + 0.192 / 4),
        (0.032, 0.116, 0.064 + 0.032 / 4),
    ],
)
def test_the_deviation_grows_quickly_and_shrinks_slowly(second, mean, deviation):
    trip = RoundTrip(0.02, 9.0)
    trip.take(0.128)
    trip.take(second)
    assert (trip.mean_s, trip.deviation_s) == (exact(mean), exact(deviation))
    assert trip.deadline_s == exact(mean + 4 * deviation)


def test_the_floor_and_the_ceiling_of_what_is_late():
    low, high = RoundTrip(0.5, 9.0), RoundTrip(0.02, 0.25)
    for trip in (low, high):
        trip.take(0.1)
    assert (low.deadline_s, high.deadline_s) == (exact(0.6), 0.25)


def test_one_that_is_not_adaptive_keeps_to_its_ceiling_and_learns_all_the_same():
    trip = RoundTrip(0.02, 9.0, adaptive=False)
    trip.take(0.1)
    assert (trip.mean_s, trip.deadline_s) == (0.1, 9.0)


@pytest.mark.parametrize("first", [0.1, 0.3])
@pytest.mark.parametrize("times", [1, 2, 3, 50])
def test_a_run_is_the_same_as_its_replies_one_by_one(first, times):
    one, run = RoundTrip(0.02, 9.0), RoundTrip(0.02, 9.0)
    one.take(first)
    run.take(first)
    for _ in range(times):
        one.take(0.1)
    run.repeat(0.1, times)
    assert (run.mean_s, run.deviation_s) == (exact(one.mean_s), exact(one.deviation_s))
    assert run.deadline_s == exact(one.deadline_s)


def test_of_a_long_run_of_another_time_two_hundred_count():
    one, run = RoundTrip(0.02, 9.0), RoundTrip(0.02, 9.0)
    one.take(0.3)
    run.take(0.3)
    for _ in range(200):
        one.take(0.1)
    run.repeat(0.1, 10_000)
    assert (run.mean_s, run.deviation_s) == (one.mean_s, one.deviation_s)


def test_a_long_run_of_the_mean_counts_whole():
    trip = RoundTrip(0.0, 9.0)
    trip.take(0.1)
    trip.repeat(0.1, 1000)
    assert (trip.mean_s, trip.deviation_s) == (0.1, exact(0.05 * (31 / 32) ** 1000))
