"""Read the tables of a site file."""

from pathlib import Path
from typing import Any

from havpn_core.config import read
from havpn_core.errors import ConfigError


def tables_in(file: Path) -> dict[str, Any]:
    """Read a site file's tables.

    :raises ConfigError: if it cannot be read, may be written by others, or is no TOML.
    """
    if not file.exists():
        raise ConfigError(
            [
                f"{file}: there is no such file: write one with havpn site new -f {file}, or name "
                "it with -f"
            ]
        )
    return read.read(file)
