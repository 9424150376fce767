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
@click.option("--step", type=click.Choice(["add", "use", "drop"]), help="Change keys, in steps.")
def keygen(file: Path, step: str | None) -> None:
    """Write a new key for a pair into FILE, readable by its owner only.

    To change keys without a pause, take three steps, and after each copy FILE to the partner and
    reload both gateways: add (a new key is accepted), use (it signs, the old one is accepted),
    drop (the old one is gone).
    """
    if step is None and file.exists():
        raise HavpnError(f"{file}: is there already: use --step add, or another name")
    old = [key.hex() for key in read_keys(file)] if step else []
    if step in ("use", "drop") and len(old) < 2:
        raise HavpnError(f"{file}: holds one key only: take the step add first")
    new = secrets.token_hex(KEY_BYTES)
    keys = {None: [new], "add": [*old[:1], new], "use": old[::-1], "drop": old[:1]}[step]
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as written:
            written.write(HEAD + "".join(f"{key}\n" for key in keys))
        draft.replace(file)
    except OSError as problem:
        raise HavpnError(f"{file}: {problem}") from None
    click.echo(f"{file}: written; copy it to the partner, mode 600")
