"""What a pair has on disk: the keys, and the number of this gateway's start."""

import secrets
from pathlib import Path
from typing import Annotated

import msgspec

from havpn_core.errors import ConfigError, HavpnError
from havpn_core.host.disk import files
from havpn_core.host.disk.aside import set_aside
from havpn_core.host.disk.keys import read_keys
from havpn_core.host.disk.trouble import FileTrouble
from havpn_core.pair.frames import NONCE_BYTES, Authenticator

INCARNATION_FILE = "pair.json"


def configured_keys(key_file: str) -> tuple[bytes, ...]:
    """Read the keys that ``[pair] key_file`` names.

    :raises ConfigError: naming the configuration's key, if they are not to be had.
    """
    try:
        return read_keys(Path(key_file))
    except HavpnError as problem:
        raise ConfigError([f"pair.key_file: {problem}"]) from None


def authenticator(keys: tuple[bytes, ...], incarnation: int, name: str = "") -> Authenticator:
    """Make what signs and judges the frames of one run, with a nonce of its own.

    :param name: of this gateway, for people.
    """
    return Authenticator(keys, incarnation, secrets.token_bytes(NONCE_BYTES), name)


class _Count(msgspec.Struct):
    incarnation: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


def last_incarnation(state_dir: Path) -> tuple[int, str | None]:
    """Give the number of the start before this one, 0 if it is not known.

    :returns: the number, and a warning where something was wrong.
    """
    file = state_dir / INCARNATION_FILE
    try:
        content = files.read(file)
        last = 0 if content is None else msgspec.json.decode(content, type=_Count).incarnation
    except (FileTrouble, ValueError, RecursionError) as problem:
        text = str(problem) if isinstance(problem, FileTrouble) else f"{file}: {problem}"
        return 0, f"{text}; {set_aside(file)}; this start counts by the wall clock"
    return last, None


def next_incarnation(last: int, wall_s: float) -> tuple[int, bytes]:
    """Number this start: the partner believes nothing from before it.

    Where the number before is not known, the wall clock in microseconds is past any that was.

    :param last: the number before, 0 if it is not known.
    :param wall_s: seconds of the wall clock since 1970.
    :returns: the number, and what is to be written down before it is used.
    """
    number = max(last + 1, int(wall_s * 1_000_000))
    return number, msgspec.json.encode(_Count(number))
