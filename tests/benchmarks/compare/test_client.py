"""What a client noticed of a fault."""

from dataclasses import dataclass

import pytest

from benchmarks.compare.client import longest


@dataclass
class Gap:
    start: float
    end: float

    @property
    def seconds(self):
        return self.end - self.start


def seen(*gaps, rtt_s=0.0):
    return longest([Gap(*gap) for gap in gaps], 10.0, 20.0, rtt_s=rtt_s, lost_s=3.0)


def test_nothing_missed_is_no_outage():
    assert seen() == 0.0


def test_the_longest_gap_that_began_in_the_time_counts():
    assert seen((10.0, 10.25), (12.0, 12.5), (20.0, 25.0)) == 0.5


@pytest.mark.parametrize(("rtt_s", "outage"), [(0.0, 0.0), (0.2, 0.5)])
def test_what_was_under_way_when_the_fault_was_made_belongs_to_it(rtt_s, outage):
    assert seen((9.8, 10.3), rtt_s=rtt_s) == pytest.approx(outage)


def test_a_long_gap_at_the_end_means_that_the_client_was_not_back():
    assert seen((10.0, 19.9)) is None
    assert seen((10.0, 23.0)) is None


def test_a_short_one_at_the_end_or_a_long_one_before_does_not():
    assert seen((17.5, 19.9)) == pytest.approx(2.4)
    assert seen((10.0, 19.0)) == 9.0


def test_replies_may_be_under_way_at_the_end():
    assert seen((10.0, 19.4)) == pytest.approx(9.4)
    assert seen((10.0, 19.4), rtt_s=0.2) is None
