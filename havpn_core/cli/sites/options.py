"""Options that several commands of ``havpn site`` take."""

from pathlib import Path

import click

DEFAULT_FILE = Path("site.toml")
SECRETS = "secrets"

file_option = click.option(
    "-f",
    "--file",
    "file",
    type=click.Path(path_type=Path),
    default=DEFAULT_FILE,
    show_default=True,
    help="The site file.",
)
secrets_option = click.option(
    "--secrets",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of the secrets.  [default: secrets, beside the site file]",
)
templates_option = click.option(
    "--templates",
    type=click.Path(path_type=Path),
    help="Folder with templates in place of those of HA-VPN of the same name.",
)


def secrets_of(file: Path, folder: Path | None) -> Path:
    """Give the folder of the secrets."""
    return folder or file.parent / SECRETS
