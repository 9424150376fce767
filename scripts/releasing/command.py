"""What ``scripts/release`` does."""

import argparse
import subprocess
import tempfile
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from releasing import builds, texts

ROOT = Path(__file__).parents[2]
Check = Callable[[Path, str], str]


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Run the checks; gives the exit status: 0 if all is well, 1 if something must be done."""
    parser = argparse.ArgumentParser(prog="scripts/release", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(CHECKS), help="check this alone")
    given = parser.parse_args(arguments)
    version = texts.version_of((root / texts.VERSION_FILE).read_text(encoding="utf-8"))
    failed = 0
    for name, check in CHECKS.items():
        if given.only and name not in given.only:
            continue
        try:
            print(f"ok      {name}: {check(root, version or '')}", flush=True)
        except builds.Failed as problem:
            failed += 1
            print(f"FAILED  {name}: {problem}", flush=True)
    if failed:
        print(f"{failed} of the checks failed; nothing was published")
    elif given.only:
        print("Nothing was published, and the other checks were left out")
    else:
        print(f"Nothing was published. To do so: git tag v{version} && git push origin v{version}")
    return 1 if failed else 0


def _version(root: Path, version: str) -> str:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    _none(texts.version_problems(version or None, project, _git(root, "tag").split()))
    return f"{version}, in one place, and new"


def _changelog(root: Path, version: str) -> str:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    _none(texts.changelog_problems(text, version, datetime.now(UTC).date()))
    return f"its newest heading is {version}, with a date"


def _pages(root: Path, version: str) -> str:
    folder = root / "packaging" / "man"
    pages = {
        str(page.relative_to(root)): page.read_text(encoding="utf-8")
        for page in sorted(folder.glob("*.[0-9]"))
    }
    _none(texts.page_problems(pages, version))
    return f"{', '.join(texts.PAGES)} are of {version}"


def _tree(root: Path, version: str) -> str:
    _none(texts.tree_problems(_git(root, "status", "--porcelain", "--untracked-files=all")))
    return "everything is committed"


def _distributions(root: Path, version: str) -> str:
    with tempfile.TemporaryDirectory(prefix="havpn-release-") as folder:
        return builds.distributions(root, Path(folder), version)


def _packages(root: Path, version: str) -> str:
    with tempfile.TemporaryDirectory(prefix="havpn-release-") as folder:
        return builds.packages(root, Path(folder), version)


def _docs(root: Path, version: str) -> str:
    return builds.docs(root)


CHECKS: dict[str, Check] = {
    "version": _version,
    "changelog": _changelog,
    "pages": _pages,
    "tree": _tree,
    "distributions": _distributions,
    "deb": _packages,
    "docs": _docs,
}
"""Each check gives a sentence, or raises :class:`builds.Failed`."""


def _none(problems: list[str]) -> None:
    if problems:
        raise builds.Failed("; ".join(problems))


def _git(root: Path, *arguments: str) -> str:
    try:
        ended = subprocess.run(
            ["git", "-C", root, *arguments], capture_output=True, text=True, check=False
        )
    except OSError as problem:
        raise builds.Failed(f"git: {problem.strerror}: install git") from None
    if ended.returncode:
        raise builds.Failed(f"{ended.stderr.strip()}: release from a clone of the repository")
    return ended.stdout
