"""Pure: a short name for what a configuration says, to see whether two of them say the same.

It is made of the tables as they are read, so comments, blanks and the order of keys do not count.
It stands in the status and in the metrics, which anybody may read, so no secret is in it: of a
command line the program counts and no argument, of an address its host, of headers and parameters
the names, and of what is named as a secret only that it is there. Secrets in files of their own
are not read.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from havpn_core.plugging.redact import MARK, path_of

DIGITS = 16
"""Hexadecimal digits: two files that differ have the same once in 10^19."""
COMMANDS = frozenset({"command", "active", "standby", "observe"})
NAMED = frozenset({"headers", "params", "body", "environment"})
"""Tables in the options of an instance, any value of which may be a secret."""

_SECRET = re.compile(
    r"(?:^|[_-])(?:token|pass(?:word|wd|phrase|code)?|pwd|secret|key|auth|authorization|"
    r"credential|pin)s?$",
    re.IGNORECASE,
)
_URL = re.compile(r"(\w+://)(?:[^/\s@]*@)?([^/\s?#]*)\S*")

Keys = tuple[str | int, ...]

LARGE = 64
"""Bits of the largest number of TOML that every reader must take."""


def digest_of(tables: Mapping[str, Any]) -> str:
    """Give the digest of a file's tables.

    :param tables: as :func:`havpn_core.config.read.read` gives them.
    """
    said = sorted(json.dumps((keys, _short(value)), default=str) for keys, value in _leaves(tables))
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:DIGITS]


def is_secret(key: str) -> bool:
    """Whether the name of a key says that its value is a secret; one that ends in _file is none."""
    return _SECRET.search(key) is not None


def _leaves(tables: Mapping[str, Any]) -> Iterator[tuple[Keys, Any]]:
    """Give each value that is no table, with its keys; no depth of tables is too deep."""
    waiting: list[tuple[Keys, Any]] = [((), tables)]
    while waiting:
        keys, value = waiting.pop()
        if isinstance(value, Mapping) and value:
            kind = isinstance(value.get("type"), str)
            waiting += [((*keys, k), _shown(k, each, kind)) for k, each in value.items()]
        elif isinstance(value, list) and value:
            waiting += [((*keys, i), _public(each)) for i, each in enumerate(value)]
        else:
            yield keys, value


def _short(value: Any) -> Any:
    """Give a number of any size as text where Python refuses it, over 4300 digits."""
    return hex(value) if isinstance(value, int) and value.bit_length() > LARGE else value


def _shown(key: str, value: Any, instance: bool) -> Any:
    """Give a value without what must not be known of it.

    :param instance: whether it is an option of an instance, and not the table under a name.
    """
    if instance and key in COMMANDS and isinstance(value, list):
        return [path_of([str(_short(each)) for each in value])]
    if instance and key in NAMED and isinstance(value, Mapping):
        return sorted(map(str, value))
    if is_secret(key) and not isinstance(value, Mapping):
        return MARK
    return _public(value)


def _public(value: Any) -> Any:
    """Give a text without what a URL has besides its host."""
    return _URL.sub(r"\1\2", value) if isinstance(value, str) and "://" in value else value
