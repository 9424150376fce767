"""The status: the same JSON as ever, typed values for those who read it, and its age."""

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from havpn_core.daemon.requests import request
from havpn_core.daemon.state.events import HISTORY_FILE, as_line
from havpn_core.daemon.state.latest import last_events
from havpn_core.daemon.state.pair_status import LinkStatus, PairStatus
from havpn_core.daemon.state.path_status import ProbeStatus
from havpn_core.daemon.state.reading import age_s, judged, read, read_whole, typed, typed_pair
from havpn_core.daemon.state.status import (
    STATUS_FILE,
    ActionStatus,
    RespondStatus,
    encode,
    encode_path,
)
from havpn_core.durations import rfc3339
from havpn_core.echo.respond import Responder, RespondOptions
from havpn_core.host import boot
from havpn_core.pair.keys import authenticator
from havpn_core.pair.session import PairSession
from havpn_core.pair.state import Own, PairRules
from havpn_core.plugging.descriptors import Event
from havpn_core.rules.limits import Clocks
from havpn_core.rules.role import Role
from havpn_core.showing.glance import rows
from havpn_core.showing.rows import plain
from tests.core.daemon import Daemon
from tests.core.values import deliver

# What a gateway of a pair wrote in release 0.1.0, with every part that a status can have.
GOLDEN = (Path(__file__).parent / "status.json").read_bytes().strip()
ADDED = (
    *("written_uptime_s", "boot", "fitness", "redundancy", "schema", "holder", "counts"),
    "config",
)
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
AT = Clocks(WRITTEN.timestamp(), 5000.0, "this-boot")


PARTNER_ADDED = (
    *("stopping", "loss", "wanted", "hears", "fit", "failed", "forced", "paused", "refused"),
    *("road", "grey", "far", "name"),
)


def golden():
    return typed(json.loads(GOLDEN))


def without_added(content):
    found = json.loads(content)
    for key in ADDED:
        del found[key]
    found["pair"]["frames"].pop("field", None)
    for key in (
        *("dead_s", "dead_raised", "loss", "moved_for_loss_s", "line", "heard_s", "in_use"),
    ):
        del found["pair"][key]
    for key in PARTNER_ADDED if found["pair"]["partner"] is not None else ():
        del found["pair"]["partner"][key]
    for link in found["pair"]["links"].values():
        del link["verdicts"]
    del found["role"]["reason"], found["role"]["forced_s"], found["pair"]["troubles"]
    for key in ("loop", "silent", "silence"):
        del found["respond"][key]
    for path in found["paths"].values():
        del path["detection_ms"], path["refused_s"], path["failing"], path["kinds"]
        del path["fall"], path["rise"], path["interval_ms"]
        path.pop("calm", None)
        path["quality"].pop("grey")
        for probe in path["probes"].values():
            del probe["mode"], probe["refused"], probe["watches"], probe["durations"]
    for action in found["actions"].values():
        del action["retry_s"]
    for notifier in found["notifiers"].values():
        del notifier["failed_at"], notifier["waiting"]
    return found


def shown(status):
    """Give the status for people, whatever the lines that it is wrapped into."""
    return " ".join(plain(rows(status)).split())


def status_of(at=AT, **changes):
    """Give a status as a daemon wrote it at that moment, which began 100 s before."""
    written = {
        "written_at": rfc3339(datetime.fromtimestamp(at.wall_s, UTC)),
        "written_uptime_s": at.boot_s,
        "boot": at.boot,
        "state": "running",
    }
    return structs.replace(golden(), **written | changes)


# --- the same JSON --------------------------------------------------------------------------


def test_the_json_is_key_for_key_and_null_for_null_what_it_was():
    assert msgspec.json.encode(without_added(encode(golden()))) == GOLDEN


def test_paths_that_were_encoded_before_make_the_same_status():
    status = golden()
    paths = {name: encode_path(path) for name, path in status.paths.items()}
    assert encode(structs.replace(status, paths={}), paths) == encode(status)


def test_what_is_not_kept_has_no_key():
    paths = golden().paths
    assert paths["plain"].flaps is UNSET
    assert "flaps" not in json.loads(encode(golden()))["paths"]["plain"]
    assert paths["line"].flaps.penalty == 0.0


def test_the_facts_of_plugins_are_apart_from_the_core_s():
    status = golden()
    assert status.paths["line"].probes["echo"].facts == {"foreign": 0}
    assert status.actions["gateway"].facts == {"frames": 8, "conflicts": 0, "rival": None}
    assert status.pair.links["cable"].facts["line"] == "up"
    assert status.pair.links["cable"].frames == 265


