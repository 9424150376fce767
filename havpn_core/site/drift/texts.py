"""Pure: how two texts differ, line by line as ``diff -u`` says it, and no secret in it.

Of a file that anybody may read everything is shown but what its key calls a secret. Of any other
file a line that was found shows only the words that are rendered, too: what else stands there may
be a secret that somebody put in another place.
"""

import difflib
import re
from collections.abc import Iterator, Sequence

from havpn_core.config.digest import COMMANDS, NAMED, is_secret
from havpn_core.plugging.redact import MARK

_KEYED = re.compile(r"^(\s*[\"']?([\w.-]+)[\"']?\s*[=:]\s*)(\S.*)$")
_TABLE = re.compile(r"^\s*\[+\s*([^\]]+?)\s*\]+\s*(?:#.*)?$")
_URL = re.compile(r"(\w+://)(?:[^/\s\"'@]*@)?([^/\s\"'?#]*)[^\s\"',]*")
_WORD = re.compile(r"[^\s=:{}\[\]\"',;#()]+")
_OPEN = {"[": "]", "{": "}", '"""': '"""', "'''": "'''"}
CONTEXT = 1
"""Lines that are shown around each that differs."""


def differing_lines(
    rendered: Sequence[str], found: Sequence[str], *, private: bool, tables: bool = False
) -> tuple[str, ...]:
    """Compare two texts.

    :param rendered: the lines as they are rendered.
    :param found: the lines on the gateway.
    :param private: whether others than the owner may not read the file.
    :param tables: whether it is TOML of HA-VPN.
    """
    near = list(_shown(rendered, tables))
    if private:
        known = {word for line in rendered for word in _WORD.findall(line)}
        far = [_known(line, known) for line in found]
    else:
        far = list(_shown(found, tables))
    shown: list[str] = []
    matcher = difflib.SequenceMatcher(None, rendered, found, autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        first, last = group[0], group[-1]
        shown.append(f"@@ -{_span(first[1], last[2])} +{_span(first[3], last[4])} @@")
        for tag, low, high, low_found, high_found in group:
            if tag == "equal":
                shown += [f" {line}" for line in near[low:high]]
            else:
                shown += [f"-{line}" for line in near[low:high]]
                shown += [f"+{line}" for line in far[low_found:high_found]]
    return tuple(shown)


def count(lines: Sequence[str]) -> int:
    """Give how many lines differ: one that is written otherwise is one."""
    gone = sum(line.startswith("-") for line in lines)
    return max(gone, sum(line.startswith("+") for line in lines))


def _span(low: int, high: int) -> str:
    return f"{low + 1 if high > low else low},{high - low}"


def _known(line: str, words: set[str]) -> str:
    return _WORD.sub(lambda word: word[0] if word[0] in words else MARK, line)


def _shown(lines: Sequence[str], tables: bool) -> Iterator[str]:
    """Give the lines without the values of keys that are called as secrets are.

    :param tables: options of HA-VPN's plugins may have secrets under further names.
    """
    within, until = False, ""
    for line in lines:
        if until:
            yield MARK
            until = "" if line.rstrip().endswith(until) else until
            continue
        if table := _TABLE.match(line) if tables else None:
            within = table[1].rpartition(".")[2] in NAMED
        keyed = _KEYED.match(line)
        if keyed and (within or is_secret(keyed[2]) or (tables and keyed[2] in COMMANDS | NAMED)):
            until = _end_of(keyed[3])
            yield f"{keyed[1]}{MARK}"
        else:
            yield _URL.sub(r"\1\2", line)


def _end_of(value: str) -> str:
    """Give what ends a value that goes on in the next lines; empty: it does not."""
    for begin, end in _OPEN.items():
        if value.startswith(begin):
            rest = value.rstrip()
            return "" if rest.endswith(end) and len(rest) > len(begin) else end
    return ""
