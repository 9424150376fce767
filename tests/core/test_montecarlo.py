"""Several probes over one simulated line, compared with what probability says."""

import math
import random

import pytest

from havpn_core.rules.hysteresis import Verdict
from havpn_core.study.loss import GilbertElliott, Independent, Periodic, Trace
from havpn_core.study.montecarlo import Course
from havpn_core.study.montecarlo import summarise as summarised
from havpn_core.study.replay import parse_samples, replay
from tests.core.profile import profile

CYCLES = 1000
"""How often a line goes down and up again in a simulation, unless that takes too long."""


def lost_round(loss, probes, require):
    """The chance that fewer than ``require`` of the probes get a reply."""
    return sum(
        math.comb(probes, replies) * (1 - loss) ** replies * loss ** (probes - replies)
        for replies in range(require)
    )


def rounds_a_cycle(chance, fall):
    """Mean rounds from up to up again, where a round fails with that chance and rise is 1.

    Down after a run of ``fall`` (Feller, An Introduction to Probability Theory, XIII.7), up
    with the first success after it.
    """
    return (1 - chance**fall) / (chance**fall * (1 - chance)) + 1 / (1 - chance)


def summarise(options, line, **more):
    return summarised(options.settings, line, chance=random.Random(1), **more)


def plain(**changes):
    """Rules of which everything is known: no burst, no damping, one second a round."""
    given = {"fall": 2, "rise": 1, "damping": False, "interval": "1s", "timeout": "500ms"}
    return profile("article", **{**given, **changes})


@pytest.mark.parametrize(("probes", "require"), [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)])
@pytest.mark.parametrize("drawn", ["in gaps", "one by one"])
def test_the_switches_of_k_of_n_probes_are_those_of_the_binomial_distribution(
    probes, require, drawn
):
    line = Independent(0.3, random.Random(5))
    if drawn == "one by one":
        line = type("OneByOne", (), {"lost": line.lost})
    chance = lost_round(0.3, probes, require)
    hours = min(40, CYCLES * rounds_a_cycle(chance, fall=2) / 3600)
    found = summarise(plain(require=require), line, hours=hours, cuts=0, probes=probes)
    cycles = hours * 3600 / rounds_a_cycle(chance, fall=2)
    assert cycles > 50, "too few to compare"
    # Times between falls are nearly geometric: their number spreads as a Poisson number does.
    assert found.switches == pytest.approx(2 * cycles, abs=2 * 5 * math.sqrt(cycles))
    # Down from the timeout of the last lost round to the reply of the next that is not lost.
    down_s = 1 / (1 - chance) - 0.5 + 0.001
    share = down_s / rounds_a_cycle(chance, fall=2)
    assert found.backup_share == pytest.approx(share, abs=5 * 1.5 * share / math.sqrt(cycles))


def test_two_of_three_on_a_good_line_is_calm():
    options = plain(require=2, fall=6)
    found = summarise(options, Independent(0, random.Random(1)), hours=10, cuts=40, probes=3)
    assert (found.switches, found.backup_share) == (0, 0)
    assert len(found.detection_s) == 40
    # Six rounds a second apart, and the last one's timeout; the cut falls between two rounds.
    assert all(5.4 <= seconds <= 6.6 for seconds in found.detection_s)


@pytest.mark.parametrize("require", [1, 2, 3])
@pytest.mark.parametrize(
    "line",
    [
        lambda: GilbertElliott(0.1, 5.0, random.Random(3)),
        lambda: Periodic(period_s=60, outage_s=4.5, phase_s=10.2),
        lambda: Trace([(0, False), (20, True), (24, False)], 60),
    ],
)
def test_what_befalls_the_line_befalls_all_its_probes(line, require):
    """Then it makes no difference how many there are and how many must be OK."""
    alone = summarise(plain(), line(), hours=5, cuts=5)
    several = summarise(plain(require=require), line(), hours=5, cuts=5, probes=3)
    assert alone.switches > 50
    assert several == alone


def test_a_partly_lossy_spell_is_drawn_for_each_packet():
    def line():
        return GilbertElliott(0.2, 5.0, random.Random(3), loss_bad=0.6)

    switches = [
        summarise(plain(require=require), line(), hours=10, cuts=0, probes=3).switches
        for require in (1, 2, 3)
    ]
    assert 0 < switches[0] < switches[1] < switches[2]


class Scripted:
    """The packets of a fixed line, one by one."""

    def __init__(self, gaps):
        self.left, self.gaps = gaps[0], iter(gaps[1:] * 1000)

    def lost(self, at_s):
        self.left -= 1
        if self.left >= 0:
            return False
        self.left = next(self.gaps)
        return True


class Leaping:
    """The same line, with the shortcut."""

    def __init__(self, gaps):
        self._gaps = iter([gaps[0], *gaps[1:] * 1000])

    def gap(self):
        return next(self._gaps)


def test_the_shortcut_changes_nothing_for_several_probes():
    dice = random.Random(7)
    gaps = [dice.choice((0, 0, 1, 2, 5, 40, 700)) for _ in range(300)]
    options = profile("fast", rise=20, fall=2, require=3, damping=False)
    slow, quick = (
        Course(options.settings, line(gaps), 0.004, probes=3) for line in (Scripted, Leaping)
    )
    for course in (slow, quick):
        course.run(600)
    assert slow.switches > 4
    assert slow.switches == quick.switches
    assert slow.down_s == pytest.approx(quick.down_s, abs=1e-6)
    for one, other in zip(slow.watch.trips, quick.watch.trips, strict=True):
        assert one.mean_s == pytest.approx(other.mean_s)


def test_more_than_there_are_is_refused():
    with pytest.raises(ValueError, match="2 of 1 probes can never be OK"):
        summarise(plain(require=2), Independent(0, random.Random(1)), hours=1, cuts=0)


@pytest.mark.parametrize("require", [1, 2, 5])
def test_a_replayed_sample_is_the_vote_already(require):
    samples = parse_samples(".." + "x" * 6 + "." * 3)
    settings = plain(require=require, fall=6, rise=3).settings
    changes = replay(settings, samples, known=True, release=False)
    assert [(change.sample, change.after) for change in changes] == [
        (3, Verdict.FAILING),
        (8, Verdict.DOWN),
        (9, Verdict.RECOVERING),
        (11, Verdict.UP),
    ]
