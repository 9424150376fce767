"""Pure: what processes need in memory together, from what Linux says of their mappings."""

import re
from collections.abc import Iterable

HEAD = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ (\S+) (\d+)")
FIELD = re.compile(r"^(Rss|Anonymous):\s+(\d+) kB$")


def together(processes: Iterable[str]) -> int:
    """Give the bytes that are resident: anonymous pages of each, and those of a file once.

    :param processes: of each process the text of ``/proc/PID/smaps``.
    """
    anonymous, files = 0, dict[tuple[str, str], int]()
    for text in processes:
        mine: dict[tuple[str, str], int] = {}
        file = ("", "0")
        for line in text.splitlines():
            if head := HEAD.match(line):
                file = (head[1], head[2])
            elif field := FIELD.match(line):
                size = int(field[2]) * 1024
                if field[1] == "Anonymous":
                    anonymous += size
                mine[file] = mine.get(file, 0) + (size if field[1] == "Rss" else -size)
        for key, size in mine.items():
            files[key] = max(files.get(key, 0), size)
    return anonymous + sum(files.values())


def config_lines(text: str) -> int:
    """Count the lines that say something: neither empty nor a comment."""
    return sum(bool(line.strip()) and line.strip()[0] not in "#!" for line in text.splitlines())
