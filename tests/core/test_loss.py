"""Lossy lines, with fixed seeds and bounds of some five standard deviations."""

import itertools
import math
import random

import pytest

from havpn_core.study.loss import NEVER, GilbertElliott, Independent, Periodic, Trace


def share(model, questions, interval_s):
    return sum(model.lost(n * interval_s) for n in range(questions)) / questions


def spells(model, questions, interval_s):
    """Lengths in seconds of the runs of lost questions."""
    found, run = [], 0
    for n in range(questions):
        if model.lost(n * interval_s):
            run += 1
        elif run:
            found.append(run * interval_s)
            run = 0
    return found


# --- independent -----------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [0.01, 0.1, 0.5, 0.9])
def test_independent_loses_its_share_and_no_runs_beyond_chance(loss):
    model, questions = Independent(loss, random.Random(1)), 200_000
    outcomes = [model.lost(n) for n in range(questions)]
    spread = 5 * math.sqrt(loss * (1 - loss) / questions)
    assert abs(sum(outcomes) / questions - loss) < spread
    pairs = sum(a and b for a, b in itertools.pairwise(outcomes)) / questions
    assert abs(pairs - loss**2) < 2 * spread


@pytest.mark.parametrize("loss", [0.01, 0.1, 0.5, 0.9])
def test_gap_is_geometric(loss):
    model, draws = Independent(loss, random.Random(2)), 100_000
    gaps = [model.gap() for _ in range(draws)]
    assert min(gaps) == 0
    for length in range(4):
        chance = (1 - loss) ** length * loss
        spread = 5 * math.sqrt(chance * (1 - chance) / draws)
        assert abs(gaps.count(length) / draws - chance) < spread
    mean = (1 - loss) / loss
    assert abs(sum(gaps) / draws - mean) < 5 * math.sqrt(1 - loss) / loss / math.sqrt(draws)


def test_gap_at_the_ends():
    assert Independent(0, random.Random(1)).gap() == NEVER
    assert Independent(1e-300, random.Random(1)).gap() == NEVER
    assert Independent(1, random.Random(1)).gap() == 0
    assert not any(Independent(0, random.Random(1)).lost(n) for n in range(1000))
    assert all(Independent(1, random.Random(1)).lost(n) for n in range(1000))


# --- bursts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "burst_s"), [(0.05, 0.5), (0.3, 2.0), (0.8, 1.0)])
def test_bursts_have_the_share_and_the_mean_length_asked_for(loss, burst_s):
    hours, interval_s = 40, 0.02
    questions = int(hours * 3600 / interval_s)
    model = GilbertElliott(loss, burst_s, random.Random(3))
    bad = spells(model, questions, interval_s)
    # Bad and good spells by turns: a cycle's share of loss has a standard deviation of about
    # loss x (1 - loss) x sqrt(2), and there are so many cycles:
    cycles = hours * 3600 * loss / burst_s
    assert abs(sum(bad) / (hours * 3600) - loss) < 5 * loss * (1 - loss) * math.sqrt(2 / cycles)
    # A spell between two questions is not seen, and two with no question between them are one.
    good_s = burst_s * (1 - loss) / loss
    assert abs(sum(bad) / len(bad) / burst_s - 1) < 5 / math.sqrt(cycles) + interval_s * (
        1 / burst_s + 1 / good_s
    )


def test_stays_are_exponential():
    model = GilbertElliott(0.2, 1.0, random.Random(4))
    bad = spells(model, 2_000_000, 0.01)
    longer = sum(length > 2.0 for length in bad) / len(bad)
    assert abs(longer - math.exp(-2)) < 0.02


def test_the_spells_do_not_depend_on_who_asks_how_often():
    often = GilbertElliott(0.3, 1.0, random.Random(5))
    seldom = GilbertElliott(0.3, 1.0, random.Random(5))
    outcomes = [often.lost(n / 100) for n in range(100_000)]
    assert [seldom.lost(n / 4) for n in range(4000)] == outcomes[::25]


