"""Pure: the mark that every rendered file begins with, and the digests that it names.

The digest is over the text without the mark and with placeholders for secrets, so another version
of HA-VPN that renders the same, or another secret, is no drift.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from havpn_core.version import __version__

LENGTH = 16
"""Hexadecimal digits that are shown: 64 bits, enough to know versions of a file by."""
_MARK = re.compile(
    r"^(?P<comment>\S{1,4}) Rendered by HA-VPN (?P<version>\S+), digest (?P<digest>[0-9a-f]{16})$"
)
_LINES = 2
"""The mark is the first line, or the second behind ``#!``."""


class Mark(NamedTuple):
    """What the mark of a file says."""

    version: str
    digest: str


class _File(Protocol):
    @property
    def path(self) -> str: ...
    @property
    def text(self) -> str: ...


def marker(text: str, comment: str = "#") -> str:
    """Give the line that marks a text, without a newline.

    :param comment: what begins a comment in it.
    """
    return f"{comment} Rendered by HA-VPN {__version__}, digest {digest_of_text(text)}"


def marked(text: str, comment: str = "#") -> str:
    """Give the text with its mark: the first line, or the second one behind ``#!``."""
    text = unmarked(text)
    head, rest = _split(text)
    return f"{head}{marker(text, comment)}\n{rest}"


def unmarked(text: str) -> str:
    """Give the text without its mark."""
    lines = text.split("\n")
    for number, line in enumerate(lines[:_LINES]):
        if _MARK.match(line):
            return "\n".join(lines[:number] + lines[number + 1 :])
    return text


def mark_of(text: str) -> Mark | None:
    """Give what the mark of a file says; ``None``: it has none, and so is none of ours."""
    for line in text.split("\n")[:_LINES]:
        if found := _MARK.match(line):
            return Mark(found["version"], found["digest"])
    return None


def digest_of_text(text: str) -> str:
    """Give the digest of one file's text, marked or not."""
    return hashlib.sha256(unmarked(text).encode()).hexdigest()[:LENGTH]


def digest_of(files: Iterable[_File]) -> str:
    """Give the digest of some files with their places, whatever their order."""
    each = sorted(f"{file.path} {digest_of_text(file.text)}\n" for file in files)
    return hashlib.sha256("".join(each).encode()).hexdigest()[:LENGTH]


def _split(text: str) -> tuple[str, str]:
    if not text.startswith("#!"):
        return "", text
    head, _, rest = text.partition("\n")
    return f"{head}\n", rest
