"""Pure: replay samples on a virtual clock through the modules that decide in the daemon."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from havpn_core.rules.hysteresis import Level, Outcome, Verdict
from havpn_core.rules.role import PathView, Role, wanted_role
from havpn_core.rules.settings import Settings
from havpn_core.rules.watch import Watch

SYMBOLS = {".": Outcome.OK, "x": Outcome.FAIL, "?": Outcome.ERROR, "r": Outcome.REFUSED}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of verdict.

    :param sample: the sample that made it, counted from 1.
    :param role: the role wanted after it; ``None`` before the first OK or FAIL.
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
                f"character {position + 1} is {symbol!r}: write . for OK, x for FAIL, ? for "
                "ERROR, r for a refusal by the far host"
            )
        found.append(SYMBOLS[symbol])
    return found


def replay(
    settings: Settings, samples: Iterable[Outcome], *, known: bool, release: bool
) -> Iterator[Change]:
    """Feed samples an interval apart to a path that starts up, and yield what changes.

    A sample is the result of a whole round, that is of the vote of all probes (as ``havpn
    record`` writes it). So the replayed path has one probe and requires that one, whatever
    ``require`` is. Samples are results, so here none is late and there is no burst. A gateway
    that starts with no memory adopts what it finds; here it finds itself active.

    :param known: whether the path counts as tested before the first sample (``initial``).
    :param release: whether the role is given up while the path is unknown (``on_unknown``).
    """
    interval = settings.rules.interval_s
    # With a burst, which is sent ahead of replies, a target would take endless haste into account.
    rules = replace(settings.rules, confirm_s=None)
    settings = replace(settings, rules=rules, timeout_s=float("inf"), adaptive=False, require=1)
    watch = Watch(settings, 1, Level.UP, 0.0, known=known)
    heard = known
    role: Role | None = None
    for number, outcome in enumerate(samples, start=1):
        now = (number - 1) * interval
        watch.expire(now)
        watch.reply(watch.send(now), 0, outcome, now_s=now)
        heard = heard or watch.state.known
        view = PathView(watch.state.level, watch.state.known, heard, release)
        role = wanted_role([view]) or role
        changes = watch.changes()
        if changes and changes[0].before.verdict is not changes[-1].after.verdict:
            before, after = changes[0].before.verdict, changes[-1].after.verdict
            yield Change(number, round(now, 9), before, after, role)
