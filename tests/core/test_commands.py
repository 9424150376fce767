"""Every command ends in a sentence, whatever its surroundings are: never a traceback."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from havpn_core.cli import havpn
from havpn_core.cli.reference import _commands
from tests.ports import free_port

OWN, NOBODY = 0, 65534
DRIVER = Path(__file__).with_name("command_driver.py")
CONFIG = """
[node]
name = "gateway"
run_dir = "{run}"
state_dir = "{state}"
[path.vpn1]
interval = "100ms"
[path.vpn1.probe.own]
type = "exec"
command = ["true"]
[action.own]
type = "exec"
active = ["true"]
standby = ["true"]
[notifier.own]
type = "exec"
command = ["true"]
[pair]
priority = 1
key_file = "{key}"
[pair.link.lan]
type = "udp"
local = "127.0.0.1"
peer = "127.0.0.2"
port = {port}
"""
SIMULATE = "simulate -c {config} --path vpn1"
COMMANDS = [
    "run -c {config}",
    "check -c {config}",
    "doctor -c {config}",
    "doctor -c {config} --json",
    "status -c {config}",
    "status -c {config} --json",
    "status -c {config} --site",
    "status -c {config} --check",
    "events -c {config}",
    "plugin list -c {config}",
    "plugin list --json -c {config}",
    "plugin check notifiers.syslog",
    "plugin check udp-echo -c {config}",
    "plugin show udp-echo -c {config}",
    "plugin show exec --json",
    "plugin new foo --dir {place}",
    "config schema -c {config}",
    "config digest -c {config}",
    "plugin grade {place}",
    "plugin trace udp-echo -c {config} --for 50ms",
    "site new -f {place}",
    "site schema",
    "site verify -f {config}",
    "site render -f {config} --out {place}",
    "site diff -f {config} --out {place}",
    f"{SIMULATE} --samples {{place}}",
    f"{SIMULATE} --trace {{place}}",
    f"{SIMULATE} --loss 0.1 --hours 0.1 --cuts 1 --plot {{place}}/a.svg",
    f"{SIMULATE} --change 0:0.1@1m --hours 0.1 --cuts 1",
    "advise -c {config} --path vpn1",
    "advise -c {config} --path vpn1 --trace {place} --json",
    "record -c {config} --path vpn1 --for 50ms -o {place}",
    "record -c {config} --path vpn1 --for 50ms",
    "pause -c {config}",
    "resume -c {config}",
    "switch -c {config} --to standby --for \udcff",
    "switch -c {config} --to standby --for 1m",
    "reload -c {config}",
    "keygen {place}",
    "keygen {place} --step add",
    "release -c {config}",
    "release -c {config} --force",
    "ocf install --root {place}",
    "ocf uninstall --root {place}",
    "ocf show",
    "alert -c {config}",
    "demo -o {place}",
    "man",
    "man havpn.toml.5",
    "completion bash",
    "--version",
    "--help",
    "no-such-\udcff",
    "check -c \udcff",
    "plugin check \udcff",
]


OF_A_FILE = [each for each in COMMANDS if "{config}" in each or "{place}" in each]
"""Those that use what a test puts in the place of a file."""


def test_no_command_is_left_out():
    names = [name for name, _ in _commands(havpn, click.Context(havpn))]
    for name in names:
        assert any(f"{each} ".startswith(f"{name} ") for each in COMMANDS), name


# --- what is in a file's place -------------------------------------------------------------------


def put(kind, place, content="{"):
    """Put something into the place of a file or folder; gives the path that leads there."""
    match kind:
        case "missing":
            return place / "no" / "such"
        case "folder":
            place.mkdir()
            (place / "other").touch()
        case "fifo":
            os.mkfifo(place)
        case "garbage":
            place.write_bytes(b"\xff\x00{" + content.encode() + b"\n" * 3)
        case "unreadable":
            place.mkdir(mode=0)
        case "read-only":
            place.mkdir()
            place.chmod(0o555)
        case "unreadable file":
            place.write_text(content)
            place.chmod(0)
        case "long":
            return place / "/".join(["x" * 60] * 3)
        case "link":
            place.symlink_to(place.name)
    return place


BUGS = ("Traceback", "Errno", "Exception ignored", "object has no attribute")
FILES = ("status.json", "status.brief", "held.json", "control.sock", "events.jsonl", "state.json")


class World:
    """Folders in which a command runs, for one user."""

    def __init__(self, folder, user):
        self.folder, self.user = folder, user
        folder.mkdir(mode=0o755)
        for above in folder.parents[:3]:
            if above.stat().st_uid == os.geteuid() and os.geteuid() == 0 and above != Path("/tmp"):
                above.chmod(above.stat().st_mode | 0o055)

    def own(self, path):
        if self.user:
            os.chown(path, self.user, self.user)
        return path

    def config(self, **places):
        given = {name: self.folder / name for name in ("run", "state", "key")} | places
        for name in ("run", "state"):
            if name not in places:
                given[name].mkdir(exist_ok=True)
                self.own(given[name])
        file = self.folder / "havpn.toml"
        file.write_text(CONFIG.format(port=free_port(), **given))
        return self.own(file)

    def cases(self, config, place, commands=COMMANDS, **how):
        return [
            {
                "argv": [
                    os.fsencode(word.format(config=config, place=place)).hex()
                    for word in command.split(" ")
                ],
                "cwd": str(self.folder),
                "stdout": "file",
                "stderr": "file",
                "user": self.user,
                "daemon": command.startswith("run"),
                # The demo would build a network.
                "env": {"CRM_alert_kind": "node", "CRM_alert_desc": "lost"}
                | ({"PATH": "/nonexistent"} if command.startswith("demo") else {}),
            }
            | how
            for command in commands
        ]


def _is_good(case, result):
    said = result["out"] + result["err"]
    silent = case["stderr"] != "file" or case["stdout"] != "file"
    checks = b"--check".hex() in case["argv"]
    return (
        result["status"] in ((0, 1, 2, 3) if checks else (0, 1, 2))
        and not any(word in said for word in BUGS)
        and (said.strip() or silent or not result["status"])
    )


def check(cases):
    done = subprocess.run(
        [sys.executable, DRIVER], input=json.dumps(cases), capture_output=True, text=True,
        timeout=280, check=True, cwd=DRIVER.parents[2],
    )  # fmt: skip
    results = json.loads(done.stdout)
    assert len(results) == len(cases)
    wrong = [
        (b" ".join(map(bytes.fromhex, case["argv"])), result)
        for case, result in zip(cases, results, strict=True)
        if not _is_good(case, result)
    ]
    assert not wrong, "\n".join(map(str, wrong))
    return results


@pytest.fixture
def world(tmp_path, request):
    user = getattr(request, "param", OWN)
    if user and os.geteuid() != 0:
        pytest.skip("needs root: ANOTHER USER WAS NOT TRIED")
    made = World(tmp_path / "w", user)
    yield made
    for each in made.folder.rglob("*"):
        if each.is_dir() and not each.is_symlink():
            each.chmod(0o700)
    shutil.rmtree(made.folder)


@pytest.mark.parametrize(
    ("kind", "world"),
    [
        ("missing", OWN),
        pytest.param("folder", NOBODY, marks=pytest.mark.more),
        pytest.param("fifo", OWN, marks=pytest.mark.more),
        pytest.param("garbage", OWN, marks=pytest.mark.more),
        ("unreadable", NOBODY),
        pytest.param("read-only", NOBODY, marks=pytest.mark.more),
        pytest.param("unreadable file", NOBODY, marks=pytest.mark.more),
        pytest.param("long", OWN, marks=pytest.mark.more),
        pytest.param("link", OWN, marks=pytest.mark.more),
    ],
    indirect=["world"],
)
def test_something_else_in_the_place_of(kind, world):
    """The configuration; run_dir, state_dir and what the command is given; the files in them."""
    broken = put(kind, world.folder / "broken.toml")
    of_config = [each for each in OF_A_FILE if "{config}" in each]
    cases = world.cases(broken, world.folder / "new", of_config)
    config = world.config(
        **{name: put(kind, world.folder / f"bad-{name}") for name in ("run", "state", "key")}
    )
    cases += world.cases(config, put(kind, world.folder / "bad"), OF_A_FILE)
    check(cases)


@pytest.mark.parametrize(
    ("kind", "world"),
    [
        ("folder", OWN),
        pytest.param("fifo", OWN, marks=pytest.mark.more),
        ("garbage", OWN),
        pytest.param("link", OWN, marks=pytest.mark.more),
        pytest.param("unreadable", NOBODY, marks=pytest.mark.more),
        ("unreadable file", NOBODY),
    ],
    indirect=["world"],
)
def test_something_else_in_the_place_of_the_daemons_files(kind, world):
    config = world.config()
    for name in FILES:
        for folder in ("run", "state"):
            put(kind, world.folder / folder / name)
    words = ("run", "status", "events", "pause", "switch", "release", "check")
    commands = [each for each in COMMANDS if each.split(" ")[0] in words]
    check(world.cases(config, world.folder / "new", commands))


@pytest.mark.parametrize(
    ("stdout", "stderr"),
    [
        ("full", "file"),
        pytest.param("closed", "closed", marks=pytest.mark.more),
        pytest.param("closed", "file", marks=pytest.mark.more),
        pytest.param("broken", "file", marks=pytest.mark.more),
    ],
)
def test_streams_that_take_nothing(stdout, stderr, world):
    config, place = world.config(), world.folder / "made"
    (world.folder / "key").write_text("00" * 32 + "\n")
    (world.folder / "key").chmod(0o600)
    results = check(world.cases(config, place, stdout=stdout, stderr=stderr))
    if stdout == "full":
        said = dict(zip(COMMANDS, results, strict=True))["man"]
        assert said["err"] == "havpn: the output cannot be written: the disk is full: free some " \
            "space\n"  # fmt: skip
        assert said["status"] == 1
