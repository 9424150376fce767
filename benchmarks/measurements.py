"""Pure: the tables of docs/measurements.md, from what the benchmarks wrote."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.compare.page import table


class Kept(NamedTuple):
    """What one benchmark wrote.

    :param command: which measures it.
    :param on: the day.
    :param load: the load average of the machine over the last 15 minutes, at its end.
    :param machine: names and values, of :func:`benchmarks.compare.machine.machine`.
    :param tables: each a list of rows, the first of which has the heads.
    """

    command: str
    on: str
    load: float
    machine: Mapping[str, str]
    tables: Sequence[Sequence[Sequence[str]]]


def sections(results: Mapping[str, Kept]) -> dict[str, list[str]]:
    """Give the lines of each table by its name: that of the benchmark, ``NAME-2`` of its second.

    The command stands below the last one of a benchmark.
    """
    found: dict[str, list[str]] = {}
    for name, kept in results.items():
        for number, (heads, *rows) in enumerate(kept.tables, 1):
            key = name if number == 1 else f"{name}-{number}"
            found[key] = table(heads, rows)
        found[key] += ["", source(kept)]
    return found


def source(kept: Kept) -> str:
    """Say where the figures are from."""
    processor, version = kept.machine["Processor"], kept.machine["HA-VPN"]
    return f"`{kept.command}`, {kept.on}, {processor}, HA-VPN {version}, load {kept.load:g}."
