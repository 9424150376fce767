"""Pure: what is wrong in a site file."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong.

    :param key: where it stands, as ``site.a.vips``.
    :param text: what is wrong, with the values.
    :param remedy: what to write instead, or to do.
    """

    key: str
    text: str
    remedy: str

    def __str__(self) -> str:
        """Give the line that people read."""
        return f"{self.key}: {self.text}: {self.remedy}"


def split(text: str, otherwise: str = "write what docs/site.md has for it") -> Problem:
    """Make a problem of a sentence that begins with its key and ends with the remedy.

    :param otherwise: the remedy, where the sentence has none.
    """
    key, _, rest = text.partition(": ")
    wrong, _, remedy = rest.rpartition(": ")
    if not wrong or wrong.count("(") > wrong.count(")"):  # what is in brackets is no remedy
        return Problem(key, rest, otherwise)
    return Problem(key, wrong, remedy)
