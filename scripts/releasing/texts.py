"""Pure: what the texts of a release must say. Each check gives what is wrong, with the remedy."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

VERSION_FILE = "havpn_core/version.py"
_ASSIGNED = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)
_NUMBERS = re.compile(r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\Z")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_DATED = re.compile(r"(\S+) \((\S+)\)\Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_ENTRY = re.compile(r"^[*-] +\S", re.MULTILINE)
PAGES = ("packaging/man/havpn.8", "packaging/man/havpn.toml.5")
"""The manual pages that a release has."""
_PAGE = re.compile(r'^\.TH \S+ \d "[^"]*" "havpn ([^"]+)"', re.MULTILINE)


def version_of(text: str) -> str | None:
    """Give the version that ``version.py`` assigns; ``None`` if it does so not once."""
    found = _ASSIGNED.findall(text)
    return found[0] if len(found) == 1 else None


def version_problems(
    version: str | None, project: Mapping[str, Any], tags: Collection[str]
) -> list[str]:
    """Look whether the version stands in one place, and is a new one.

    :param project: pyproject.toml.
    :param tags: those of the repository.
    """
    if version is None:
        return [f'{VERSION_FILE}: write one line __version__ = "X.Y.Z"']
    problems = []
    if not _NUMBERS.match(version):
        problems.append(f"{VERSION_FILE}: {version!r} is no version: write as 1.2.3")
    if "version" in project.get("project", {}):
        problems.append(
            f"pyproject.toml: project.version is a second place for the version: remove it, "
            f"{VERSION_FILE} has it"
        )
    attribute = project.get("tool", {}).get("setuptools", {}).get("dynamic", {}).get("version", {})
    if attribute.get("attr") != "havpn_core.version.__version__":
        problems.append(
            "pyproject.toml: the version does not come from the program: write in "
            '[tool.setuptools.dynamic] version = { attr = "havpn_core.version.__version__" }'
        )
    if f"v{version}" in tags:
        problems.append(f"v{version} was released already: raise the version in {VERSION_FILE}")
    elif later := _later(version, tags):
        problems.append(f"{later} is a later release: raise the version in {VERSION_FILE}")
    return problems


def _later(version: str, tags: Collection[str]) -> str | None:
    """Give the newest release of the same minor version that is later than this one."""
    if not _NUMBERS.match(version):
        return None
    major, minor, patch = map(int, version.split("."))
    released = [
        tuple(map(int, tag[1:].split("."))) for tag in tags if _NUMBERS.match(tag.removeprefix("v"))
    ]
    later = [each for each in released if each[:2] == (major, minor) and each[2] > patch]
    return f"v{'.'.join(map(str, max(later)))}" if later else None


def changelog_problems(text: str, version: str, today: date) -> list[str]:
    """Look whether the newest heading is this version with a date, and has entries below."""
    found = _HEADING.search(text)
    wanted = f"## {version} ({today.isoformat()})"
    if found is None:
        return [f"CHANGELOG.md: there is no heading: write {wanted}"]
    dated = _DATED.match(found[1])
    if dated is None or dated[1] != version:
        return [f"CHANGELOG.md: the newest heading is {found[1]!r}: write {wanted}"]
    problems = []
    try:
        written = date.fromisoformat(dated[2] if _DATE.match(dated[2]) else "")
    except ValueError:
        problems.append(f"CHANGELOG.md: {dated[2]!r} is no date: write {wanted}")
    else:
        if written > today:
            problems.append(f"CHANGELOG.md: {dated[2]} is in the future: write {wanted}")
    if not _ENTRY.search(_entries(text[found.end() :])):
        problems.append(
            f"CHANGELOG.md: nothing stands below {found[0]}: say what has changed, in a list"
        )
    heads = [each.partition(" ")[0] for each in _HEADING.findall(text)]
    if heads.count(version) > 1:
        problems.append(f"CHANGELOG.md: {version} has {heads.count(version)} headings: join them")
    return problems


def _entries(text: str) -> str:
    """Give what stands before the next heading."""
    return text.partition("\n## ")[0].strip()


def page_problems(pages: Mapping[str, str], version: str) -> list[str]:
    """Look whether the manual pages are those of this version.

    :param pages: their texts by file.
    """
    missing = [
        f"{file}: it is missing: run make pages, and commit" for file in PAGES if file not in pages
    ]
    return missing + [
        f"{file}: it is of version {found[1] if found else 'none'}: run make pages, and commit"
        for file, text in pages.items()
        if (found := _PAGE.search(text)) is None or found[1] != version
    ]


def tree_problems(porcelain: str) -> list[str]:
    """Look whether everything is committed.

    :param porcelain: output of ``git status --porcelain``.
    """
    lines = porcelain.splitlines()
    if not lines:
        return []
    files = ", ".join(line[3:] for line in lines[:5])
    more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""
    return [f"not committed: {files}{more}: commit or remove them"]
