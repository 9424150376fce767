"""The wheel, installed by pip and by pipx where nothing of the source is."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from havpn_core.version import __version__

pytestmark = pytest.mark.timeout(600)
REPO = Path(__file__).parents[2]
UNITS = [file.name for file in (REPO / "packaging" / "systemd").iterdir()]
EXAMPLES = [file.name for file in (REPO / "examples").iterdir() if file.is_file()]
CARRIED = (
    *("man/man8/havpn.8", "man/man5/havpn.toml.5", "bash-completion/completions/havpn"),
    *("zsh/site-functions/_havpn", "fish/vendor_completions.d/havpn.fish"),
    *(f"havpn/systemd/{name}" for name in UNITS),
    *(f"havpn/examples/{name}" for name in EXAMPLES),
    *("havpn/prometheus/havpn.rules.yml", "havpn/grafana/havpn.json"),
)


def venv(place):
    """Make an environment without pip: that of the tests installs into it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    return place


def pip(python):
    return [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory, fetching):
    place = venv(tmp_path_factory.mktemp("pip") / "havpn")
    missed = "THE WHEEL WAS NOT INSTALLED WITH PIP"
    fetching(*pip(place / "bin" / "python"), built, missed=missed)
    return place


def run(place, *words, cwd="/", **more):
    """Run a program of an environment with nothing of the tests in reach."""
    clean = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    return subprocess.run(
        [place / words[0], *words[1:]], capture_output=True, text=True, check=False, cwd=cwd,
        env=clean | more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-V"], f"havpn, version {__version__}\n"), (["-h"], "Usage: havpn "),
        (["plugin", "list"], "alias-arp"), (["config", "schema"], "false_switches"),
        (["man", "havpn.8"], ".TH"),
    ],
)  # fmt: skip
def test_the_program_runs(installed, words, said):
    done = run(installed, "bin/havpn", *words)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


def test_the_program_of_alerts_runs(installed):
    done = run(installed, "bin/havpn-alert", "--help")
    assert done.returncode == 0, done.stderr
    assert "Pacemaker" in done.stdout


@pytest.mark.parametrize("name", CARRIED)
def test_what_an_operator_needs_is_carried(installed, name):
    file = installed / "share" / name
    assert file.stat().st_size > 0
    if name.startswith("havpn/systemd/"):
        assert file.read_bytes() == (REPO / "packaging" / "systemd" / file.name).read_bytes()


def test_the_licence_is_carried(installed):
    found = list(installed.glob(f"lib/python*/site-packages/havpn-{__version__}.dist-info"))
    assert len(found) == 1
    assert (found[0] / "licenses" / "LICENSE").read_text() == (REPO / "LICENSE").read_text()


def test_a_carried_example_is_good_but_for_this_machine(installed, tmp_path):
    example = installed / "share" / "havpn" / "examples" / "pair.toml"
    done = run(installed, "bin/havpn", "check", "-c", example)
    said = done.stdout + done.stderr
    assert done.returncode in (0, 1)
    assert "Traceback" not in said and "unknown key" not in said


def test_the_unit_is_made_for_an_environment_as_the_docs_say(installed, tmp_path):
    page = (REPO / "docs" / "packaging.md").read_text()
    command = re.search(r"^(sed 's\|/usr/bin/havpn\|.*) >/etc/systemd/.*$", page, re.MULTILINE)
    assert command is not None
    words = command[1].replace("/opt/havpn", str(installed))
    unit = subprocess.run(words, shell=True, capture_output=True, text=True, check=True).stdout
    program = re.search(r"^ExecStart=(\S+) ", unit, re.MULTILINE)
    assert program is not None
    assert program[1] == f"{installed}/bin/havpn"
    assert "/usr/bin/havpn" not in unit
    assert os.access(program[1], os.X_OK)


def test_pipx_installs_it_with_its_manual_pages(built, tmp_path, fetching):
    missed = "THE WHEEL WAS NOT INSTALLED WITH PIPX"
    pipx = shutil.which("pipx")
    if pipx is None:
        tool = venv(tmp_path / "tool")
        fetching(*pip(tool / "bin" / "python"), "pipx", missed=missed)
        pipx = tool / "bin" / "pipx"
    places = {
        name: tmp_path / name.lower() for name in ("PIPX_HOME", "PIPX_BIN_DIR", "PIPX_MAN_DIR")
    }
    env = os.environ | {name: str(place) for name, place in places.items()}
    fetching(pipx, "install", "--python", sys.executable, built, missed=missed, env=env)
    done = run(places["PIPX_BIN_DIR"], "havpn", "-V")
    assert (done.returncode, done.stdout) == (0, f"havpn, version {__version__}\n")
    assert run(places["PIPX_BIN_DIR"], "havpn-alert", "--help").returncode == 0
    pages = {
        str(page.relative_to(places["PIPX_MAN_DIR"]))
        for page in places["PIPX_MAN_DIR"].rglob("*.*")
    }
    assert {"man8/havpn.8", "man5/havpn.toml.5"} <= pages
    carried = places["PIPX_HOME"] / "venvs" / "havpn" / "share" / "havpn"
    assert (carried / "systemd" / "havpn.service").is_file()
