"""Pure: what is wrong in a site file."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong.

    :param key: where it stands, such as ``site.a.vips``.
    :param text: what is wrong, with the values.
    :param remedy: what to write instead, or to do.
    """

    key: str
    text: str
    remedy: str

    def __str__(self) -> str:
        """Give the line that people read."""
        return f"{self.key}: {self.text}: {self.remedy}"


_MEANT = re.compile(r", did you mean '(?P<word>[^']*)'\?")
_REMEDIES = (
    (re.compile(r"is missing and has no default"), "write it"),
    (re.compile(r"there is no such key"), "write one of those, or leave it out"),
    (re.compile(r"is none of"), "write one of them"),
    (re.compile(r"Expected (?P<what>a [\w ]+|true or false), got"), "write {what}"),
)


def split(text: str, otherwise: str = "write what docs/site.md has for it") -> Problem:
    """Make a problem of a sentence that begins with its key and ends with the remedy.

    :param otherwise: the remedy, where the sentence has none and none follows from it.
    """
    key, _, rest = text.partition(": ")
    if meant := _MEANT.search(rest):
        return Problem(key, rest.replace(meant[0], ""), f"write {meant['word']}")
    wrong, _, remedy = rest.rpartition(": ")
    if wrong and wrong.count("(") <= wrong.count(")"):  # what is in brackets is no remedy
        return Problem(key, wrong, remedy)
    for pattern, what in _REMEDIES:
        if found := pattern.search(rest):
            return Problem(key, rest, what.format(**found.groupdict()))
    return Problem(key, rest, otherwise)
