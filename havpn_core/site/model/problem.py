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
