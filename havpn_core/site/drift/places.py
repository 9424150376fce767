"""Pure: put the places of secrets back into a file that was found, and take the secrets out of it.

What is rendered has ``{{secret:NAME}}`` where a gateway has the secret. With the places back both
can be compared and shown line by line; the secrets that were there are compared among themselves.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

PLACE = re.compile(r"\{\{secret:([A-Za-z0-9][A-Za-z0-9._-]*)\}\}")
_VALUE = r"([^\s\"'\\#]+)"


@dataclass(frozen=True)
class Replaced:
    """A text without its secrets.

    :param lines: its lines, with places for the secrets that stood where one is rendered.
    :param secrets: what stood there, by the name of the secret.
    """

    lines: list[str]
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Line:
    """A rendered line with places."""

    text: str
    pattern: re.Pattern[str]
    names: tuple[str, ...]

    @property
    def alone(self) -> bool:
        """Whether it is nothing but one secret, which may then have several lines."""
        return PLACE.fullmatch(self.text.strip()) is not None


def replaced(rendered: str, found: str) -> Replaced:
    """Give a text that was found, with places instead of secrets.

    :param rendered: what it is to be, with places.
    """
    exact = set(rendered.split("\n"))
    waiting = [_line(text) for text in rendered.split("\n") if PLACE.search(text)]
    places = list(waiting)
    lines: list[str] = []
    secrets: dict[str, list[str]] = {}
    last: _Line | None = None
    for text in found.split("\n"):
        fitting = None if text in exact else _fitting(text, waiting, places, last)
        if fitting is None:
            lines.append(text)
        else:
            values = fitting.pattern.fullmatch(text)
            for name, value in zip(fitting.names, values.groups() if values else (), strict=True):
                known = secrets.setdefault(name, [])
                known += [value] if value not in known else []
            if fitting is not last:
                lines.append(fitting.text)
        if fitting in waiting:
            waiting.remove(fitting)
        last = fitting if fitting is not None and fitting.alone else None
    return Replaced(lines, {name: tuple(values) for name, values in secrets.items()})


def _line(text: str) -> _Line:
    parts = PLACE.split(text)
    words = [re.escape(part) if number % 2 == 0 else _VALUE for number, part in enumerate(parts)]
    return _Line(text, re.compile("".join(words)), tuple(parts[1::2]))


def _fitting(
    text: str, waiting: list[_Line], places: list[_Line], last: _Line | None
) -> _Line | None:
    """Give the rendered line that a line was made of: the next one of its form, or the last."""
    if last is not None and last.pattern.fullmatch(text):
        return last
    for each in (*waiting, *reversed(places)):
        if each.pattern.fullmatch(text):
            return each
    return None
