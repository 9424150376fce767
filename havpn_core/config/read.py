"""Read ``havpn.toml``: first its tables, then, with the plugins that it enables, all of it."""

import os
import stat
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from havpn_core.config.digest import digest_of
from havpn_core.errors import ConfigError
from havpn_core.host.disk import files
from havpn_core.host.disk.trouble import FileTrouble, trouble_of
from havpn_core.plugging.registry import Registry
from havpn_core.plugging.sources.files import FOLDER

if TYPE_CHECKING:
    from havpn_core.config.convert import Table
    from havpn_core.config.instances import Config

DEFAULT_FILE = Path("/etc/havpn/havpn.toml")


def load(file: Path) -> "tuple[Config, Registry]":
    """Read and check a configuration, loading the plugins that it enables.

    :raises ConfigError: with every problem found.
    """
    # Commands that only want the names of plugins need none of the rules.
    from havpn_core.config.check import build

    raw = read(file)
    registry = Registry.load(enabled_plugins(raw), plugin_folder(raw))
    return build(raw, registry, file), registry


def read(file: Path) -> dict[str, Any]:
    """Read the file's tables.

    :raises ConfigError: if it cannot be read, may be written by others, or is no TOML.
    """
    try:
        content, writable = _content(file)
        raw = tomllib.loads(content.decode())
    except FileTrouble as problem:
        raise ConfigError([str(problem)]) from None
    except UnicodeDecodeError as problem:
        raise ConfigError(
            [f"{file}: byte {problem.start} is no UTF-8: write the file as text in UTF-8"]
        ) from None
    except RecursionError:
        raise ConfigError([f"{file}: is nested too deeply: remove brackets"]) from None
    except ValueError as problem:  # what tomllib says, or int() of a number that is too long
        raise ConfigError([f"{file}: is no valid TOML: {problem}"]) from None
    if os.geteuid() == 0 and writable:
        raise ConfigError(
            [f"{file}: others than root may write it: run chown root and chmod go-w on it"]
        )
    return raw


def differs(file: Path, digest: str) -> bool | None:
    """Whether a file says something else now than what has a digest.

    :returns: ``None`` if that is not to be seen, as for who may not read it. A file that is gone
        or that cannot be used says something else.
    """
    if str(file).startswith(("/dev/", "/proc/")):
        return None  # what a shell handed over once
    try:
        file.stat()
        return digest_of(read(file)) != digest if os.access(file, os.R_OK) else None
    except (FileNotFoundError, ConfigError):
        return True
    except (OSError, ValueError):
        return None


def _content(file: Path) -> tuple[bytes, bool]:
    """Give the content, and whether others than root may write it.

    :raises FileTrouble: if it cannot be read.
    """
    content = files.read_given(file)
    if content is None:
        raise FileTrouble(f"{file}: there is no such file: write one or name it with -c")
    try:
        facts = file.stat()
    except OSError as problem:
        raise trouble_of(file, problem) from None
    return content, bool(facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or facts.st_uid != 0)


def enabled_plugins(raw: "Table") -> tuple[str, ...]:
    """Give ``[plugins] enable`` as far as it makes sense; :func:`build` reports the rest."""
    plugins = raw.get("plugins")
    names = plugins.get("enable", []) if isinstance(plugins, dict) else []
    return tuple(n for n in names if isinstance(n, str)) if isinstance(names, list) else ()


def plugin_folder(raw: "Table") -> Path:
    """Give ``[plugins] folder`` as far as it makes sense, or its default."""
    plugins = raw.get("plugins")
    folder = plugins.get("folder") if isinstance(plugins, dict) else None
    return Path(folder) if isinstance(folder, str) and folder.startswith("/") else FOLDER
