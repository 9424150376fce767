"""The folder that is rendered into: what is to change there, what is in the way, and the change."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from havpn_core.errors import ConfigError
from havpn_core.host.disk import files
from havpn_core.host.disk.trouble import FileTrouble, trouble_of
from havpn_core.site.rendering.digest import mark_of
from havpn_core.site.rendering.havpn import FILE

MARK_BYTES = 4096
"""Within which the mark stands."""


@dataclass(frozen=True)
class Entry:
    """A file of the folder.

    :param place: where, relative to the folder.
    :param text: its content, secrets included.
    """

    place: PurePosixPath
    text: str
    mode: int


@dataclass(frozen=True)
class Plan:
    """What is to change.

    :param write: files that are new or differ.
    :param same: how many are as they should be.
    :param remove: files of an earlier time that are not rendered any more.
    """

    folder: Path
    write: tuple[Entry, ...]
    same: int
    remove: tuple[Path, ...]


def planned(folder: Path, entries: Iterable[Entry]) -> Plan:
    """Say what is to change in a folder; nothing is touched.

    Only what bears our mark is ever replaced or removed. Files that are not rendered any more are
    looked for in the trees of gateways alone: in folders whose ``havpn.toml`` bears it.

    :raises ConfigError: with every file that is in the way.
    """
    wanted = list(entries)
    problems: list[str] = []
    write: list[Entry] = []
    for entry in wanted:
        try:
            if _differs(folder, entry):
                write.append(entry)
        except FileTrouble as problem:
            problems.append(str(problem))
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    keep = {folder / entry.place for entry in wanted}
    remove = tuple(file for file in _ours(folder) if file not in keep)
    return Plan(folder, tuple(write), len(wanted) - len(write), remove)


def carry_out(plan: Plan) -> None:
    """Change the folder as planned.

    :raises FileTrouble: naming the file that cannot be written.
    """
    for entry in plan.write:
        file = plan.folder / entry.place
        files.write(file, entry.text.encode(), durable=False, mode=entry.mode)
    for file in plan.remove:
        try:
            file.unlink(missing_ok=True)
            _without_empty(file.parent, plan.folder)
        except OSError as problem:
            raise trouble_of(file, problem) from None


def _differs(folder: Path, entry: Entry) -> bool:
    """Whether a file is to be written.

    :raises FileTrouble: if something that is not ours is in its place.
    """
    file = folder / entry.place
    for parent in entry.place.parents:
        above = folder / parent
        if above != folder and (above.is_symlink() or (above.exists() and not above.is_dir())):
            raise FileTrouble(f"{above}: is no folder of a rendered tree: move it away")
    if file.is_symlink():
        raise FileTrouble(f"{file}: a symbolic link is in its place: remove it")
    content = files.read(file)
    if content is None:
        return True
    if mark_of(content[:MARK_BYTES].decode(errors="replace")) is None:
        raise FileTrouble(
            f"{file}: bears no mark of HA-VPN, so somebody else wrote it: move it away, or render "
            "into another folder"
        )
    return content != entry.text.encode() or file.stat().st_mode & 0o7777 != entry.mode


def _ours(folder: Path) -> Iterator[Path]:
    """Give the files with our mark in the trees of gateways."""
    try:
        trees = sorted(each for each in folder.iterdir() if each.is_dir() and not each.is_symlink())
    except FileNotFoundError:
        return
    except OSError as problem:
        raise trouble_of(folder, problem) from None
    for tree in trees:
        if not _is_ours(tree / FILE.lstrip("/")):
            continue
        for top, folders, names in os.walk(tree):
            folders.sort()
            yield from (file for name in sorted(names) if _is_ours(file := Path(top) / name))


def _is_ours(file: Path) -> bool:
    if file.is_symlink():
        return False
    try:
        content = files.read(file)
    except FileTrouble:
        return False
    head = (content or b"")[:MARK_BYTES].decode(errors="replace")
    return mark_of(head) is not None


def _without_empty(folder: Path, top: Path) -> None:
    """Remove a folder that is empty, and those above it, up to the one that is rendered into."""
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
