"""Give damaged files another name, so that a start is not met by the same damage again."""

import contextlib
import os
import re
import time
from pathlib import Path

KEPT_ASIDE = 5
"""How many damaged files of one name are kept."""


def set_aside(file: Path, *, keep: bool = False) -> str:
    """Give a damaged file another name, and remove the oldest ones that have such a name.

    :param keep: leave it in its place, too, until it is replaced: what is good in it is still
        needed if this process ends before it has written that down.
    :returns: what happened to it, as the end of a sentence.
    """
    now, before = int(time.time()), _aside(file)
    number = max((n for at, n, _ in before if at == now), default=-1) + 1
    aside = file.with_name(f"{file.name}.corrupt-{now}" + (f"-{number}" if number else ""))
    try:
        if keep:
            with contextlib.suppress(OSError):
                os.link(file, aside, follow_symlinks=False)
        if not os.path.lexists(aside):
            file.rename(aside)
    except OSError:
        return "it could not be set aside"
    for *_, name in before[: -KEPT_ASIDE + 1]:
        with contextlib.suppress(OSError):
            file.with_name(name).unlink()
    return f"set aside as {aside.name}"


def _aside(file: Path) -> list[tuple[int, int, str]]:
    """Give the damaged files that were set aside: when, which of that second, and the name."""
    pattern = re.compile(rf"{re.escape(file.name)}\.corrupt-(\d+)(?:-(\d+))?")
    try:
        names = os.listdir(file.parent)  # noqa: PTH208
    except OSError:
        return []
    return sorted((int(m[1]), int(m[2] or 0), m[0]) for m in map(pattern.fullmatch, names) if m)