def put(status, one):
    """Put an instance into a status; gives what takes it out of the JSON again."""
    match one:
        case ProbeStatus():
            status.paths["plain"].probes["own"] = one
            return lambda found: found["paths"]["plain"]["probes"]["own"]
        case ActionStatus():
            status.actions["more"] = one
            return lambda found: found["actions"]["more"]
        case LinkStatus():
            status.pair.links["lan"] = one
            return lambda found: found["pair"]["links"]["lan"]


CORES = [
    ProbeStatus(outcome="ok", detail="", latency_ms=None, ok=1, fail=0, error=0, overdue_ms=2.0),
    ActionStatus(type="exec", phase="settled", observed=None, failures=0, error=None),
    LinkStatus(alive=False, heard_s=None, frames=0),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
named = st.sampled_from(["facts", *sorted({f for one in CORES for f in one.__struct_fields__})])


@given(core=st.sampled_from(CORES), facts=st.dictionaries(named | st.text(max_size=5), values))
def test_facts_are_in_the_file_what_they_are_and_the_core_s_keys_win(core, facts):
    status = golden()
    take = put(status, structs.replace(core, facts=facts))
    own = structs.asdict(core)
    del own["facts"]
    content = encode(status)
    assert list(take(json.loads(content)).items()) == list((facts | own).items())
    read_back = typed(json.loads(content))
    assert encode(read_back) == encode(typed(json.loads(encode(read_back))))
    only = {key: value for key, value in facts.items() if key not in own}
    put(status, structs.replace(core, facts=only))
    assert read_back == status


# --- other releases -------------------------------------------------------------------------


def grown(value):
    """Add a key to every object, as a newer release may."""
    if not isinstance(value, dict):
        return value
    return {key: grown(each) for key, each in value.items()} | {"new": [1, {"deep": None}]}


def test_keys_of_a_newer_release_are_left_out_and_shown_all_the_same(tmp_path):
    raw = json.loads(GOLDEN)
    newer = {key: grown(value) if key in ("role", "timing", "respond") else value
             for key, value in raw.items()} | {"new": {"x": 1}}  # fmt: skip
    newer["paths"]["line"] |= {"new": 1}
    newer["paths"]["line"]["quality"] |= {"new": 1}
    newer["pair"]["partner"] |= {"new": 1}
    assert typed(newer) == golden()
    (tmp_path / STATUS_FILE).write_text(json.dumps(newer))
    status, whole = read_whole(tmp_path)
    assert whole == newer | {"age_s": status.age_s, "state": status.state}


def test_an_older_file_has_defaults():
    least = {
        "node": "gw", "state": "running", "pid": 1, "written_at": "2026-01-01T00:00:00.000Z",
        "role": {"wanted": None, "observed": None},
        "paths": {"vpn1": {"verdict": "up", "since": "x", "probes": {}}},
        "actions": {"gateway": {"phase": "settled", "observed": None, "error": None}},
        "notifiers": {},
    }  # fmt: skip
    status = typed(least)
    assert (status.role.reason, status.pair, status.respond) == (None, None, None)
    assert (status.timing.void, status.paths["vpn1"].quality) == (0, UNSET)
    assert "gw running" in shown(status)


@pytest.mark.parametrize("key", ["node", "state", "pid", "written_at", "role", "paths"])
def test_what_every_release_wrote_is_needed(key):
    raw = json.loads(GOLDEN)
    del raw[key]
    with pytest.raises(ValueError, match=key):
        typed(raw)


# --- filling --------------------------------------------------------------------------------


def tree(value):
    """Give the keys of an object, in their order."""
    return [(k, tree(v)) for k, v in value.items()] if isinstance(value, dict) else None


GATEWAY = """
[node]
name = "gw"
give_up_on = "all"
state_dir = "{dir}/state"
run_dir = "{dir}/run"
[path.line]
profile = "fast"
false_switches = "1/100h"
[path.line.probe.echo]
type = "udp-echo"
host = "127.0.0.1"
port = {echo}
[path.plain]
interval = "100ms"
timeout = "400ms"
fall = 3
rise = 5
damping = false
[path.plain.probe.own]
type = "exec"
command = ["true"]
[path.plain.probe.tcp]
type = "tcp"
host = "127.0.0.1"
port = 1
[respond]
listen = ["127.0.0.1:{echo}"]
allow = ["127.0.0.1/32"]
allow_low_ports = true
[action.more]
type = "exec"
active = ["true"]
standby = ["true"]
[notifier.log]
type = "exec"
command = ["true"]
[notifier.syslog]
type = "syslog"
[pair]
priority = 150
key_file = "{dir}/key"
[pair.link.lan]
type = "udp"
local = "127.0.0.1"
peer = "127.0.0.2"
port = {pair}
"""


@pytest.fixture
def daemon(tmp_path):
    made = Daemon(tmp_path)
    yield made
    made.end()


def unused_ports(count):
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(count)]
        for each in made:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in made]


