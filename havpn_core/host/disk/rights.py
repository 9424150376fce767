"""Whether a file is what it should be and belongs to whom it should; judged on what was opened."""

import grp
import os
import pwd
import stat
from collections.abc import Collection
from pathlib import Path

from havpn_core.host.disk.trouble import FileTrouble

SERVICE = "havpn"
"""The user, and the group, as which the packaged unit runs the daemon."""


def check_kind(file: Path, facts: os.stat_result, largest: int) -> None:
    """Refuse what is no regular file, or too large.

    :raises FileTrouble: with the reason and the remedy.
    """
    if not stat.S_ISREG(facts.st_mode):
        kind = "a folder" if stat.S_ISDIR(facts.st_mode) else "something else"
        raise FileTrouble(f"{file}: {kind} is in its place: move it away")
    if facts.st_size > largest:
        raise FileTrouble(too_large(file, largest))


def check_rights(
    file: Path, facts: os.stat_result, owners: Collection[int], sealed: bool, private: bool
) -> None:
    """Refuse a file by who owns it and who else may write or read it.

    :raises FileTrouble: with the reason and the remedy.
    """
    if owners and facts.st_uid not in owners:
        raise FileTrouble(
            f"{file}: it belongs to user {facts.st_uid} and is not trusted: look into it, then "
            "remove it or run the command as that user"
        )
    if sealed and facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise FileTrouble(f"{file}: others may write it: look into it, then run chmod go-w {file}")
    if private and facts.st_mode & _too_open(facts):
        group = service_group()
        either = "" if group is None else f", or chown root:{SERVICE} and chmod 640 on it"
        raise FileTrouble(f"{file}: others may read it: run chmod 600 {file}{either}")


def service_group() -> int | None:
    """Give the number of the group :data:`SERVICE`; ``None`` where there is none."""
    try:
        return grp.getgrnam(SERVICE).gr_gid
    except KeyError:
        return None


def service_may_read(file: Path) -> bool:
    """Whether the user of the packaged unit may read a file, by the file's own mode.

    So does what is not there or cannot be looked at, and all where there is no such user.
    """
    group = service_group()
    try:
        user, facts = pwd.getpwnam(SERVICE).pw_uid, file.stat()
    except (KeyError, OSError, ValueError):
        return True
    if facts.st_uid == user:
        return bool(facts.st_mode & stat.S_IRUSR)
    return bool(facts.st_mode & (stat.S_IRGRP if facts.st_gid == group else stat.S_IROTH))


def _too_open(facts: os.stat_result) -> int:
    """Give the bits of the mode that let in others than those a secret is for.

    The group of the service may read what belongs to root: so the daemon has its key and cannot
    change it.
    """
    others = stat.S_IRWXG | stat.S_IRWXO
    # The group is looked up, which may take a while, only where something depends on it.
    if facts.st_mode & stat.S_IRGRP and facts.st_uid == 0 and facts.st_gid == service_group():
        return others & ~stat.S_IRGRP
    return others


def too_large(file: Path, largest: int) -> str:
    """Say that a file is too large."""
    return f"{file}: it has more than {largest} bytes and cannot be ours: remove it"
