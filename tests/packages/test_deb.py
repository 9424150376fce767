"""The Debian packages are the same bytes each time, whoever builds them, wherever."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(900)
REPO = Path(__file__).parents[2]
LEFT = (
    ".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis",
)  # fmt: skip
EPOCH = "1767225600"
MISSED = "THE DEBIAN PACKAGES WERE NOT BUILT TWICE AND COMPARED"

if shutil.which("dpkg-deb") is None:
    pytest.skip(f"dpkg-deb is not here: {MISSED}", allow_module_level=True)


@pytest.fixture(scope="module")
def twice(tmp_path_factory, fetching):
    """Build from the tree, and from a copy of it by another user's habits; gives both folders."""
    out = [tmp_path_factory.mktemp(f"debs-{number}") for number in (1, 2)]
    place = tmp_path_factory.mktemp("elsewhere")
    (place / "tmp").mkdir()
    # Other times, other modes, another order in the folder, and no commit.
    copy = shutil.copytree(
        REPO, place / "source", ignore=shutil.ignore_patterns(*LEFT), copy_function=_copy
    )
    same = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
    other = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "TMPDIR": str(place / "tmp")}
    for folder, source, more, umask in (
        (out[0], REPO, {"TZ": "UTC"}, 0o022),
        (out[1], copy, other, 0o077),
    ):
        script = source / "scripts" / "deb"
        fetching(
            *(sys.executable, script, "--out", folder),
            missed=MISSED,
            env=same | more,
            umask=umask,
        )
    return out


def _copy(source, target):
    """Lay a file down as it comes out of an archive: of now, and for its owner alone."""
    shutil.copyfile(source, target)
    Path(target).chmod(0o700 if os.access(source, os.X_OK) else 0o600)


def test_the_same_source_makes_the_same_bytes(twice):
    first, second = ({file.name: file.read_bytes() for file in out.iterdir()} for out in twice)
    assert sorted(name.rpartition("~")[2].partition("_")[0] for name in first) == ["deb12", "deb13"]
    assert sorted(first) == sorted(second)
    for name, content in first.items():
        assert second[name] == content, f"{name} differs: {_difference(name, *twice)}"


def _difference(name, *folders):
    """Name what differs, so that nobody has to look for it."""
    listed = [
        subprocess.run(
            ["dpkg-deb", "--contents", folder / name], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for folder in folders
    ]
    return sorted(set(listed[0]) ^ set(listed[1])) or "the content of a file"


def test_all_of_a_package_is_root_s_and_no_group_may_write_it(twice):
    for deb in twice[1].iterdir():
        lines = subprocess.run(
            ["dpkg-deb", "--contents", deb], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        assert len(lines) > 300
        for line in lines:
            mode, owner, *_ = line.split()
            assert owner == "root/root", line
            assert mode in ("drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"), line