def test_a_daemon_writes_the_keys_that_it_wrote(daemon):
    echo, pair = unused_ports(2)
    (daemon.dir / "key").write_text("ab" * 32)
    (daemon.dir / "key").chmod(0o600)
    daemon.file.write_text(GATEWAY.format(dir=daemon.dir, echo=echo, pair=pair))
    daemon.start()
    daemon.wait(lambda s: s.paths["line"].probes["echo"].ok > 3, "replies")
    said = daemon.shown()
    assert re.search(r"calm gives up after \S+ s of silence: loss \S+ %, ", said)
    expected = json.loads(GOLDEN)
    expected["pair"]["partner"] = None
    del expected["pair"]["links"]["cable"], expected["actions"]["gateway"]
    content = (daemon.dir / "run" / STATUS_FILE).read_bytes()
    assert tree(without_added(content)) == tree(expected)
    assert encode(typed(json.loads(content))) == content


def test_the_control_socket_gives_what_the_file_has(daemon):
    daemon.start().wait_verdict("up")
    daemon.havpn("pause")
    given = request(daemon.dir / "run", do="status")
    assert given["state"] == "paused"
    assert tree(given) == tree(json.loads((daemon.dir / "run" / STATUS_FILE).read_bytes()))
    assert typed(given).paths["vpn1"].verdict == "up"


