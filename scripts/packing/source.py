"""The wheel, built from the source distribution, which is so known to be complete."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

UNWANTED = (
    ".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis",
)  # fmt: skip


def version(root: Path) -> str:
    """Give the version of the source."""
    text = (root / "havpn_core" / "version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1]


def wheel(root: Path, folder: Path) -> Path:
    """Build the wheel in a copy of the source, which stays as it is; gives the file.

    :raises subprocess.CalledProcessError: if it cannot be built.
    """
    copy, out = folder / "source", folder / "built"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*UNWANTED), symlinks=True)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, copy],
        check=True,
        capture_output=True,
        text=True,
    )
    return next(out.glob("*.whl"))