def test_partial_loss_in_both_states_adds_up():
    model = GilbertElliott(0.1, 0.5, random.Random(6), loss_good=0.02, loss_bad=0.6)
    assert abs(share(model, 500_000, 0.1) - 0.1) < 0.005


def test_bursts_begin_in_the_long_run():
    first = [GilbertElliott(0.3, 5.0, random.Random(seed)).lost(0.0) for seed in range(3000)]
    assert abs(sum(first) / 3000 - 0.3) < 0.045


@pytest.mark.parametrize(("loss", "always"), [(0.0, False), (1.0, True)])
def test_no_loss_and_nothing_but_loss(loss, always):
    model = GilbertElliott(loss, 0.5, random.Random(7))
    assert {model.lost(n) for n in range(10_000)} == {always}


# --- periodic and recorded -------------------------------------------------------------------


def test_periodic_is_exact():
    model = Periodic(period_s=1.0, outage_s=0.3, phase_s=0.2)
    lost = [n for n in range(40) if model.lost(n / 10)]
    assert lost == [n + turn for turn in (0, 10, 20, 30) for n in (2, 3, 4)]


def test_periodic_ends():
    assert not any(Periodic(1, 0).lost(n / 10) for n in range(50))
    assert all(Periodic(1, 1).lost(n / 10) for n in range(50))
    assert Periodic(10, 1, phase_s=-0.5).lost(0.4)
    assert not Periodic(10, 1, phase_s=-0.5).lost(0.5)


def test_a_trace_holds_its_last_truth_and_repeats():
    model = Trace([(1.0, True), (1.5, True), (2.0, False), (3.0, True)], length_s=4.0)
    heard = [model.lost(n / 2) for n in range(16)]
    once = [True, True, True, True, False, False, True, True]
    assert heard == once * 2


def test_a_trace_is_asked_at_its_own_times_in_every_round():
    outcomes = [n % 3 == 0 for n in range(70)]
    model = Trace([(n * 0.1, lost) for n, lost in enumerate(outcomes)], length_s=7.0)
    assert [model.lost(n * 0.1) for n in range(70 * 50)] == outcomes * 50


# --- bad arguments ---------------------------------------------------------------------------

DICE = random.Random(0)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: Independent(1.5, DICE), "loss must be from 0 to 1, not 1.5"),
        (lambda: Independent(-0.1, DICE), "loss must"),
        (lambda: Independent(math.nan, DICE), "loss must"),
        (lambda: GilbertElliott(0.1, 0, DICE), "burst_s must"),
        (lambda: GilbertElliott(0.1, math.inf, DICE), "burst_s must"),
        (lambda: GilbertElliott(2, 1, DICE), "loss must"),
        (lambda: GilbertElliott(0.1, 1, DICE, loss_good=0.2), "from loss_good 0.2 to loss_bad 1"),
        (lambda: GilbertElliott(0.9, 1, DICE, loss_bad=0.5), "from loss_good 0 to loss_bad 0.5"),
        (lambda: GilbertElliott(0.5, 1, DICE, 0.5, 0.5), "loss_good must be below"),
        (lambda: Periodic(0, 0), "period_s must"),
        (lambda: Periodic(1, 2), "outage_s must be from 0 to period_s 1, not 2"),
        (lambda: Periodic(1, -1), "outage_s must"),
        (lambda: Periodic(1, 0.5, math.inf), "phase_s must"),
        (lambda: Trace([], 1), "at least one point"),
        (lambda: Trace([(0, True)], 0), "length_s must"),
        (lambda: Trace([(1, True), (0.5, False)], 2), "a point at 0.5 s"),
        (lambda: Trace([(2, True)], 2), "a point at 2 s"),
        (lambda: Trace([(-1, True)], 2), "a point at -1 s"),
    ],
)
def test_bad_arguments_are_named(make, what):
    with pytest.raises(ValueError, match=what):
        make()
