"""``havpn plugin new``: a whole package with one plugin, which passes its own tests at once.

Its files are the templates in ``templates/``, with ``$name`` and the like where the names stand.
"""

import shutil
from importlib import resources
from pathlib import Path
from string import Template

from havpn_core.errors import HavpnError
from havpn_core.plugging.descriptors import NAME
from havpn_core.plugging.registry import KINDS, Registry
from havpn_core.version import __version__

TEMPLATES = {
    "pyproject.toml": "pyproject.toml.in",
    "README.md": "README.md.in",
    "LICENSE": "LICENSE.in",
    "$module.py": "$kind.py.in",
    "tests/test_$module.py": "test_$kind.py.in",
    ".github/workflows/test.yml": "test.yml.in",
    ".github/workflows/release.yml": "release.yml.in",
}
"""Each file of a package and the template of its text."""
GATEWAY = {
    "file": "/etc/havpn/havpn.toml",
    "enable": '[plugins]\nenable = ["$name"]',
    "check": "havpn check",
}
SITE = {
    "file": "site.toml",
    "enable": '[render]\nplugins = ["$name"]',
    "check": "havpn site render",
}
"""Where a plugin is used, by what it is of: a gateway, or the making of gateways' files."""
LONGEST_NAME = 40
OWN_MODULES = frozenset({"havpn_core", "havpn_plugins", "havpn_ocf"})
"""What a package's module must not be called: it would take the place of havpn itself."""


def write_package(name: str, kind: str, folder: Path) -> Path:
    """Write the package ``havpn-NAME`` into a folder.

    :param kind: ``probe``, ``action``, ``notifier``, ``link`` or ``renderer``.
    :returns: the package's own folder.
    :raises HavpnError: if the name is none for a plugin, or something is there already.
    :raises OSError: if the folder cannot be written; nothing of the package is left then.
    """
    if not NAME.match(name) or len(name) > LONGEST_NAME or name.endswith("-"):
        raise HavpnError(
            f"{name!r} is no name for a plugin: small letters, digits and hyphens, a letter first"
        )
    if name.startswith("havpn-"):
        raise HavpnError(f"{name!r}: leave havpn- out, the package gets it by itself")
    if module_of(name) in OWN_MODULES:
        raise HavpnError(f"{name!r}: {module_of(name)} is havpn's own module: choose another name")
    if name in built_in():
        raise HavpnError(f"{name!r} is a type that havpn has itself: choose another name")
    texts, made = files(name, kind), folder / f"havpn-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        made.mkdir()
    except FileExistsError:
        raise HavpnError(f"{made} is there already: nothing was changed") from None
    try:
        for place, text in texts.items():
            file = made / place
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return made


def module_of(name: str) -> str:
    """Give the module of a plugin's package."""
    return f"havpn_{name.replace('-', '_')}"


def built_in() -> frozenset[str]:
    """Give the names of the types that come with havpn, of all kinds."""
    registry = Registry.load()
    return frozenset(each.name for kind in KINDS for each, _ in registry.types(kind))


def files(name: str, kind: str) -> dict[str, str]:
    """Give the package's files and their texts."""
    major, minor, *_ = __version__.split(".")
    words = {
        "name": name,
        "kind": kind,
        "module": module_of(name),
        # With the kind it is neither a word of Python nor one of what the module imports.
        "cls": "".join(part.capitalize() for part in (*name.split("-"), kind)),
        "title": f"A {kind} type" if kind != "action" else "An action type",
        "version": f"{major}.{minor}",
        "next": str(int(major) + 1),
    }
    words |= SITE if kind == "renderer" else GATEWAY
    words["enable"] = Template(words["enable"]).substitute(words)
    words["example"] = _filled("$kind.toml.in", words).rstrip("\n")
    return {
        Template(place).substitute(words): _filled(template, words)
        for place, template in TEMPLATES.items()
    }


def _filled(template: str, words: dict[str, str]) -> str:
    file = resources.files(__package__) / "templates" / Template(template).substitute(words)
    return Template(file.read_text(encoding="utf-8")).substitute(words)
