"""Pure: the tables of docs/comparison.md, and how they get into the page."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.compare import grid, summary
from benchmarks.compare.grid import Cell
from benchmarks.compare.results import Lossy, Measured, Results

BEGIN, END = "<!-- table: {name} -->", "<!-- end of table -->"
BETWEEN = re.compile(r"<!-- table: ([\w-]+) -->\n.*?<!-- end of table -->", re.DOTALL)
BAD = {"10": "10 % lost each way", "20": "20 % lost each way", grid.SPELLS: "spells of 0.5 s"}
NOTHING = "Nothing was measured yet."


@dataclass(frozen=True)
class Who:
    """A contender as the page shows it.

    :param cells: all that is to be measured of it in the full grid.
    """

    key: str
    title: str
    settings: str
    cells: tuple[Cell, ...] = ()


class Tables:
    """All tables of the page.

    :param contenders: in the order of the rows; those without a figure in a table are left out.
    """

    def __init__(self, results: Results, contenders: Sequence[Who]) -> None:
        self._results, self._contenders = results, contenders

    def every(self) -> dict[str, list[str]]:
        """Give the lines of each table by its name."""
        return {
            "machine": self._machine(),
            "contenders": self._who(),
            "cuts": self._cuts(summary.outages),
            "failback": self._cuts(summary.failbacks),
            "faults": self._faults(summary.outages),
            "apart": self._faults(summary.apart_s),
            "perfect": self._perfect(),
            "alike": self._alike(),
            "cost": self._cost(),
        }

    def _found(self, who: Who, cell: Cell) -> Measured | None:
        return self._results.cells.get(who.key, {}).get(cell.key)

    def _machine(self) -> list[str]:
        rows = [[name, value] for name, value in self._results.machine.items()]
        rows += [["Cells of the full grid", self._progress()]] if rows else []
        return table(["", "what the figures are from"], rows)

    def _progress(self) -> str:
        """Say how much of the full grid the figures are."""
        pairs = [(who, cell) for who in self._contenders for cell in who.cells]
        found = [(self._found(who, cell), cell) for who, cell in pairs]
        some = [(each, cell) for each, cell in found if each is not None]
        full = sum(each.amount >= cell.amount for each, cell in some)
        parts = [f"{full} in full", f"{len(some) - full} with fewer repeats or seconds"]
        return ", ".join([*parts, f"{len(found) - len(some)} not measured"])

    def _who(self) -> list[str]:
        rows = []
        for who in self._contenders:
            if found := list(self._results.cells.get(who.key, {}).values()):
                days = sorted(each.on for each in found)
                day = " to ".join(dict.fromkeys((days[0], days[-1])))
                load = f"{max(each.load for each in found):.1f}"
                rows.append([who.title, who.settings, day, load])
        return table(["contender", "settings", "measured", "load, most"], rows)

    def _cuts(self, write: Callable[[Measured | None], str]) -> list[str]:
        cells = [Cell(grid.CUT, "line cut", 0, rtt_ms) for rtt_ms in grid.FULL.rtts_ms]
        heads = ["silent cut of line 1", *[f"{cell.rtt_ms:g} ms" for cell in cells]]
        return table(heads, self._rows(cells, write))

    def _faults(self, write: Callable[[Measured | None], str]) -> list[str]:
        cells = [Cell(grid.FAULT, name, 0) for name in grid.FULL.faults]
        return table(["fault", *grid.FULL.faults], self._rows(cells, write))

    def _rows(
        self, cells: Sequence[Cell], write: Callable[[Measured | None], str]
    ) -> list[list[str]]:
        found = {who: [self._found(who, cell) for cell in cells] for who in self._contenders}
        return [[who.title, *map(write, of)] for who, of in found.items() if any(of)]

    def _lossy(self, who: Who, line: str, second: str) -> Lossy | None:
        found = self._found(who, Cell(grid.LOSS, line, 0, second=second))
        return found.lossy if found else None

    def _perfect(self) -> list[str]:
        heads = ["line 1 is bad, line 2 perfect"]
        for name in BAD.values():
            heads += [f"{name}: client's loss %", "moves a / b", "on different lines %"]
        rows = []
        for who in self._contenders:
            found = [self._lossy(who, line, grid.PERFECT) for line in BAD]
            if any(found):
                cells = [[summary.lost(x), summary.moves(x), summary.apart(x)] for x in found]
                rows.append([who.title, *[text for three in cells for text in three]])
        return table(heads, rows)

    def _alike(self) -> list[str]:
        heads = ["both lines are equally bad"]
        for name in BAD.values():
            heads += [f"{name}: needless moves per hour", "client's loss %"]
        rows = []
        for who in self._contenders:
            found = [self._lossy(who, line, grid.ALIKE) for line in BAD]
            if any(found):
                cells = [[summary.moves_per_hour(x), summary.lost(x)] for x in found]
                rows.append([who.title, *[text for two in cells for text in two]])
        return table(heads, rows)

    def _cost(self) -> list[str]:
        cell = Cell(grid.IDLE, "", 0)
        rows = [
            [who.title, *summary.costs(found.cost)]
            for who in self._contenders
            if (found := self._found(who, cell))
        ]
        return table(["on gw-aa, all well", "processor", "memory", "lines of configuration"], rows)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Write a table as Markdown; a sentence where there are no rows."""
    if not rows:
        return [NOTHING]
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def filled(text: str, tables: Mapping[str, Sequence[str]]) -> str:
    """Put the tables between their markers in the page.

    :raises ValueError: a table has no place there, or a place has no table.
    """
    places = [match[1] for match in BETWEEN.finditer(text)]
    if sorted(places) != sorted(tables):
        raise ValueError(f"the page has places for {places}, and there are {list(tables)}")

    def put(match: re.Match[str]) -> str:
        return "\n".join((BEGIN.format(name=match[1]), "", *tables[match[1]], "", END))

    return BETWEEN.sub(put, text)
