"""``havpn keygen``."""

import os
import secrets
from pathlib import Path

import click

from havpn_core.errors import HavpnError
from havpn_core.wire import KEY_BYTES, read_keys

HEAD = "# The key of an HA-VPN pair: copy this file to the partner, mode 600.\n"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rotate", is_flag=True, help="Put a new key first and keep the one before.")
def keygen(file: Path, rotate: bool) -> None:
    """Write a new key for a pair into FILE, readable by its owner only.

    To change keys without a pause: rotate on one gateway, copy the file to the other, reload
    both. Each signs with the first key and accepts the second one.
    """
    old = read_keys(file)[:1] if rotate else ()
    if not rotate and file.exists():
        raise HavpnError(f"{file}: is there already: use --rotate, or another name")
    keys = [secrets.token_hex(KEY_BYTES), *(key.hex() for key in old)]
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as written:
            written.write(HEAD + "".join(f"{key}\n" for key in keys))
        draft.replace(file)
    except OSError as problem:
        raise HavpnError(f"{file}: {problem}") from None
    click.echo(f"{file}: written; copy it to the partner, mode 600")
