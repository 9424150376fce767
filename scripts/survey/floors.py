"""Floors and rooms: read from the table in docs/architecture.md, the only place that lists them."""

import re
from dataclasses import dataclass
from pathlib import Path

from .tree import Module

PLACE = Path(__file__).parents[2] / "docs" / "architecture.md"
ROW = re.compile(r"\| *(\d+) *\| *`([^`]+)` *\| *(.+?) *\|$")


@dataclass(frozen=True)
class Room:
    """A folder, or files of one; a room on floor 3 imports rooms of the floors 0 to 2 only."""

    name: str
    floor: int
    purpose: str
    files: tuple[str, ...]

    def has(self, module: Module) -> bool:
        """Say whether the module is in this room: by file name, or else by folder."""
        if self.files:
            return module.file in self.files
        return module.folder == self.name


def read_rooms(place: Path = PLACE) -> list[Room]:
    """Read the rows ``| floor | `folder/` | purpose |``; files are named with their folder.

    :raises SystemExit: if the table is not there, or names a room twice.
    """
    rooms = []
    for line in place.read_text().splitlines():
        row = ROW.match(line)
        if row:
            floor, name, purpose = row.groups()
            folder, _, files = name.rpartition("/")
            named = tuple(f"{folder}/{one}" for one in files.split()) if files else ()
            rooms.append(Room(name.rstrip("/"), int(floor), purpose, named))
    if not rooms or len({room.name for room in rooms}) < len(rooms):
        raise SystemExit(f"{place}: the table of floors is not there, or names a room twice.")
    return rooms


def room_of(module: Module, rooms: list[Room]) -> Room | None:
    """Find the module's room; a room that names files goes before the folder that has them."""
    for room in sorted(rooms, key=lambda one: not one.files):
        if room.has(module):
            return room
    return None


def sort_into(tree: dict[str, Module], rooms: list[Room]) -> dict[str, Room]:
    """Give each module's room; one that no row names gets a room above all, named by folder."""
    above = max(room.floor for room in rooms) + 1
    return {
        name: room_of(module, rooms) or Room(module.folder, above, "", ())
        for name, module in tree.items()
    }
