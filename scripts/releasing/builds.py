"""Build what is released in a folder of its own, install it, and see that it is this version."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from packing import source

LONGEST_S = 1800
PACKAGES = {"havpn_core": "havpn_core", "plugins": "havpn_plugins", "ocf": "havpn_ocf"}
"""Folders of the program and what they are called when they are installed."""
SOURCE_ONLY = ("ocf/ocft",)
"""What is tried with the program and is no part of it."""


class Failed(Exception):
    """Something cannot be built or does not work; the text has the remedy."""


def run(argv: Sequence[str | Path], remedy: str, cwd: Path | None = None) -> str:
    """Run a program and give its output.

    :raises Failed: with the last lines of what it said, and the remedy.
    """
    try:
        ended = subprocess.run(
            argv, cwd=cwd, capture_output=True, text=True, errors="replace", check=False,
            timeout=LONGEST_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Failed(f"{problem}: {remedy}") from None
    if ended.returncode:
        said = " / ".join((ended.stdout + ended.stderr).strip().splitlines()[-3:])
        raise Failed(
            f"{Path(argv[0]).name} ended with status {ended.returncode} ({said}): {remedy}"
        )
    return ended.stdout


def distributions(root: Path, folder: Path, version: str) -> str:
    """Build source distribution and wheel, and install each into an environment of its own.

    :raises Failed: if one of them is not this version when it is installed.
    """
    try:
        wheel = source.wheel(root, folder)
    except subprocess.CalledProcessError as problem:
        said = " / ".join((problem.stderr or problem.stdout or "").strip().splitlines()[-3:])
        raise Failed(f"the wheel cannot be built ({said}): run python -m build") from None
    _none_left_out(root, wheel)
    archive = next(wheel.parent.glob("*.tar.gz"))
    python = folder / "venv" / "bin" / "python"
    run([sys.executable, "-m", "venv", folder / "venv"], "install python3-venv")
    for made in (wheel, archive):
        again = ("--force-reinstall", "--no-deps") if made is archive else ()
        pip = (python, "-m", "pip", "install", "--quiet", *again, made)
        run(pip, f"see why pip does not install {made.name}", folder)
        said = run([python.with_name("havpn"), "-V"], f"see what {made.name} lacks", folder)
        if version not in said.split():
            raise Failed(f"{made.name} says {said.strip()!r}, not {version}: build from this tree")
        listed = run(
            [python.with_name("havpn"), "plugin", "list", "--json"],
            f"see what {made.name} lacks",
            folder,
        )
        broken = [
            f"{each['name']}: {each['error']}" for each in json.loads(listed) if each["error"]
        ]
        if broken:
            raise Failed(f"{made.name}: {'; '.join(broken)}: see what it lacks")
    return f"{wheel.name} and {archive.name} build and install"


def _none_left_out(root: Path, wheel: Path) -> None:
    """See that each file of the program is in the wheel.

    :raises Failed: naming those that are not.
    """
    but = (f":!{each}" for each in SOURCE_ONLY)
    argv: list[str | Path] = ["git", "-C", root, "ls-files", "--", *PACKAGES, *but]
    tracked = run(argv, "release from a clone of the repository").split()
    with zipfile.ZipFile(wheel) as packed:
        there = set(packed.namelist())
    wanted = [(each, each.partition("/")) for each in tracked]
    lost = [each for each, (top, _, rest) in wanted if f"{PACKAGES[top]}/{rest}" not in there]
    if lost:
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        raise Failed(
            f"{wheel.name} lacks {', '.join(lost[:5])}{more}: name its package in pyproject.toml, "
            "in packages or package-data"
        )


def packages(root: Path, folder: Path, version: str) -> str:
    """Build the Debian packages.

    :raises Failed: if one cannot be built, or has another version.
    """
    run([sys.executable, root / "scripts" / "deb", "--out", folder], "run make deb", root)
    made = sorted(folder.glob("*.deb"))
    if not made:
        raise Failed("scripts/deb wrote no package: run make deb")
    for package in made:
        found = run(["dpkg-deb", "-f", package, "Version"], "install dpkg").strip()
        if not found.startswith(f"{version}-"):
            raise Failed(f"{package.name} has the version {found}: see scripts/packing/control.py")
    return f"{', '.join(each.name for each in made)} built"


def docs(root: Path) -> str:
    """Build the documentation.

    :raises Failed: if it cannot be built.
    """
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    if not any(line.startswith("docs:") for line in makefile.splitlines()):
        raise Failed("the Makefile has no target docs: write one that builds the documentation")
    run(["make", "docs"], "run make docs, and correct what it names", root)
    return "the documentation builds"
