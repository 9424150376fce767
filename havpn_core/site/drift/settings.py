"""Pure: files of strongSwan, such as ``swanctl.conf`` is one, read without strongSwan."""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"[ \t\r\n]*(?:"
    r"(?P<comment>#[^\n]*)"
    r"|(?P<include>include[ \t]+[^\n]+)"
    r"|(?P<section>[^\s=#{}\"]+)[ \t\r\n]*(?::[^\n{]*)?\{"
    r"|(?P<key>[^\s=#{}\"]+)[ \t]*=[ \t]*(?P<value>(?:\"(?:[^\"\\]|\\.)*\"|[^\n#{}\"])*)"
    r"|(?P<end>\})"
    r")"
)


@dataclass
class Section:
    """A section: values, lists and sections by their names."""

    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sections: dict[str, "Section"] = field(default_factory=dict)

    def at(self, *names: str) -> "Section":
        """Give the section within sections; an empty one where it is not there."""
        found = self
        for name in names:
            found = found.sections.get(name, Section())
        return found

    def listed(self, key: str, default: str = "") -> tuple[str, ...]:
        """Give what is listed under a key, be it a list or a value with commas."""
        if key in self.lists:
            return self.lists[key]
        return tuple(each for each in re.split(r"[\s,]+", self.values.get(key, default)) if each)


def settings_of(text: str) -> Section:
    """Read a file; what it includes is left out.

    :raises ValueError: naming the line that strongSwan would not read.
    """
    open_ones = [Section()]
    begun: list[int] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"line {_line(text, at)}: is neither a section nor a key with a value")
        at, now = token.end(), open_ones[-1]
        if token["section"]:
            open_ones.append(now.sections.setdefault(token["section"], Section()))
            begun.append(_line(text, token.start("section")))
        elif token["key"]:
            now.values[token["key"]] = _unquoted(token["value"].strip())
        elif token["end"]:
            if not begun:
                raise ValueError(f"line {_line(text, at - 1)}: closes a section that is not open")
            open_ones.pop()
            begun.pop()
    if begun:
        raise ValueError(f"line {begun[-1]}: begins a section that is not closed")
    return open_ones[0]


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if quoted else value


def _line(text: str, at: int) -> int:
    at += len(text[at:]) - len(text[at:].lstrip())
    return text.count("\n", 0, at) + 1
