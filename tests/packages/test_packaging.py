"""What the wheel, the source distribution and the units promise."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from havpn_core.version import __version__

REPO = Path(__file__).parents[2]
UNITS = REPO / "packaging" / "systemd"
DROP_INS = sorted(file.stem for file in UNITS.glob("*.conf"))
PAGES = {
    "man/havpn.8": ("man", "havpn.8"),
    "man/havpn.toml.5": ("man", "havpn.toml.5"),
    "completions/havpn": ("completion", "bash"),
    "completions/_havpn": ("completion", "zsh"),
    "completions/havpn.fish": ("completion", "fish"),
}


def test_the_wheel_carries_what_an_operator_needs(built):
    with zipfile.ZipFile(built) as packed:
        names = packed.namelist()
    head = f"havpn-{__version__}"
    assert f"{head}.dist-info/licenses/LICENSE" in names
    data = {n.removeprefix(f"{head}.data/data/") for n in names if ".data/data/" in n}
    assert {
        "share/man/man8/havpn.8",
        "share/man/man5/havpn.toml.5",
        "share/bash-completion/completions/havpn",
        "share/havpn/examples/pair.toml",
        "share/havpn/systemd/havpn.service",
        *(f"share/havpn/systemd/{name}.conf" for name in DROP_INS),
    } <= data


def test_the_source_distribution_is_the_source(built):
    listed = subprocess.run(
        ["git", "-C", REPO, "ls-files"], capture_output=True, text=True, check=False
    ).stdout.split()
    if not listed:
        pytest.skip("no checkout of git: THE SOURCE DISTRIBUTION WAS NOT COMPARED")
    with tarfile.open(next(built.parent.glob("*.tar.gz"))) as packed:
        there = {name.partition("/")[2] for name in packed.getnames()}
    missing = {f for f in listed if (REPO / f).exists()} - there - {".gitignore"}
    assert missing == set()


def test_the_wheel_runs_where_the_source_is_not(built, tmp_path):
    with zipfile.ZipFile(built) as packed:
        packed.extractall(tmp_path)
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import havpn_core\n"
        "from havpn_core.cli import main\n"
        f"assert havpn_core.__file__.startswith({str(tmp_path)!r})\n"
        "main(sys.argv[1:])\n"
    )
    for words, said in (
        (["-V"], __version__),
        (["-h"], "Usage"),
        (["plugin", "list"], "alias-arp"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", script, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_current(name):
    done = subprocess.run(
        [sys.executable, "-m", "havpn_core", *PAGES[name]],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPO,
    )
    assert (REPO / "packaging" / name).read_text() == done.stdout, "run make pages"


def documented():
    """Give the score that docs/packaging.md names for each drop-in."""
    text = (REPO / "docs" / "packaging.md").read_text()
    rows = re.findall(r"^\| `?([a-z]+)`? \| [^|]+ \| (\d\.\d) \|", text, re.MULTILINE)
    return {name: float(score) for name, score in rows}


def test_each_drop_in_is_documented():
    assert sorted(documented()) == sorted([*DROP_INS, "none"])


@pytest.mark.parametrize("drop_in", ["none", *DROP_INS])
def test_scores_are_as_documented(drop_in, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here: THE SCORES OF THE UNITS WERE NOT TRIED")
    shutil.copy(UNITS / "havpn.service", tmp_path)
    if drop_in != "none":
        (tmp_path / "havpn.service.d").mkdir()
        shutil.copy(UNITS / f"{drop_in}.conf", tmp_path / "havpn.service.d")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", tmp_path / "havpn.service"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"level for havpn.service: (\d+\.\d)", done.stdout)
    assert found is not None
    assert float(found[1]) == documented()[drop_in]
    if drop_in == "none":
        assert float(found[1]) <= 2.5


def test_a_stop_releases_nothing():
    """A restart changes nothing, with the unit as it is shipped."""
    for file in UNITS.iterdir():
        assert "ExecStop" not in file.read_text()
