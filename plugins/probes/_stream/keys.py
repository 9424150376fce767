"""The keys of a stream, as its option names them."""

import hashlib
from pathlib import Path

from havpn_core import ConfigError, HavpnError, read_keys


def keys_of(key_file: str) -> tuple[bytes, ...]:
    """Read the keys.

    :raises ConfigError: naming the option, if they are not to be had.
    """
    try:
        return read_keys(Path(key_file))
    except HavpnError as problem:
        raise ConfigError([f"key_file: {problem}"]) from None


def mark_of(key_file: str) -> bytes:
    """Give a digest of the keys; empty if they are not to be had."""
    try:
        return hashlib.sha256(b"havpn stream" + b"\0".join(keys_of(key_file))).digest()
    except ConfigError:
        return b""


def keys_missing(key_file: str) -> list[str]:
    """Say what a stream would miss of its keys on this host."""
    try:
        keys_of(key_file)
    except ConfigError as problem:
        return [str(problem)]
    return []
