"""What a release of Debian lacks, as wheels that are known by their hash."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from packing.control import PYTHONS, Package

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Machines for which there are wheels with a compiled part, and Python's name of each."""
KEPT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "havpn-vendored"
"""Files of earlier runs; each is known by its hash, so it does not matter who wrote them."""
LIST = Path("packaging/debian/vendored.txt")
_HEAD = re.compile(r"# release ([\d ]+), (\w+)")


def requirements(root: Path, package: Package) -> list[str]:
    """Give the lines of the list that are for this package."""
    found, wanted = [], False
    for line in (root / LIST).read_text(encoding="utf-8").splitlines():
        head = _HEAD.fullmatch(line)
        if head:
            wanted = package.release in head[1].split() and head[2] in ("all", package.machine)
        elif wanted and not line.startswith("#"):
            found.append(line)
    return found


def wheels(root: Path, package: Package, folder: Path) -> list[Path]:
    """Fetch them from the package index, or from an earlier run; gives the files.

    :raises subprocess.CalledProcessError: if one is not available, or is another file.
    """
    folder.mkdir(parents=True)
    wanted = folder / "requirements.txt"
    wanted.write_text("\n".join(requirements(root, package)) + "\n", encoding="utf-8")
    KEPT.mkdir(parents=True, exist_ok=True)
    try:
        _download(package, wanted, folder, "--no-index", "--find-links", str(KEPT))
    except subprocess.CalledProcessError:
        _download(package, wanted, folder)
        for each in folder.glob("*.whl"):
            shutil.copyfile(each, KEPT / each.name)
    return sorted(folder.glob("*.whl"))


def _download(package: Package, wanted: Path, folder: Path, *options: str) -> None:
    machine = MACHINES.get(package.machine, "x86_64")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *options),
            *("--only-binary=:all:", "--require-hashes", "--requirement", str(wanted)),
            *("--python-version", PYTHONS[package.release]),
            *("--platform", f"manylinux2014_{machine}", "--dest", str(folder)),
        ],
        check=True,
        capture_output=True,
        text=True,
        # What a machine has set of its own would be looked into first.
        env={name: value for name, value in os.environ.items() if name != "PIP_FIND_LINKS"},
    )
