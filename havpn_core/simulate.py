"""Replay samples on a virtual clock through the modules that decide in the daemon."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from havpn_core.election import PathView, Role, wanted_role
from havpn_core.hysteresis import Level, Outcome, Rules, Verdict, begin, expire, step
from havpn_core.options import PathOptions

SYMBOLS = {".": Outcome.OK, "x": Outcome.FAIL, "?": Outcome.ERROR}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of verdict.

    :param sample: the sample that made it, counted from 1.
    :param role: the role wanted after it; ``None`` while nothing was heard.
    """

    sample: int
    time_s: float
    before: Verdict
    after: Verdict
    role: Role | None


def parse_samples(text: str) -> list[Outcome]:
    """Read one character a sample; white space is ignored.

    :raises ValueError: naming the first character that is no sample.
    """
    found = []
    for position, symbol in enumerate(text):
        if symbol.isspace():
            continue
        if symbol not in SYMBOLS:
            raise ValueError(
                f"character {position + 1} is {symbol!r}: write . for OK, x for FAIL, ? for ERROR"
            )
        found.append(SYMBOLS[symbol])
    return found


def replay(options: PathOptions, samples: Iterable[Outcome]) -> Iterator[Change]:
    """Feed samples an interval apart to a path that starts up, and yield what changes.

    A gateway that starts with no memory adopts what it finds; here it finds itself active.
    """
    rules = Rules(options.fall, options.rise, options.stale_s)
    state = begin(Level.UP, 0.0, known=options.initial == "up")
    heard = state.known
    role: Role | None = None
    for number, outcome in enumerate(samples, start=1):
        now = (number - 1) * float(options.interval)
        before = state
        state = step(rules, expire(rules, state, now), outcome, now)
        heard = heard or state.known
        view = PathView(state.level, state.known, heard, options.on_unknown == "release")
        role = wanted_role([view]) or role
        if state.verdict is not before.verdict:
            yield Change(number, round(now, 9), before.verdict, state.verdict, role)
