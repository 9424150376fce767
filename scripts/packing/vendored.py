"""What a release of Debian lacks, as wheels that are known by their hash."""

import re
import subprocess
import sys
from pathlib import Path

from packing.control import PYTHONS, Package

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Machines for which there are wheels with a compiled part, and Python's name of each."""
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
    """Fetch them from the package index; gives the files.

    :raises subprocess.CalledProcessError: if one cannot be had, or is another file.
    """
    folder.mkdir(parents=True)
    wanted = folder / "requirements.txt"
    wanted.write_text("\n".join(requirements(root, package)) + "\n", encoding="utf-8")
    machine = MACHINES.get(package.machine, "x86_64")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary=:all:", "--require-hashes", "--requirement", wanted),
            *("--python-version", PYTHONS[package.release]),
            *("--platform", f"manylinux2014_{machine}", "--dest", folder),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted(folder.glob("*.whl"))
