"""The secrets of a site: made once, kept in a folder of their own, and never shown."""

import re
import secrets
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from havpn_core.errors import ConfigError, HavpnError
from havpn_core.host.disk import files
from havpn_core.host.disk.keys import KEY_BYTES, read_secret
from havpn_core.host.disk.trouble import trouble_of

FOLDER_MODE, FILE_MODE = 0o700, 0o600
SUFFIX = ".key"
HEAD = "# A secret of HA-VPN, {name}: whoever has it can pass for a gateway.\n"
_PLACE = re.compile(r"\{\{secret:([A-Za-z0-9][A-Za-z0-9._-]*)\}\}")
_ALONE = re.compile(r"^[ \t]*\{\{secret:([A-Za-z0-9][A-Za-z0-9._-]*)\}\}[ \t]*$", re.MULTILINE)
# What no quoting of the files that it is put into makes anything else of.
_PLAIN = re.compile(r"[A-Za-z0-9!$%&()*+,./:;<=>?@\[\]^_{|}~-]+")


def names_in(texts: Iterable[str]) -> list[str]:
    """Give the names of the secrets that texts have places for, each once."""
    found = (name for text in texts for name in _PLACE.findall(text))
    return list(dict.fromkeys(found))


def filled(text: str, known: Mapping[str, str]) -> str:
    """Put secrets into their places.

    :param known: each by its name; one of several lines, as a key file has while keys are being
        changed, fits only where its place is a line of its own.
    :raises HavpnError: naming the secret that is of several lines, or not known.
    """
    alone = set(_ALONE.findall(text))
    for name in names_in([text]):
        if name not in known:
            raise HavpnError(f"secret {name}: it is not known")
        if "\n" in known[name] and name not in alone:
            raise HavpnError(
                f"secret {name}: it has several lines, and its place takes one: keep one"
            )
    return _PLACE.sub(lambda place: known[place[1]], text)


def secrets_of(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Read the secrets of these names, after making those that are missing.

    A file may hold a secret of somebody's own choice, in place of the one that is made.

    :raises ConfigError: with every file that cannot be used; its text quotes no secret. None is
        made then.
    :raises HavpnError: if others may look into the folder, or it cannot be made.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return {}
    _check(folder)
    found: dict[str, str] = {}
    problems: list[str] = []
    for name in wanted:
        file = folder / f"{name}{SUFFIX}"
        if not file.is_symlink() and not file.exists():
            continue
        try:
            found[name] = _read(file)
        except HavpnError as problem:
            problems.append(str(problem))
    if problems:
        raise ConfigError(problems)
    for name in wanted:
        if name not in found:
            found[name] = _make(folder, name)
    return found


def _check(folder: Path) -> None:
    """Refuse a folder that others than its owner may look into."""
    try:
        facts = folder.stat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as problem:
        raise trouble_of(folder, problem) from None
    if not stat.S_ISDIR(facts.st_mode):
        raise HavpnError(f"{folder}: is no folder: name one for the secrets")
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise HavpnError(f"{folder}: others may look into it: run chmod 700 {folder}")


def _read(file: Path) -> str:
    lines = read_secret(file)
    for line in lines:
        if not _PLAIN.fullmatch(line):
            raise HavpnError(
                f"{file}: holds a character that some file would take for another: use letters, "
                "digits and signs, but neither blanks, quotes, backslashes nor #"
            )
    return "\n".join(lines)


def _make(folder: Path, name: str) -> str:
    files.make_folder(folder.parent)
    files.make_folder(folder, FOLDER_MODE)
    value = secrets.token_hex(KEY_BYTES)
    content = f"{HEAD.format(name=name)}{value}\n"
    file = folder / f"{name}{SUFFIX}"
    files.write(file, content.encode(), durable=True, mode=FILE_MODE)
    return value
