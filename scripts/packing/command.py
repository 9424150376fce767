"""What ``scripts/deb`` does."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from packing import archive, source, tree, vendored
from packing.control import RELEASES, Package

ROOT = Path(__file__).parents[2]


def main(arguments: list[str]) -> int:
    """Build the packages that the options name; gives the exit status."""
    given = _parser().parse_args(arguments)
    if given.release == "12" and given.arch not in vendored.MACHINES:
        known = ", ".join(vendored.MACHINES)
        print(
            f"no package for Debian 12 on {given.arch}: choose --arch of {known}", file=sys.stderr
        )
        return 1
    os.environ["SOURCE_DATE_EPOCH"] = str(_epoch())
    with tempfile.TemporaryDirectory(prefix="havpn-deb-") as folder:
        try:
            wheel = source.wheel(ROOT, Path(folder))
            for release in RELEASES if given.release == "all" else [given.release]:
                for revision in given.revision or ["1"]:
                    package = Package(source.version(ROOT), revision, release, given.arch)
                    print(_build(package, wheel, Path(folder) / f"{release}-{revision}", given.out))
        except subprocess.CalledProcessError as problem:
            print(f"{problem}\n{problem.stdout or ''}{problem.stderr or ''}", file=sys.stderr)
            return 1
    return 0


def _build(package: Package, wheel: Path, folder: Path, out: Path) -> Path:
    root = folder / "root"
    tree.lay_out(root, ROOT, wheel, vendored.wheels(ROOT, package, folder / "wheels"), package)
    out.mkdir(parents=True, exist_ok=True)
    return archive.pack(root, ROOT, package, out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/deb", description=__doc__)
    parser.add_argument("--release", choices=[*RELEASES, "all"], default="all", help="of Debian")
    parser.add_argument("--arch", default="amd64", help="Debian's name of the machine")
    parser.add_argument(
        "--revision", action="append", help="of the package, after the version; more make more"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder to write to")
    return parser


def _epoch() -> int:
    """Give the time that all files have: that of the commit, where there is one."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    done = subprocess.run(
        ["git", "-C", ROOT, "log", "-1", "--format=%ct"],
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.returncode and done.stdout.strip():
        return int(done.stdout)
    # A source distribution: its files have the time of its making.
    return int(min(time.time(), (ROOT / "pyproject.toml").stat().st_mtime))
