"""The whole road of a third-party package: built, installed from wheels, enabled, used, removed."""

import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
EXAMPLES = ("havpn-apprise", "havpn-wireguard", "havpn-motd")
KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
CONFIG = """
[node]
name = "gateway"
run_dir = "{folder}/run"
state_dir = "{folder}/state"
[plugins]
enable = [{enable}]
[path.line]
interval = "100ms"
[path.line.probe.own]
{probe}
[action.nothing]
type = "exec"
active = ["true"]
standby = ["true"]
{notifier}
"""
WIREGUARD = f'type = "wireguard"\ninterface = "wg0"\npeer = "{KEY}"\ncommand = "{{folder}}/wg"'
EXEC = 'type = "exec"\ncommand = ["true"]'
APPRISE = '[notifier.team]\ntype = "apprise"\nurls = ["json://127.0.0.1:{port}/"]'


def run(*argv, check=True, cwd="/"):
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=170, cwd=cwd, check=False,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )  # fmt: skip
    assert not check or done.returncode == 0, f"{argv}:\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Build all of them, from copies: a build leaves files beside its sources."""
    folder = tmp_path_factory.mktemp("wheels")
    for name in ("havpn", *EXAMPLES):
        source = folder / name
        here = REPO if name == "havpn" else REPO / "examples" / name
        skip = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "tests", "docs")
        shutil.copytree(here, source, ignore=skip)
        pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
        run(*pip, "--wheel-dir", str(folder), str(source))
    found = sorted(str(each) for each in folder.glob("*.whl"))
    assert len(found) == 1 + len(EXAMPLES)
    return found


class Place:
    """A fresh environment with all of them installed."""

    def __init__(self, folder, wheels):
        self.folder = folder
        run(sys.executable, "-m", "venv", str(folder / "venv"))
        self.pip("install", "--quiet", *wheels, "pytest")
        wg = folder / "wg"
        wg.write_text(f"#!/bin/sh\nprintf '%s\\t%s\\n' {KEY} $(date +%s)\n")
        wg.chmod(0o755)

    def bin(self, name):
        return str(self.folder / "venv" / "bin" / name)

    def pip(self, *arguments):
        return run(self.bin("python"), "-m", "pip", *arguments)

    def havpn(self, *arguments, check=True):
        return run(self.bin("havpn"), *arguments, check=check)

    def configure(self, *enable, probe=EXEC, notifier=""):
        file = self.folder / "havpn.toml"
        text = CONFIG.format(
            folder=self.folder,
            enable=", ".join(f'"{each}"' for each in enable),
            probe=probe.replace("{folder}", str(self.folder)),
            notifier=notifier,
        )
        file.write_text(text)
        file.chmod(0o600)
        return str(file)

    def plugins(self, *more):
        listed = json.loads(self.havpn("plugin", "list", "--json", *more).stdout)
        return {each["name"]: each for each in listed if each["distribution"] != "havpn"}


@pytest.fixture(scope="module")
def place(tmp_path_factory, wheels):
    return Place(tmp_path_factory.mktemp("road"), wheels)


@pytest.fixture
def server():
    got = []

    class Post(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Post)
    listening.got = got
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield listening
    listening.shutdown()


def test_installed_is_available_and_not_imported(place):
    listed = place.plugins()
    assert {name: each["status"] for name, each in listed.items()} == {
        "apprise": "available",
        "motd": "available",
        "wireguard": "available",
    }
    program = (
        "import sys; from havpn_core.cli import havpn\n"
        "try: havpn.main(['plugin', 'list'], 'havpn')\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith(('havpn_app', 'havpn_wire', 'apprise'))])"
    )
    assert run(place.bin("python"), "-c", program).stdout.splitlines()[-1] == "[]"


def test_enabled_is_active_and_checked(place, server):
    notifier = APPRISE.format(port=server.server_port)
    file = place.configure("apprise", "wireguard", probe=WIREGUARD, notifier=notifier)
    listed = place.plugins("-c", file)
    assert listed["apprise"]["status"] == listed["wireguard"]["status"] == "active"
    assert listed["wireguard"]["provides"]["probe"] == ["wireguard"]
    assert place.havpn("check", "-c", file).returncode == 0
    shown = place.havpn("plugin", "show", "wireguard", "-c", file).stdout
    assert "age of a handshake that is too old" in shown
    schema = json.loads(place.havpn("config", "schema", "-c", file).stdout)
    assert "wireguard" in json.dumps(schema)


def test_the_daemon_probes_and_the_notifier_delivers(place, server):
    notifier = APPRISE.format(port=server.server_port)
    file = place.configure("apprise", "wireguard", probe=WIREGUARD, notifier=notifier)
    daemon = subprocess.Popen([place.bin("havpn"), "run", "-c", file], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not any("line: unknown -> up" in body for body in server.got):
            assert time.monotonic() < until, server.got
            assert daemon.poll() is None
            time.sleep(0.1)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(timeout=20)


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_passes_its_own_tests_in_that_environment(place, name):
    tests = REPO / "examples" / name / "tests"
    done = run(
        place.bin("python"), "-m", "pytest", "-q", "-p", "no:cacheprovider",
        "-c", "/dev/null", str(tests), cwd=str(place.folder),
    )  # fmt: skip
    assert "passed" in done.stdout


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_is_gold(place, name, tmp_path):
    """From a copy, as its tests are run there; and by its name, by what is installed of it."""
    skip = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    copy = shutil.copytree(REPO / "examples" / name, tmp_path / name, ignore=skip)
    shown = place.havpn("plugin", "grade", str(copy), "--at-least", "gold").stdout
    assert shown.startswith(f"{name.removeprefix('havpn-')}: gold (")
    shown = place.havpn("plugin", "grade", name.removeprefix("havpn-")).stdout
    assert ": bronze (havpn-" in shown
    assert "no tests are installed with it" in shown
    assert "licence" not in shown


def test_uninstalled_the_daemon_says_what_is_missing(place):
    """The last one: it takes a package away."""
    file = place.configure("wireguard", probe=WIREGUARD)
    place.pip("uninstall", "--quiet", "--yes", "havpn-wireguard")
    ended = place.havpn("run", "-c", file, check=False)
    assert ended.returncode == 1
    assert "plugins.enable: no plugin 'wireguard' is installed" in ended.stderr
    assert "path.line.probe.own.type: there is no probe type 'wireguard'" in ended.stderr
    file = place.configure(probe=WIREGUARD)
    assert (
        "there is no probe type 'wireguard'" in place.havpn("run", "-c", file, check=False).stderr
    )
