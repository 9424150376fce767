"""Pure: what was measured of the contenders, kept as JSON."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Run:
    """One fault of a kind, once.

    :param outage_s: the clients' longest, while it lasts; ``None`` if they were not back.
    :param back_s: the same after it was mended.
    :param apart_s: for how long requests and replies used different lines while it lasted.
    :param home: whether the preferred gateways and line 1 served again by themselves.
    """

    outage_s: float | None
    back_s: float | None
    apart_s: float
    home: bool


@dataclass(frozen=True)
class Lossy:
    """Some time on bad lines.

    :param seconds: for how long.
    :param sent, lost: pings of the client.
    :param moves: changes of the line that requests use, and of the line that replies use.
    :param apart: share of the pings, of those that were seen both ways, whose request and reply
        used different lines.
    """

    seconds: float
    sent: int
    lost: int
    moves: tuple[int, int]
    apart: float


@dataclass(frozen=True)
class Cost:
    """What a contender needs on a gateway that serves, while all is well.

    :param processor: share of one core.
    :param memory: bytes.
    :param config_lines: of all its files, without comments and blank lines.
    """

    seconds: float
    processor: float
    memory: int
    config_lines: int


@dataclass(frozen=True)
class Measured:
    """A finished cell.

    :param amount: repeats or seconds, as in the grid.
    :param on: the day.
    :param took_s: with what was waited for before and between.
    :param load: processes that wanted to run on the whole machine, on the mean of the last minute.
    """

    amount: int
    on: str
    took_s: float
    load: float
    runs: tuple[Run, ...] = ()
    lossy: Lossy | None = None
    cost: Cost | None = None


@dataclass
class Results:
    """All of them.

    :param machine: what it ran on, and the versions, by name.
    :param cells: by contender and key of the cell.
    """

    machine: dict[str, str] = field(default_factory=dict)
    cells: dict[str, dict[str, Measured]] = field(default_factory=dict)

    def amounts(self, contender: str) -> dict[str, int]:
        """Give how much was measured of a contender."""
        return {key: found.amount for key, found in self.cells.get(contender, {}).items()}

    def keep(self, contender: str, key: str, found: Measured) -> None:
        """Take a finished cell, in place of an earlier one."""
        self.cells.setdefault(contender, {})[key] = found


def dump(results: Results) -> str:
    """Write results as JSON, with an end of line."""
    plain = {
        "machine": results.machine,
        "cells": {
            contender: {key: _slim(asdict(found)) for key, found in found_of.items()}
            for contender, found_of in results.cells.items()
        },
    }
    return json.dumps(plain, indent=1) + "\n"


def _slim(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if value not in ((), None)}


def load(text: str) -> Results:
    """Read what :func:`dump` wrote.

    :raises ValueError: it is not that.
    """
    plain = json.loads(text)
    try:
        return Results(
            dict(plain["machine"]),
            {
                contender: {key: _measured(each) for key, each in found.items()}
                for contender, found in plain["cells"].items()
            },
        )
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"no results of a comparison: {problem}") from problem


def _measured(plain: dict[str, Any]) -> Measured:
    parts = dict(plain)
    parts["runs"] = tuple(Run(**run) for run in plain.get("runs", ()))
    if "lossy" in plain:
        lossy = plain["lossy"]
        parts["lossy"] = Lossy(**{**lossy, "moves": tuple(lossy["moves"])})
    if "cost" in plain:
        parts["cost"] = Cost(**plain["cost"])
    return Measured(**parts)
