"""Pure: what the trials showed, as tables and sentences."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .plan import Equivalent
from .sites import Mutant
from .trials import Result

ENOUGH = 0.95
HEAD = ["module", "mutants", "killed", "timeouts", "equivalent", "survivors", "caught"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happened to one mutant.

    :param known: why it does the same, where the plan says so.
    """

    module: str
    line: int
    function: str
    change: str
    result: Result
    known: str | None

    @property
    def caught(self) -> bool:
        """Whether a test failed, or came to no end."""
        return self.result in (Result.KILLED, Result.TIMEOUT)

    @property
    def survives(self) -> bool:
        """Whether it counts against the tests."""
        return not self.caught and self.known is None


def verdict(module: str, mutant: Mutant, result: Result, known: Iterable[Equivalent]) -> Verdict:
    """Set a result beside what is known of the mutant."""
    key = (module, mutant.function, mutant.change)
    reasons = [each.reason for each in known if (each.module, each.function, each.change) == key]
    return Verdict(*key[:1], mutant.line, *key[1:], result, reasons[0] if reasons else None)


def stale(
    known: Iterable[Equivalent], every: set[tuple[str, str, str]], verdicts: list[Verdict]
) -> list[str]:
    """Say which equivalents are none, or are no more.

    :param every: module, function and change of each mutant that there is.
    """
    caught = {(one.module, one.function, one.change) for one in verdicts if one.caught}
    found = []
    for each in known:
        key = (each.module, each.function, each.change)
        if key not in every:
            found.append(f"no such mutant any more, take it out: {' '.join(key)}")
        elif key in caught:
            found.append(f"a test catches it, so it is not equivalent: {' '.join(key)}")
    return found


def share(verdicts: list[Verdict]) -> float:
    """Give the share of mutants caught, those known to do the same left aside."""
    caught = sum(one.caught for one in verdicts)
    counted = caught + sum(one.survives for one in verdicts)
    return caught / counted if counted else 1.0


def table(verdicts: list[Verdict]) -> str:
    """Lay the counts out, a row for each module and one for all."""
    modules = sorted({one.module for one in verdicts})
    rows = [_row(name, [one for one in verdicts if one.module == name]) for name in modules]
    rows = [HEAD, *rows, _row("all", verdicts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )


def survivors(verdicts: list[Verdict]) -> list[str]:
    """Name each survivor."""
    return [
        f"{one.module}:{one.line} {one.function}: {one.change}"
        + (" (never run)" if one.result is Result.UNREACHED else "")
        for one in sorted(verdicts, key=lambda one: (one.module, one.line))
        if one.survives
    ]


def record(verdicts: list[Verdict], outdated: list[str]) -> dict[str, Any]:
    """Give everything as JSON values."""
    return {
        "share": share(verdicts),
        "stale": outdated,
        "mutants": [asdict(one) | {"result": one.result.value} for one in verdicts],
    }


def _row(name: str, verdicts: list[Verdict]) -> list[str]:
    numbers = (
        len(verdicts),
        sum(one.result is Result.KILLED for one in verdicts),
        sum(one.result is Result.TIMEOUT for one in verdicts),
        sum(one.known is not None for one in verdicts),
        sum(one.survives for one in verdicts),
    )
    return [name, *map(str, numbers), f"{share(verdicts):.1%}"]
