"""How good a line is, as a number for a cluster that chooses the node with the largest one.

Pure: time comes in as seconds of the monotonic clock.

Each gateway says it of its own line and knows nothing of the other's, so the steps are coarse,
each for twice as much loss as the one before. A step down is for what the line surely loses
(:attr:`~havpn_core.rules.target.loss.Loss.low`), and is taken at once; a step up is for what it
lost at the most (``high``) all the time for :data:`REST_S`. So of two lines alike one may be a
step or two below the other for long. A resource must stay for that: its stickiness is above
:data:`NOISE` and below one step more. See docs/pacemaker.md.
"""

import math
from collections.abc import Iterable

import msgspec

from havpn_core.pair.lines.loss import percent
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.target.loss import Loss

GOOD, STEP, LEAST = 200, 20, 60
"""The score of a good line, what each step takes from it, and that of the worst line that serves.

All are below what the rule for the binary attribute adds (1000), so that a line that serves is
better than one that does not.
"""
RECOVERING, DOWN = 10, 0
FIRST = 0.01
"""Share of loss of the first step; each further step is for twice as much."""
LAST = (GOOD - LEAST) // STEP
"""The last step, for 64 % and more."""
NOISE = 3 * STEP
"""What two lines alike may differ by; four steps are clear: a loss eight times as high at least.

With three, two lines that begin to lose 10 % at the same time would look as different once in ten
times where a probe is sent every half second; with four it is less than once in a hundred times.
"""
FEW = 0.25
"""The first step is at least for this part of what a perfect line may lose by as many samples.

A few losses, or one spell, soon make one of two lines alike look many times as bad as the other.
"""
REST_S = 600.0
"""For so long a line must have been better before its score rises."""


class Seen(msgspec.Struct, frozen=True):
    """What is seen of a line now.

    :param grey: it loses more than it may, by ``grey`` of the path.
    :param loss: what it lost recently; ``None`` while that is not known.
    """

    verdict: Verdict
    grey: bool = False
    loss: Loss | None = None


class Rank(msgspec.Struct, frozen=True):
    """On which step a line is.

    :param step: 0 (good) to :data:`LAST`; 0 where nothing was ever known, too.
    :param since_s: since when the line seems to be on a better step; ``None`` while it does not.
    :param better: the worst of the steps on which it seemed to be since then.
    """

    step: int = 0
    since_s: float | None = None
    better: int = 0


GOOD_RANK = Rank()


def steps_of(loss: Loss) -> tuple[int, int]:
    """Give the steps of what a line surely loses, and of what it loses at the most."""
    perfect = Loss(0.0, loss.samples, loss.clump)
    first = max(FIRST, perfect.high * FEW)
    return _step(loss.low / first), _step(loss.high / first)


def _step(times: float) -> int:
    return 0 if times < 1 else min(LAST, 1 + int(math.log2(times)))


def follow(rank: Rank, seen: Seen, now_s: float) -> Rank:
    """Take in what is seen of a line.

    One that is not up, or of which too little is known, stays on the step that it had.
    """
    if seen.verdict not in (Verdict.UP, Verdict.FAILING):
        return Rank(rank.step)
    grey = int(seen.grey)
    if seen.loss is None:
        return Rank(max(rank.step, grey))
    surely, at_most = (max(step, grey) for step in steps_of(seen.loss))
    if surely > rank.step or at_most >= rank.step:
        return Rank(max(rank.step, surely))
    if rank.since_s is None:
        return Rank(rank.step, now_s, at_most)
    better = max(rank.better, at_most)
    if now_s - rank.since_s >= REST_S:
        return Rank(better)
    return Rank(rank.step, rank.since_s, better)


def score_of(
    rank: Rank, verdict: Verdict, *, usable: bool | None, forced: bool = False
) -> int | None:
    """Give the score of a line.

    :param usable: whether a cluster should rely on it; ``None``: it should think as before.
    :param forced: an operator wants this gateway, whatever its line loses.
    :returns: ``None`` while nothing is to be said, so that an earlier score stands.
    """
    if usable is None:
        return None
    if not usable:
        return RECOVERING if verdict is Verdict.RECOVERING else DOWN
    return GOOD if forced else GOOD - STEP * rank.step


def of_paths(scores: Iterable[int | None], give_up_on: str) -> int | None:
    """Give the score of a gateway by those of its paths.

    :param give_up_on: ``any``: every path is needed, so the worst counts; ``all``: the best.
    """
    every = list(scores)
    known = [score for score in every if score is not None]
    if not known:
        return None
    if give_up_on == "all":
        return max(known)
    worst = min(known)
    return None if None in every and worst >= LEAST else worst


def words(loss: Loss | None) -> str:
    """Say for people what a line on another step loses."""
    if loss is None:
        return ""
    share, least, most = (percent(part) for part in (loss.share, loss.low, loss.high))
    return f"loses {share}, at least {least}, at most {most}"
