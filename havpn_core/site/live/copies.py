"""Find gateways in folders: the tree that was rendered, or one that was copied from each."""

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from havpn_core.config.options import NodeOptions
from havpn_core.daemon.state.status import STATUS_FILE
from havpn_core.errors import ConfigError
from havpn_core.host.disk import files
from havpn_core.host.disk.trouble import FileTrouble, trouble_of
from havpn_core.plugging.rendering import RenderedFile
from havpn_core.site.drift.difference import GATEWAY, Difference, Found, FoundFile, Trouble, Wanted
from havpn_core.site.drift.files import differing_file
from havpn_core.site.drift.running import run_dir_of
from havpn_core.site.drift.whole import HAVPN, SWANCTL, Rendered
from havpn_core.site.rendering.digest import mark_of
from havpn_core.site.tree import Entry

LARGEST = 1024 * 1024
"""Bytes of a file that is compared."""
LINKS = 40
"""Symbolic links that are followed on the way to one file."""
CONNECTIONS = "list-conns"
"""What charon has loaded, beside the status."""
FOLDERS = (
    "/etc/havpn", "/etc/swanctl/conf.d", "/etc/nftables.d", "/etc/sysctl.d", "/etc/ha.d",
    "/etc/conntrackd", "/etc/systemd/system/havpn.service.d",
)  # fmt: skip
"""Where files of other modes and options may be left."""


def folders_of(rendered: Rendered) -> list[str]:
    """Give the folders where files with the mark of HA-VPN may be that nothing renders any more."""
    found = {str(PurePosixPath(f.path).parent) for each in rendered.values() for f in each}
    return sorted(found | {*FOLDERS})


def in_tree(tree: Path, rendered: Rendered) -> dict[str, Found]:
    """Find each gateway in the tree that ``havpn site render`` wrote.

    :raises ConfigError: if there is no such folder.
    """
    found = {}
    for gateway in _gateways(tree, rendered):
        root = tree / gateway
        if root.is_dir():
            found[gateway] = Found(_files(root, _every(root)))
        else:
            text, remedy = f"{root} is not there", "run havpn site render"
            found[gateway] = Found(troubles=(Trouble(GATEWAY, text, remedy),))
    return found


def beside_trees(tree: Path, entries: Iterable[Entry], remedy: str) -> Iterator[Difference]:
    """Compare what is rendered beside the trees of the gateways, to carry them over.

    :param remedy: what makes it again.
    """
    for entry in entries:
        file = RenderedFile(f"/{entry.place}", entry.text, entry.mode)
        differences, _ = differing_file("all gateways", file, _read(tree, file.path), remedy)
        yield from (replace(each, place=str(entry.place)) for each in differences)


def in_copies(folder: Path, rendered: Rendered) -> dict[str, Found]:
    """Find each gateway in a folder that was copied from it.

    :raises ConfigError: if there is no such folder.
    """
    folders = folders_of(rendered)
    return {
        gateway: _copy(folder / gateway, rendered.get(gateway, ()), folders)
        for gateway in _gateways(folder, rendered)
    }


def inside(root: Path, path: str) -> Path | None:
    """Give a file of a tree, with the links in it followed as on the host that it was copied from.

    :param path: absolute, as on that host.
    :returns: ``None`` if there is none.
    :raises FileTrouble: if it cannot be looked at.
    """
    waiting, found = list(reversed(PurePosixPath(path).parts[1:])), root
    links = 0
    try:
        while waiting:
            part = waiting.pop()
            if part == "..":
                found = found.parent if found != root else root
                continue
            step = found / part
            if not stat.S_ISLNK(step.lstat().st_mode):
                found = step
                continue
            links += 1
            if links > LINKS:
                return None
            target = PurePosixPath(step.readlink())
            if target.is_absolute():
                found = root
            waiting += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as problem:
        raise trouble_of(found, problem) from None
    return found


def _gateways(folder: Path, rendered: Rendered) -> Iterator[str]:
    """Name those of the site file, and others of which there is a rendered file."""
    if not folder.is_dir():
        raise ConfigError([f"{folder}: there is no such folder: name the one with the gateways"])
    yield from rendered
    for each in sorted(folder.iterdir()):
        if each.name not in rendered and _marked(_read(each, HAVPN)):
            yield each.name


def _copy(root: Path, wanted: Sequence[Wanted], folders: Iterable[str]) -> Found:
    if not root.is_dir():
        text, remedy = f"{root} is not there", "copy its /etc to there, or leave --live out"
        return Found(troubles=(Trouble(GATEWAY, text, remedy),))
    found = _files(root, [*(file.path for file in wanted), *_marked_in(root, folders)])
    texts = {file.path: file.text for file in wanted}
    unseen: list[str] = []
    status = _status(root, texts.get(HAVPN, ""), unseen)
    connections = None
    if any(path.startswith(SWANCTL) for path in texts):
        place = f"{run_dir_of(texts.get(HAVPN, ''), NodeOptions().run_dir)}/{CONNECTIONS}"
        file = _read(root, place)
        if file is None or file.content is None:
            unseen.append(
                f"loaded tunnels: {place}: is not there; write there what swanctl --list-conns "
                "--raw prints"
            )
        else:
            connections = file.content.decode(errors="replace")
    return Found(found, status, connections, unseen=tuple(unseen))


def _status(root: Path, rendered: str, unseen: list[str]) -> Mapping[str, Any] | None:
    place = f"{run_dir_of(rendered, NodeOptions().run_dir)}/{STATUS_FILE}"
    file = _read(root, place)
    if file is None or file.content is None:
        trouble = file.trouble if file else "is not there"
        unseen.append(f"status: {place}: {trouble}; copy it, too, where the daemon runs")
        return None
    try:
        found = json.loads(file.content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        unseen.append(f"status: {place}: is damaged; the running daemon writes it again")
        return None
    return found


def _files(root: Path, paths: Iterable[str]) -> dict[str, FoundFile]:
    found = {path: _read(root, path) for path in dict.fromkeys(paths)}
    return {path: file for path, file in found.items() if file is not None}


def _read(root: Path, path: str) -> FoundFile | None:
    try:
        file = inside(root, path)
        content = files.read(file, largest=LARGEST) if file is not None else None
        if file is None or content is None:
            return None
        return FoundFile(content, stat.S_IMODE(file.stat().st_mode))
    except FileTrouble as problem:
        return FoundFile(None, trouble=str(problem))
    except OSError as problem:
        return FoundFile(None, trouble=str(trouble_of(root, problem)))


def _every(root: Path) -> Iterator[str]:
    """Give each file of a tree, as on the gateway."""
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            yield f"/{(Path(folder) / name).relative_to(root)}"


def _marked_in(root: Path, folders: Iterable[str]) -> Iterator[str]:
    """Give the files of these folders that have the mark of HA-VPN."""
    for folder in folders:
        try:
            place = inside(root, folder)
            there = place is not None and place.is_dir()
            names = sorted(each.name for each in place.iterdir()) if place and there else []
        except (FileTrouble, OSError):
            continue
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            if _marked(_read(root, path)):
                yield path


def _marked(file: FoundFile | None) -> bool:
    if file is None or file.content is None:
        return False
    return mark_of(file.content.decode(errors="replace")) is not None