def test_a_force_an_error_and_the_last_events_are_shown_while_they_last(daemon):
    daemon.start().wait_verdict("up")
    daemon.wait_role("active")
    assert daemon.havpn("status", "--check").stdout.startswith("HAVPN OK - gw active, 1 of 1")
    daemon.script("give", "echo cannot let go >&2; exit 1")
    daemon.havpn("switch", "--to", "standby", "--for", "10m")
    failed = daemon.wait(lambda s: s.actions["gateway"].retry_s, "a retry")
    assert 0 < failed.actions["gateway"].retry_s <= 60
    assert 590 < failed.role.forced_s <= 600
    said = daemon.shown()
    assert "! forced to standby by an operator, until " in said
    assert "failed: " in said and "cannot let go; next try in" in said
    assert said.count(" event ") == 3
    checked = daemon.havpn("status", "--check")
    assert checked.returncode == 1
    assert "; action gateway fails: " in checked.stdout
    assert daemon.havpn("status").returncode == 0
    daemon.script("give", f"echo standby > {daemon.dir}/role")
    daemon.wait(lambda s: s.role.observed == "standby" and not s.actions["gateway"].error, "it")
    daemon.havpn("switch", "--to", "auto")
    daemon.wait(lambda s: s.role.observed == "active" and s.role.forced_s is None, "the end")
    now = daemon.shown().partition(" event ")[0]
    assert "cannot let go" not in now and "forced to" not in now


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--check", "--json"], "leave --json"), (["--site", "--check"], "leave --json"),
        (["--check", "--watch"], "leave --json"), (["--check", "-w", "5"], "No such option"),
        (["--warning=5", "--check"], "No such option"),
        (["--check", "gw-aa"], "unexpected extra argument (gw-aa)"),
        (["--check", "--run-dir"], "requires an argument"),
    ],
)  # fmt: skip
def test_a_check_with_wrong_options_is_unknown_as_for_any_plugin(options, why):
    ended = subprocess.run(
        [sys.executable, "-m", "havpn_core", "status", *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 3
    assert ended.stdout.startswith("HAVPN UNKNOWN - ")
    assert why in ended.stdout
    assert ended.stdout.count("\n") == 1
    assert "Usage: " in ended.stderr and why in ended.stderr


def test_a_wrong_wish_is_refused_and_no_status_is_unknown(daemon):
    for options in (["--watch", "--json"], ["--warning"]):
        refused = daemon.havpn("status", *options)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "leave" in refused.stderr or "No such option" in refused.stderr
    none = daemon.havpn("status", "--check")
    assert (none.returncode, none.stderr) == (3, "")
    assert none.stdout.startswith("HAVPN UNKNOWN - ")
    assert "has the daemon ever run with this configuration" in none.stdout
    assert daemon.havpn("status").returncode == 1


@pytest.mark.parametrize("terminal", ["pipe", "dumb"])
def test_what_is_no_screen_is_watched_in_plain_text_as_it_changes(tmp_path, terminal):
    status = tmp_path / STATUS_FILE
    status.write_bytes(GOLDEN)
    config = tmp_path / "havpn.toml"
    config.write_text(f'[node]\nrun_dir = "{tmp_path}"\nstate_dir = "{tmp_path}"\n')
    command = [sys.executable, "-m", "havpn_core", "status", "--watch", "-c", config]
    out, inside = os.openpty() if terminal == "dumb" else os.pipe()
    with subprocess.Popen(command, stdout=inside, env=os.environ | {"TERM": terminal}) as watching:
        os.close(inside)
        shown = _read_until(out, "role            standby")
        time.sleep(1.2)  # two more looks, at which nothing but its age has changed
        status.write_bytes(GOLDEN.replace(b'"standby"', b'"active"', 2))
        shown += _read_until(out, "role            active")
        watching.send_signal(signal.SIGINT)
    os.close(out)
    assert watching.returncode == 0
    assert "\033" not in shown
    assert shown.count(" stale; ") == 2, shown


def _read_until(number, text):
    """Read from a descriptor until a text came."""
    shown = ""
    while text not in shown:
        assert select.select([number], [], [], 20)[0], shown
        shown += os.read(number, 65536).decode()
    return shown


def test_a_history_that_cannot_be_read_hides_no_status(tmp_path):
    (tmp_path / STATUS_FILE).write_bytes(GOLDEN)
    (tmp_path / HISTORY_FILE).mkdir()
    config = tmp_path / "havpn.toml"
    config.write_text(f'[node]\nrun_dir = "{tmp_path}"\nstate_dir = "{tmp_path}"\n')
    ended = subprocess.run(
        [sys.executable, "-m", "havpn_core", "status", "-c", config],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert ended.returncode == 0
    assert "path line" in ended.stdout
    assert re.search(rf"^!  events .*\n?.*{HISTORY_FILE}", ended.stdout, re.M)


def test_the_last_events_come_from_both_parts_of_the_history(tmp_path):
    def line(number):
        return as_line(Event("daemon", "", "", f"e{number}", at=datetime.now(UTC)))

    assert last_events(tmp_path, 3) == []
    older = tmp_path / f"{HISTORY_FILE}.1"
    older.write_bytes(b"".join(map(line, range(9))) + b"cut off")
    (tmp_path / HISTORY_FILE).write_bytes(b"damaged\n" + line(9))
    assert [each.after for each in last_events(tmp_path, 3)] == ["e7", "e8", "e9"]
    (tmp_path / HISTORY_FILE).write_bytes(b"".join(map(line, range(9, 99))))
    assert [each.after for each in last_events(tmp_path, 3)] == ["e96", "e97", "e98"]


def test_nothing_that_the_pair_says_is_left_out():
    rules = PairRules(interval_s=1.0, dead_s=3.0, takeover_s=6.0, rest_s=8.0)
    owns = [Own(1, 100, held=Role.STANDBY), Own(2, 100, held=Role.STANDBY)]
    a, b = (PairSession(rules, authenticator((bytes(32),), 7), own, ("lan",), 0.0) for own in owns)
    for now_s in (1.0, 2.0, 3.0):
        deliver(a, "lan", b.frame(), now_s)
        deliver(b, "lan", a.frame(), now_s)
    said = msgspec.to_builtins(a.facts(3.0)) | {"line": None}  # which the daemon adds
    said["links"]["lan"] = {"sent": 3, "facts": "own"} | said["links"]["lan"]
    assert said["partner"] is not None
    status = structs.replace(golden(), pair=typed_pair(said))
    assert json.loads(encode(status))["pair"] == said
    assert isinstance(status.pair, PairStatus)


def test_every_count_of_the_responder_has_its_key():
    options = RespondOptions(listen=["127.0.0.1:7"], allow=["127.0.0.1/32"])
    counts = Responder(options, time.monotonic, None).counts
    assert structs.asdict(RespondStatus(**counts)) == counts | {"silence": ""}
    assert [*counts, "silence"] == list(RespondStatus.__struct_fields__)


# --- for people -----------------------------------------------------------------------------


def test_the_role_has_its_reason():
    status = golden()
    assert "why" not in shown(status)
    status.role.reason = "path vpn1 up"
    assert "role standby since 00:59:47 UTC (11 s) why path vpn1 up" in shown(status)


def test_a_silent_responder_has_its_reason():
    status = golden()
    assert "respond" not in shown(status)
    status.respond.silence = "in maintenance, and standing by"
    assert "respond silent: in maintenance, and standing by" in shown(status)
    status.respond = None
    assert "respond" not in shown(status)


# --- age ------------------------------------------------------------------------------------


def later(seconds, wall=0.0, boot_name=AT.boot, boot_s=None):
    """Give the clocks so many seconds later, with the wall clock set by so many besides."""
    passed = AT.boot_s + seconds if boot_s is None else boot_s
    return Clocks(AT.wall_s + seconds + wall, passed, boot_name)


@pytest.mark.parametrize(
    ("now", "age"),
    [
        (later(2.5), 2.5),
        (later(2.5, wall=3600), 2.5),
        (later(2.5, wall=-3600), 2.5),
        (later(60, wall=-3600), 60),
        (later(60, wall=-60), 60),
        (later(-0.0005), 0),  # rounded up as it was written
        (later(90, boot_name="another", boot_s=20), 90),
        (later(90, boot_name="", boot_s=20), 90),
        (later(3, boot_s=4000), 3),  # a container with its own clock of the boot
    ],
)
def test_the_age_is_that_of_the_boot_s_clock_within_a_boot(now, age):
    assert age_s(status_of(), now) == pytest.approx(age)


def test_the_age_of_an_older_file_is_the_wall_clock_s():
    older = status_of(written_uptime_s=None, boot="")
    assert age_s(older, later(2.5, wall=3600)) == pytest.approx(3602.5)
    with pytest.raises(ValueError, match="no time zone"):
        age_s(status_of(written_at="2026-01-01T00:00:00"), AT)


OLDER = {"written_uptime_s": None, "boot": ""}
BORN = AT.boot_s - 100


@pytest.mark.parametrize(
    ("more", "now", "birth_s", "state"),
    [
        ({}, later(1), BORN, "running"),
        ({"state": "paused"}, later(1), BORN, "paused"),
        ({}, later(1, wall=1e6), BORN, "running"),
        ({}, later(1, wall=-1e6), BORN, "running"),
        ({}, later(11), BORN, "stale"),
        ({}, later(11, wall=-1e6), BORN, "stale"),
        ({}, later(1), None, "stale"),
        ({"state": "stopped"}, later(1e6), None, "stopped"),
        # the number was taken again, by whoever began after the file was written
        ({}, later(5), AT.boot_s + 2, "stale"),
        ({}, later(5, wall=-1e6), AT.boot_s + 2, "stale"),
        # a boot later, whose clock begins in the past
        ({}, later(1, wall=-3600, boot_name="another", boot_s=30), 10.0, "stale"),
        (OLDER, later(1), BORN, "running"),
        (OLDER, later(1, wall=1e6), BORN, "stale"),
        (OLDER, later(5), AT.boot_s + 2, "stale"),
        (OLDER, later(11), BORN, "stale"),
    ],
)
def test_a_status_is_stale_if_its_daemon_does_not_work(more, now, birth_s, state):
    status = status_of(**more)
    status.age_s = age_s(status, now)
    assert judged(status, now, birth_s) == state


@pytest.mark.parametrize("hours", [-5, 0, 5])
def test_setting_the_clock_makes_no_fresh_file_stale(tmp_path, hours):
    now = boot.clocks()
    written = datetime.now(UTC) + timedelta(hours=hours)
    status = status_of(now, pid=os.getpid(), written_at=rfc3339(written))
    (tmp_path / STATUS_FILE).write_bytes(encode(status))
    found = read(tmp_path)
    assert (found.state, found.works) == ("running", True)
    assert 0 <= found.age_s < 10
    assert "as of" in plain(rows(found)).splitlines()[0]


def test_no_status_is_none(tmp_path):
    assert read(tmp_path) is None


def test_the_birth_of_a_process_is_within_its_life():
    before = boot.clocks().boot_s
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        born = boot.birth_s(child.pid)
        assert before - 0.02 <= born <= boot.clocks().boot_s
    finally:
        child.communicate(b"\n", timeout=30)
    assert boot.birth_s(child.pid) is None
    assert boot.birth_s(-1) is None


def test_a_process_that_ended_and_was_not_waited_for_has_no_birth():
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as ended:
        child = subprocess.Popen(["true"], pass_fds=(write_end,))
        os.close(write_end)
        ended.read()  # nobody holds the other end any more
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert boot.birth_s(child.pid) is None
        child.wait()
