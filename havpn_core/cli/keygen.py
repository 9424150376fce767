"""``havpn keygen``."""

import os
import secrets
from pathlib import Path

import click

from havpn_core.errors import HavpnError
from havpn_core.host.disk import files
from havpn_core.host.disk.keys import KEY_BYTES, read_keys
from havpn_core.host.disk.rights import SERVICE, service_group

HEAD = "# A key of HA-VPN: copy this file to the other gateway, with its owner and mode.\n"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--step", type=click.Choice(["add", "use", "drop"]), help="Change keys, in steps.")
def keygen(file: Path, step: str | None) -> None:
    """Write a new key for a pair or a stream into FILE, readable by its owner only.

    Where the group havpn is there, which the packaged unit runs in, and root writes the file, that
    group may read it, too.

    To change keys without a pause, take three steps, and after each copy FILE to the other and
    reload both gateways: add (a new key is accepted), use (it signs, the old one is accepted),
    drop (the old one is gone).
    """
    if step is None and os.path.lexists(file):
        raise HavpnError(f"{file}: is there already: use --step add, or another name")
    old = [key.hex() for key in read_keys(file)] if step else []
    if step in ("use", "drop") and len(old) < 2:
        raise HavpnError(f"{file}: holds one key only: take the step add first")
    new = secrets.token_hex(KEY_BYTES)
    keys = {None: [new], "add": [*old[:1], new], "use": old[::-1], "drop": old[:1]}[step]
    content = HEAD + "".join(f"{key}\n" for key in keys)
    with files.replacing(file, content.encode(), durable=True, mode=0o600) as draft:
        rights = _share(draft)
    click.echo(f"{file}: written; copy it to the other gateway, {rights}")


def _share(draft: Path) -> str:
    """Let the service read a key that root makes; gives its rights, in words."""
    group = service_group() if os.geteuid() == 0 else None
    if group is None:
        return "mode 600"
    os.chown(draft, 0, group)
    draft.chmod(0o640)
    return f"root:{SERVICE}, mode 640"
