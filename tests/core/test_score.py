"""How good a line is for a cluster: coarse, quickly worse, slowly better."""

import random
from bisect import bisect
from itertools import accumulate
from math import comb

import pytest

from havpn_core.pair.lines.record import Record
from havpn_core.pair.lines.score import (
    DOWN,
    GOOD,
    LAST,
    LEAST,
    NOISE,
    RECOVERING,
    REST_S,
    STEP,
    Rank,
    Seen,
    follow,
    of_paths,
    score_of,
    steps_of,
    words,
)
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.target.loss import Loss

UP, FAILING, DEAD, BACK = Verdict.UP, Verdict.FAILING, Verdict.DOWN, Verdict.RECOVERING
CLEAR = NOISE + STEP
"""What makes the cluster move: its stickiness is between that and the noise."""


def sure(share):
    """A loss that is known so well that both bounds are on the same step."""
    return Loss(share, 10**9)


@pytest.mark.parametrize(
    ("share", "step"),
    [(0.0, 0), (0.0099, 0), (0.0101, 1), (0.0199, 1), (0.0201, 2), (0.041, 3), (0.081, 4),
     (0.159, 4), (0.161, 5), (0.33, 6), (0.63, 6), (0.65, 7), (1.0, 7)],
)  # fmt: skip
def test_each_step_is_for_twice_the_loss(share, step):
    assert steps_of(sure(share)) == (step, step)


@pytest.mark.parametrize(
    ("loss", "steps"),
    [
        (Loss(0.0, 800), (0, 0)),
        (Loss(0.10, 800), (3, 4)),
        (Loss(0.36, 800), (6, 6)),
        # few samples, and those in clumps, say little: the first step is for more than 1 %
        (Loss(0.10, 120), (3, 5)),
        (Loss(0.10, 60), (1, 4)),
        (Loss(0.10, 800, 20.0), (1, 4)),
    ],
)
def test_what_is_sure_and_what_may_be(loss, steps):
    assert steps_of(loss) == steps


def test_the_scores_rank_good_grey_recovering_down():
    good, grey = Rank(), follow(Rank(), Seen(UP, grey=True), 0.0)
    scores = [
        score_of(good, UP, usable=True),
        score_of(grey, UP, usable=True),
        score_of(Rank(LAST), FAILING, usable=True),
        score_of(good, BACK, usable=False),
        score_of(good, DEAD, usable=False),
    ]
    assert scores == [200, 180, 60, 10, 0] == [GOOD, GOOD - STEP, LEAST, RECOVERING, DOWN]
    assert score_of(good, UP, usable=False) == DOWN, "unfit, or forced to standby"
    assert score_of(good, UP, usable=None) is None
    assert score_of(Rank(5), UP, usable=True, forced=True) == GOOD
    assert score_of(Rank(5), UP, usable=False, forced=True) == DOWN, "unfit"


@pytest.mark.parametrize(
    ("scores", "give_up_on", "expected"),
    [
        ([200, 120], "any", 120),
        ([200, 120], "all", 200),
        ([200, 0], "any", 0),
        ([0, 10], "all", 10),
        ([None, 200], "any", None),
        ([None, 10], "any", 10),
        ([None, 60], "any", None),
        ([None, 120], "all", 120),
        ([None], "all", None),
        ([], "any", None),
    ],
)
def test_a_gateway_is_as_good_as_its_paths(scores, give_up_on, expected):
    assert of_paths(scores, give_up_on) == expected


def test_worse_at_once_and_better_after_a_rest():
    rank = follow(Rank(), Seen(UP, loss=sure(0.05)), 0.0)
    assert rank == Rank(3)
    rank = follow(rank, Seen(UP, loss=sure(0.0)), 1.0)
    assert rank == Rank(3, 1.0, 0)
    rank = follow(rank, Seen(UP, loss=sure(0.015)), 300.0)
    rank = follow(rank, Seen(FAILING, loss=sure(0.0)), REST_S + 0.9)
    assert rank == Rank(3, 1.0, 1)
    assert follow(rank, Seen(UP, loss=sure(0.0)), REST_S + 1.0) == Rank(1), "the worst of the rest"


@pytest.mark.parametrize(
    "seen",
    [Seen(UP, loss=sure(0.05)), Seen(UP), Seen(DEAD), Seen(BACK), Seen(Verdict.UNKNOWN)],
)
def test_what_interrupts_the_better_time_begins_it_anew(seen):
    """As bad as before, too little known, or not up: none of these is better."""
    rank = follow(Rank(3), Seen(UP, loss=sure(0.0)), 0.0)
    rank = follow(rank, seen, 500.0)
    assert rank == Rank(3)
    rank = follow(rank, Seen(UP, loss=sure(0.0)), 501.0)
    assert follow(rank, Seen(UP, loss=sure(0.0)), 1100.0).step == 3
    assert follow(rank, Seen(UP, loss=sure(0.0)), 1101.0).step == 0


def test_a_loss_that_may_be_as_high_as_before_is_not_better():
    """The estimate is on step 3, and the line may well be on step 4."""
    loss = Loss(0.07, 800)
    assert steps_of(loss) == (3, 4)
    rank = Rank(4)
    for now in range(2000):
        rank = follow(rank, Seen(UP, loss=loss), float(now))
    assert rank == Rank(4)


