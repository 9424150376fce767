"""Lay rooms out: floors as rows, arrows led around the rooms of the floors between."""

from dataclasses import dataclass, field
from itertools import pairwise

GAP = 26.0
LANE = 18.0
SWEEPS = 12


@dataclass
class Item:
    """A room's box, or the place where an arrow crosses a floor; ``x`` is its left edge."""

    name: str
    width: float
    x: float = 0.0
    above: list["Item"] = field(default_factory=list)
    below: list["Item"] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """Where its middle is."""
        return self.x + self.width / 2


Way = list[Item]


def lay_out(
    rows: list[list[tuple[str, float]]], arrows: list[tuple[str, str]]
) -> tuple[list[list[Item]], dict[tuple[str, str], Way]]:
    """Place every room, and give each arrow's way down through the rows.

    :param rows: names and widths of the rooms, the highest floor first.
    :param arrows: from a room to one in a later row.
    """
    placed = [[Item(name, width) for name, width in row] for row in rows]
    where = {item.name: (number, item) for number, row in enumerate(placed) for item in row}
    ways = {}
    for start, end in arrows:
        (first, item), (last, target) = where[start], where[end]
        way = [item]
        for number in range(first + 1, last):
            way.append(Item("", LANE))
            placed[number].append(way[-1])
        way.append(target)
        for upper, lower in pairwise(way):
            upper.below.append(lower)
            lower.above.append(upper)
        ways[start, end] = way
    for row in placed:
        _spread(row, [0.0] * len(row))
    for number in range(SWEEPS):
        for row in placed if number % 2 == 0 else placed[::-1]:
            _pull(row, up=number % 2 == 0)
    for row in placed:
        _pull(row, up=None)
    _to_the_left(placed)
    return placed, ways


def _pull(row: list[Item], up: bool | None) -> None:
    """Order a row by where its neighbours are, and move it there."""

    def wanted(item: Item) -> float:
        near = item.above + item.below if up is None else item.above if up else item.below
        if near:
            return sum(one.middle for one in near) / len(near)
        joined = [one.middle for one in row if one.above or one.below]
        return item.middle if item.above or item.below else max(joined, default=0.0) + 1

    if up is not None:
        row.sort(key=wanted)
    _spread(row, [wanted(item) for item in row])


def _spread(row: list[Item], wanted: list[float]) -> None:
    """Put each item as near to its place as the ones beside it allow."""
    edge = float("-inf")
    for item, middle in zip(row, wanted, strict=True):
        item.x = max(middle - item.width / 2, edge)
        edge = item.x + item.width + GAP
    # So far everything gave way to the right: half of that is taken back.
    moved = [item.middle - middle for item, middle in zip(row, wanted, strict=True)]
    back = sum(moved) / len(moved) if moved else 0.0
    for item in row:
        item.x -= back


def _to_the_left(placed: list[list[Item]]) -> None:
    first = min(item.x for row in placed for item in row)
    for row in placed:
        for item in row:
            item.x = round(item.x - first, 1)
