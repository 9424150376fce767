"""What the tests of packages share: the wheel, and what is said where the index is out of reach."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
UNREACHED = ("Could not find a version that satisfies", "No matching distribution found")
"""What pip says at the end where the index does not reply."""


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Build the source distribution, and the wheel from it, by what builds the Debian package."""
    sys.path.insert(0, str(REPO / "scripts"))
    try:
        from packing.source import wheel
    finally:
        sys.path.remove(str(REPO / "scripts"))
    return wheel(REPO, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def fetching():
    """Run a command that fetches from the package index, or leave the test out, loudly."""

    def run(*words, missed, **more):
        done = subprocess.run(
            [str(word) for word in words], capture_output=True, text=True, check=False, **more
        )
        said = done.stdout + done.stderr
        if done.returncode and any(words in said for words in UNREACHED):
            warnings.warn(f"NO PACKAGE INDEX: {missed}", stacklevel=1)
            pytest.skip(f"the package index is not to be reached: {missed}")
        assert done.returncode == 0, said
        return done.stdout

    return run
