"""Pure: what a status shows, as rows of text that have a mood; no colour is needed to read them."""

import textwrap
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

NARROW, USUAL = 40, 80
"""The least width that rows are wrapped at, and that of what is no terminal."""
MARK = 3
LABEL = 12


class Mood(IntEnum):
    """How much a row wants to be seen."""

    PLAIN = 0
    GOOD = 1
    WARNING = 2
    BAD = 3


MARKS = {Mood.PLAIN: "", Mood.GOOD: "", Mood.WARNING: "!", Mood.BAD: "!!"}
"""What stands before a row, for who sees no colours."""


class Row(NamedTuple):
    """One row.

    :param label: what it is about; an empty label and text make an empty line.
    :param within: it belongs to the last row above that is not within.
    """

    label: str
    text: str
    mood: Mood = Mood.PLAIN
    within: bool = False


BLANK = Row("", "")


class Line(NamedTuple):
    """One line of a row, as wide as it may be at the most.

    :param mark, label: empty but in the first line of a row; with the spaces after them.
    """

    mark: str
    label: str
    text: str
    mood: Mood

    @property
    def plain(self) -> str:
        """The line without colours."""
        return f"{self.mark}{self.label}{self.text}".rstrip()


def laid_out(rows: Sequence[Row], width: int) -> list[Line]:
    """Wrap rows, with the text of all in one column.

    :param width: columns; less than :data:`NARROW` counts as that. One word that is longer than
        a line, such as an IPv6 address, is broken.
    """
    width = max(width, NARROW)
    longest = max((len(_label(row)) for row in rows), default=0)
    column = MARK + min(max(longest + 1, LABEL), width // 3)
    return [line for row in rows for line in _lines(row, width, column)]


def _label(row: Row) -> str:
    return f"  {row.label}" if row.within else row.label


def _lines(row: Row, width: int, column: int) -> Iterable[Line]:
    if row == BLANK:
        yield Line("", "", "", Mood.PLAIN)
        return
    mark, label = f"{MARKS[row.mood]:{MARK}}", _label(row)
    room = width - column
    parts = textwrap.wrap(row.text, room, break_on_hyphens=False) or [""]
    if len(label) >= column - MARK:
        yield Line(mark, label[: width - MARK], "", row.mood)
    else:
        yield Line(mark, f"{label:{column - MARK}}", parts.pop(0), row.mood)
    for part in parts:
        yield Line("", " " * column, part, row.mood)


def plain(rows: Sequence[Row], width: int = USUAL) -> str:
    """Write rows without colours, each line at most that wide."""
    return "\n".join(line.plain for line in laid_out(rows, width))
