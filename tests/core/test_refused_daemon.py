"""Two daemons that probe each other's responder: starts, restarts and crashes move nobody."""

import signal
import socket
import time

import pytest

from tests.core.daemon import Daemon

GATEWAY = """
[node]
name = "{name}"
state_dir = "{dir}/state"
run_dir = "{dir}/run"
[path.vpn1]
profile = "{profile}"
{path}
[path.vpn1.probe.echo]
type = "udp-echo"
host = "127.0.0.{other}"
port = {port}
source = "127.0.0.{own}"
[respond]
listen = ["127.0.0.{own}:{port}"]
allow = ["127.0.0.0/8"]
rate = 1000
[action.gateway]
type = "exec"
active = ["{dir}/take"]
standby = ["{dir}/give"]
observe = ["/bin/cat", "{dir}/role"]
deadline = "5s"
"""

# A busy machine may keep a process waiting for long: only who is dead may be silent that long.
PATIENT = 'timeout = "2s"\nlateness = "fixed"\nrise = 20'


class Far:
    """Both ends of one line; each is active for the hosts of its own site."""

    def __init__(self, folder, port, profile="fast", path=PATIENT):
        self.ends = {}
        for own, name in enumerate("ab", 1):
            (folder / name).mkdir()
            daemon = self.ends[name] = Daemon(folder / name)
            text = GATEWAY.format(
                dir=daemon.dir, name=name, own=own, other=3 - own, port=port, profile=profile,
                path=path,
            )  # fmt: skip
            daemon.file.write_text(text)

    def __getitem__(self, name):
        return self.ends[name]

    def verdicts(self, name, since=None):
        return [(e["before"], e["after"]) for e in self[name].events("verdict", since)]

    def end(self):
        for daemon in self.ends.values():
            daemon.end(signal.SIGKILL)


@pytest.fixture
def port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


@pytest.fixture
def line(tmp_path, port):
    made = Far(tmp_path, port)
    yield made
    made.end()


def refused(daemon, number=3):
    """Wait until so many more requests were refused; that count only grows."""
    before = daemon.status().paths["vpn1"].probes["echo"].refused
    daemon.wait(lambda s: s.paths["vpn1"].probes["echo"].refused >= before + number, "refusals")


def replied(daemon):
    """Wait until a reply has come that was sent for after this."""
    before = daemon.status().paths["vpn1"].probes["echo"].ok
    daemon.wait(lambda s: s.paths["vpn1"].probes["echo"].ok >= before + 3, "replies")


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_starts_and_crashes_of_the_far_daemon_move_nobody(line, order):
    first, second = line[order[0]], line[order[1]]
    first.start()
    refused(first)
    assert line.verdicts(order[0]) == []
    assert first.status().paths["vpn1"].verdict == "unknown"
    second.start()
    for daemon in (first, second):
        daemon.wait_verdict("up")
    roles = first.wait_event("role", "active")
    for _ in range(3):
        second.end(signal.SIGKILL)
        refused(first)
        second.start()
        second.wait_verdict("up")
        replied(first)
    assert line.verdicts(order[0]) == [("unknown", "up")]
    assert set(line.verdicts(order[1])) == {("unknown", "up")}
    assert first.events("role") == [roles]
    assert first.calls == second.calls == []


def test_a_far_daemon_that_is_gone_is_said_once_and_so_is_its_return(line):
    for daemon in line.ends.values():
        daemon.start()
    line["a"].wait_verdict("up")
    replied(line["a"])
    line["a"].since = gone = line["a"].now()
    line["b"].end(signal.SIGTERM)
    missing = line["a"].wait_event("path", "far responder missing")
    assert (missing["subject"], missing["severity"]) == ("vpn1", "warning")
    assert "the far host lives" in missing["detail"]
    status = line["a"].wait(lambda s: s.paths["vpn1"].refused_s, "since when it refuses")
    assert (status.paths["vpn1"].verdict, status.role.wanted) == ("up", "active")
    assert "far responder missing for" in line["a"].shown()
    time.sleep(1.2)  # long enough for a second event, if there were one
    line["b"].start()
    back = line["a"].wait_event("path", "far responder back")
    assert (back["before"], back["severity"]) == ("far responder missing", "info")
    line["a"].wait(lambda s: s.paths["vpn1"].refused_s is None, "no refusals")
    assert [e["after"] for e in line["a"].events("path", gone)] == [missing["after"], back["after"]]
    assert line.verdicts("a") == [("unknown", "up")]


def test_in_profile_article_a_refusal_is_a_failure(tmp_path, port):
    line = Far(tmp_path, port, "article", 'interval = "50ms"\nrise = 5')
    try:
        for daemon in line.ends.values():
            daemon.start()
        replied(line["a"])
        line["b"].end(signal.SIGKILL)
        line["a"].since = line["a"].now()
        down = line["a"].wait_event("verdict", "down")
        assert "the far host lives" in down["detail"]
        line["a"].wait_role("standby")
        assert line["a"].events("path") == []
        line["b"].start()
        line["a"].wait_role("active")
        probe = line["a"].status().paths["vpn1"].probes["echo"]
        assert (probe.refused, probe.fail >= 6) == (0, True)
    finally:
        line.end()