def test_a_dead_line_keeps_its_step():
    assert follow(Rank(4, 5.0, 1), Seen(DEAD, grey=True, loss=sure(0.9)), 9.0) == Rank(4)


def test_grey_is_one_step_which_moves_nothing():
    assert follow(Rank(), Seen(UP, grey=True), 0.0) == Rank(1)
    assert follow(Rank(), Seen(UP, grey=True, loss=sure(0.0)), 0.0) == Rank(1)
    rank = Rank(1)
    for now in range(2000):
        rank = follow(rank, Seen(UP, grey=True, loss=sure(0.0)), float(now))
    assert rank == Rank(1)
    assert STEP <= NOISE


def test_what_is_said_of_a_loss():
    assert words(None) == ""
    assert words(Loss(0.2, 800)) == "loses 20 %, at least 17 %, at most 23 %"


# --- two lines ---------------------------------------------------------------------------------

ROUND_TRIPS = [0.0975, 0.19, 0.36]
"""What 5, 10 and 20 % each way make of a round trip."""


def tickets(share, probes):
    """Give how likely so many losses at the most are, for one draw a second."""
    chances = (comb(probes, n) * share**n * (1 - share) ** (probes - n) for n in range(probes + 1))
    return list(accumulate(chances))


class Lossy:
    """A line of single losses, by the number of them in each two seconds."""

    def __init__(self, chance, share, probes):
        self.chance, self.table, self.probes = chance, tickets(share, probes), probes
        self.window, self.sum = [], 0

    def loss(self, span):
        lost = bisect(self.table, self.chance.random())
        self.window.append(lost)
        self.sum += lost
        if len(self.window) > span:
            self.sum -= self.window[-span - 1]
        samples = min(len(self.window), span) * self.probes
        return Loss(self.sum / samples, samples)


FAST, BALANCED = (80, 10), (4, 30)
"""Probes in two seconds, every 25 or 500 ms, and how many such times count."""


@pytest.mark.parametrize(
    ("share", "probes", "span"),
    [
        *((share, *pace) for share in ROUND_TRIPS for pace in (FAST, BALANCED)),
        *((share, *FAST) for share in (0.05, 0.1, 0.2)),  # one way of it
    ],
)
def test_two_lines_alike_move_nothing_in_100_hours(share, probes, span):
    chance = random.Random(3)
    lines = [Lossy(chance, share, probes) for _ in range(2)]
    ranks, changes = [Rank(), Rank()], 0
    for turn in range(100 * 3600 // 2):
        before = ranks
        ranks = [
            follow(rank, Seen(UP, loss=line.loss(span)), 2.0 * turn)
            for rank, line in zip(ranks, lines, strict=True)
        ]
        if ranks != before:
            changes += ranks[0].step != before[0].step
            scores = [score_of(rank, UP, usable=True) for rank in ranks]
            assert abs(scores[0] - scores[1]) < CLEAR, (turn, ranks)
    assert 0 < changes < 20, "it moves at the most rarely, and is not stuck"


def seconds(share, interval_s, seed, *, until_s=200.0):
    """Give after how many seconds a line that was clean for a minute is clearly worse."""
    chance, good, bad = random.Random(seed), Record(interval_s), Record(interval_s)
    ranks = [Rank(), Rank()]
    for number in range(int((60.0 + until_s) / interval_s)):
        at = number * interval_s
        good.take(at, lost=False, up=True)
        bad.take(at, lost=at >= 60.0 and chance.random() < share, up=True)
        if at % 1.0 < interval_s:
            losses = (good.found(at), bad.found(at))
            ranks = [
                follow(r, Seen(UP, loss=loss), at) for r, loss in zip(ranks, losses, strict=True)
            ]
            assert ranks[0] == Rank()
            if ranks[1].step * STEP >= CLEAR:
                return at - 60.0
    return until_s


@pytest.mark.parametrize(
    ("share", "interval_s", "within_s"),
    [(0.36, 0.025, 9.0), (0.19, 0.025, 15.0), (0.36, 0.5, 45.0), (0.2, 0.025, 15.0)],
)
def test_a_line_that_becomes_bad_is_clearly_worse_in_seconds(share, interval_s, within_s):
    assert max(seconds(share, interval_s, seed) for seed in range(8)) <= within_s


@pytest.mark.parametrize("share", ROUND_TRIPS)
def test_two_lines_that_become_bad_together_move_nothing(share):
    """Whichever shows it first is at no time clearly worse."""
    moved = 0
    for seed in range(300):
        chance = random.Random(seed)
        records, ranks = [Record(0.5), Record(0.5)], [Rank(), Rank()]
        worst = 0
        for number in range(360):
            at = number * 0.5
            for record in records:
                record.take(at, lost=at >= 60.0 and chance.random() < share, up=True)
            if at >= 60.0 and not number % 2:
                ranks = [
                    follow(rank, Seen(UP, loss=record.found(at)), at)
                    for rank, record in zip(ranks, records, strict=True)
                ]
                worst = max(worst, abs(ranks[0].step - ranks[1].step) * STEP)
        moved += worst >= CLEAR
    assert moved <= 3
