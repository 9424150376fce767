"""Single-file plugins: ``NAME.py`` in a folder, trusted by who owns it and who may write it.

What is loaded runs with all rights of the daemon. So a file is judged on what was opened, a link by
its target, and the content that was judged is the one that is compiled: nobody can exchange it in
between. A module that is loaded stays as it is until the process ends, as with any import; a later
look says whether the file has changed since.
"""

import hashlib
import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

FOLDER = Path("/etc/havpn/plugins.d")
"""Where single-file plugins are looked for, unless ``[plugins] folder`` names another place."""
LARGEST = 1_000_000
"""Bytes that a single-file plugin may have."""
SHOWN = 12
"""Digits of a file's digest that stand for its version."""

_NAME = re.compile(r"[a-z][a-z0-9-]*\Z")
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_loaded: dict[Path, tuple[str, ModuleType]] = {}


@dataclass(frozen=True, slots=True)
class PluginFile:
    """One file of the folder.

    :param name: that of the plugin.
    :param content: what was judged; empty if it was not read.
    :param refused: why it is not loaded, with the remedy; ``None`` if it may be.
    """

    name: str
    file: Path
    content: bytes = b""
    refused: str | None = None

    @property
    def digest(self) -> str:
        """The SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def version(self) -> str:
        """What tells two contents apart, for people: the same on gateways with the same file."""
        return self.digest[:SHOWN] if self.refused is None else "unknown"

    @property
    def changed(self) -> bool:
        """Whether this process has loaded it with another content."""
        known = _loaded.get(self.file)
        return known is not None and self.refused is None and known[0] != self.digest


def files_in(folder: Path) -> list[PluginFile]:
    """List the plugins of a folder by name; none where there is no folder. Imports nothing."""
    try:
        names = sorted(each.name for each in folder.iterdir() if _counts(each.name))
        of_folder = _distrust(folder, folder.stat())
    except FileNotFoundError:
        return []
    except OSError as problem:
        remedy = "name a folder that the daemon's user may read in [plugins] folder"
        return [PluginFile(folder.name, folder, refused=f"{_trouble(folder, problem)}: {remedy}")]
    return [_judged(folder / name, of_folder) for name in names]


def shown(place: Path | str) -> str:
    """Give a path as one printable line, whatever its name is made of."""
    return "".join(each if each.isprintable() else "\ufffd" for each in str(place))


def load(plugin: PluginFile) -> ModuleType:
    """Give the module of a file that is not refused, loaded once in the life of a process.

    :raises BaseException: whatever its code raises; it is not loaded then.
    """
    if known := _loaded.get(plugin.file):
        return known[1]
    module = ModuleType(f"havpn_file_{plugin.name.replace('-', '_')}_{plugin.version}")
    module.__file__ = str(plugin.file)
    # Annotations are looked up in the module of their class, so it must be known by its name.
    sys.modules[module.__name__] = module
    try:
        code = compile(plugin.content, str(plugin.file), "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except BaseException:
        sys.modules.pop(module.__name__, None)
        raise
    _loaded[plugin.file] = (plugin.digest, module)
    return module


def _counts(name: str) -> bool:
    """Whether a name in the folder stands for a plugin; an editor's leftovers and tests do not."""
    return name.endswith(".py") and not name.startswith((".", "_", "test_"))


def _judged(file: Path, of_folder: str | None) -> PluginFile:
    name = shown(file.stem)
    if of_folder:
        return PluginFile(name, file, refused=of_folder)
    if not _NAME.match(name):
        return PluginFile(
            name, file,
            refused=f"{shown(file)}: {name!r} is no name for a plugin: rename the file, to "
            "small letters, digits and hyphens, a letter first",
        )  # fmt: skip
    try:
        content, refused = _read(file)
    except OSError as problem:
        return PluginFile(name, file, refused=f"{_trouble(file, problem)}: {_remedy(problem)}")
    return PluginFile(name, file, content, refused)


def _read(file: Path) -> tuple[bytes, str | None]:
    """Give the content of a file that may be loaded, or why it may not.

    :raises OSError: if it cannot be read.
    """
    # Neither a FIFO nor a terminal in its place may make the reader wait or become its own.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    with os.fdopen(os.open(file, flags), "rb") as opened:
        facts = os.fstat(opened.fileno())
        if not stat.S_ISREG(facts.st_mode):
            return b"", f"{file}: it is no regular file: put the plugin's file there"
        if facts.st_size > LARGEST:
            return b"", f"{file}: it has more than {LARGEST} bytes: make a package of it"
        refused = _distrust(file, facts)
        return (b"", refused) if refused else (opened.read(LARGEST), None)


def _distrust(place: Path, facts: os.stat_result) -> str | None:
    """Say why what is there is not trusted to run with the rights of this process."""
    user = os.geteuid()
    if facts.st_uid not in (0, user):
        owner = "root" if user == 0 else f"root or user {user}"
        return (
            f"{place}: it belongs to user {facts.st_uid}, not to {owner}, and is not loaded: look "
            f"into it, then run chown {'root' if user == 0 else user} {place}"
        )
    if facts.st_mode & _OTHERS:
        return (
            f"{place}: others than its owner may write it, so it is not loaded: look into it, then "
            f"run chmod go-w {place}"
        )
    return None


def _remedy(problem: OSError) -> str:
    if isinstance(problem, PermissionError):
        return "have the daemon's user read it, such as by chmod a+r on a file without secrets"
    return "put a file there"


def _trouble(place: Path, problem: OSError) -> str:
    return f"{shown(place)}: {problem.strerror or problem}"
