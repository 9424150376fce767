"""Pure: what charon has loaded, such as ``swanctl --list-conns --raw`` prints it.

The output is one vici message after the other: sections in braces, lists in brackets, values
without quotes that may hold blanks.
"""

import re

from havpn_core.site.drift.settings import Section

_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<list>[\w.-]+)=\[(?P<items>(?:[^\[\]]|\[[^\[\]]*\])*)\]"
    r"|(?P<key>[\w.-]+)=(?P<value>[^{}]*?)(?=\s+[a-z][\w.-]*=|\s+[^\s{}]+\s*\{|\s*\}|\s*$)"
    r"|(?P<section>[^\s{}]+(?: event| reply)?)\s*\{"
    r"|(?P<end>\})"
    r")"
)
_EVENT = "list-conn event"


def connections_of(output: str) -> dict[str, Section]:
    """Give the loaded connections by name.

    Lines before the first message, as warnings of its configuration, are left out.

    :raises ValueError: if the output is none of ``swanctl --list-conns --raw``.
    """
    found: dict[str, Section] = {}
    start = re.search(r"^list-conns? (?:event|reply) ?\{", output, re.MULTILINE)
    if start is None:
        raise ValueError("it is none of swanctl --list-conns --raw")
    at, text = start.start(), output.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token["section"] is None:
            raise ValueError(f"character {at} begins no message")
        section, at = _section(text, token.end())
        if token["section"] == _EVENT:
            found |= section.sections
    return found


def _section(text: str, at: int) -> tuple[Section, int]:
    """Read a section from behind its brace; gives it, and where its end is."""
    open_ones = [Section()]
    while open_ones:
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"it breaks off at character {at}")
        at, now = token.end(), open_ones[-1]
        if token["end"]:
            closed = open_ones.pop()
        elif token["section"]:
            open_ones.append(now.sections.setdefault(token["section"], Section()))
        elif token["list"]:
            now.lists[token["list"]] = tuple(token["items"].split())
        else:
            now.values[token["key"]] = token["value"].strip()
    return closed, at
