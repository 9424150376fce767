"""Read a file of keys, of a pair or of a stream, and of other secrets."""

import errno
from pathlib import Path

from havpn_core.errors import HavpnError
from havpn_core.host.disk import files
from havpn_core.host.disk.rights import SERVICE, service_group
from havpn_core.host.disk.trouble import FileTrouble

KEY_BYTES = 32
KEY_FILE_BYTES = 65536


def read_keys(file: Path) -> tuple[bytes, ...]:
    """Read a key file: one key in hexadecimal a line, ``#`` begins a comment.

    The first key signs; a second one is accepted, too, while keys are being changed.

    :raises HavpnError: if it cannot be read, others may read it, or a key is bad.
    """
    text = _private_text(file)
    if text is None:
        raise HavpnError(f"{file}: there is no such file: make one with havpn keygen {file}")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    try:
        keys = tuple(bytes.fromhex(line) for line in lines if line)
    except ValueError:
        raise HavpnError(f"{file}: a key is no hexadecimal number: use havpn keygen") from None
    if not 1 <= len(keys) <= 2 or any(len(key) < KEY_BYTES for key in keys):
        raise HavpnError(
            f"{file}: one or two keys of {KEY_BYTES} bytes are needed: use havpn keygen"
        )
    return keys


def read_secret(file: Path) -> list[str]:
    """Read a file of secrets, such as a password: the lines but those empty or a ``#`` comment.

    :raises HavpnError: if it cannot be read, others may read it, or it holds nothing; the text
        never quotes the content.
    """
    text = _private_text(file)
    if text is None:
        raise HavpnError(f"{file}: there is no such file: make it, with mode 600")
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise HavpnError(f"{file}: it is empty: write the secret into it")
    return found


def _private_text(file: Path) -> str | None:
    """Read it, or say how the daemon may where this user may not."""
    try:
        return files.read_text(file, largest=KEY_FILE_BYTES, private=True)
    except FileTrouble as problem:
        if problem.number != errno.EACCES or service_group() is None:
            raise
        let = f"let the daemon's user read it (chown root:{SERVICE} and chmod 640 on it)"
        raise FileTrouble(f"{file}: not permitted: run as root, or {let}", errno.EACCES) from None
