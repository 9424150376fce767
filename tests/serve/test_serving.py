"""The process beside a real daemon: it starts, follows a reload, and ends with the daemon."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from havpn_core.config.read import load
from havpn_core.errors import ConfigError
from tests.core.daemon import Daemon
from tests.ports import free_port
from tests.serve.values import publish

ROOT = Path(__file__).parents[2]


def get(port, path):
    """Give the status of a page, and the page; 0 while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read().decode()
    except OSError:
        return 0, ""


def wait(condition, what, timeout=90.0):
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come")


def children(pid):
    """Give the processes that serve for a daemon."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(pid) and b"havpn_core.serve" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


@pytest.fixture
def port():
    return free_port(socket.SOCK_STREAM)


@pytest.fixture
def daemon(tmp_path, port):
    made = Daemon(tmp_path, more=f'[metrics]\nlisten = ["127.0.0.1:{port}"]\n')
    yield made
    made.end(signal.SIGKILL)


def test_it_serves_what_the_daemon_publishes_and_ends_with_it(daemon, port):
    daemon.start().wait_role("active")
    wait(lambda: get(port, "/active") == (200, "active\n"), "an active gateway")
    assert 'havpn_path_state{path="vpn1",state="up"} 1.0' in get(port, "/metrics")[1]
    (child,) = children(daemon.process.pid)
    daemon.cut()
    daemon.wait_role("standby")
    wait(lambda: get(port, "/active")[0] == 503, "a standby gateway")
    wait(lambda: "\nhavpn_role_changes_total 1.0" in get(port, "/metrics")[1], "one change")
    events = json.loads(get(port, "/history?limit=500")[1])
    assert [e["after"] for e in events if e["kind"] == "role"] == ["active", "standby"]
    daemon.end()
    wait(lambda: not Path(f"/proc/{child}").exists(), "its end")
    assert "metrics" not in daemon.log()


def test_a_daemon_that_hangs_exports_nothing(daemon, port):
    daemon.start().wait_role("active")
    wait(lambda: get(port, "/liveness")[0] == 200, "a living gateway")
    os.kill(daemon.process.pid, signal.SIGSTOP)
    wait(lambda: get(port, "/liveness")[0] == 503, "a hung gateway")
    assert [get(port, path)[0] for path in ("/active", "/metrics", "/status")] == [503] * 3
    os.kill(daemon.process.pid, signal.SIGCONT)
    wait(lambda: get(port, "/liveness")[0] == 200, "a gateway that goes on")


def test_it_ends_with_a_daemon_that_is_killed(daemon, port):
    daemon.start()
    wait(lambda: get(port, "/liveness")[0] == 200, "a living gateway")
    (child,) = children(daemon.process.pid)
    daemon.end(signal.SIGKILL)
    wait(lambda: not Path(f"/proc/{child}").exists(), "its end")


def test_one_that_dies_is_reported_and_started_again(daemon, port):
    daemon.start()
    (child,) = wait(lambda: children(daemon.process.pid), "the process")
    wait(lambda: get(port, "/liveness")[0] == 200, "a living gateway")
    os.kill(child, signal.SIGKILL)
    event = daemon.wait_event("daemon", "trouble")
    assert (
        event["detail"] == "metrics: its process ended with status -9; it is started again in 1 s"
    )
    wait(lambda: get(port, "/liveness")[0] == 200, "a new process")
    assert children(daemon.process.pid) != [child]


def test_a_reload_moves_it_and_ends_it(daemon, port):
    daemon.start()
    wait(lambda: get(port, "/liveness")[0] == 200, "a living gateway")
    (child,) = children(daemon.process.pid)
    other = free_port(socket.SOCK_STREAM)
    daemon.configure(more=f'[metrics]\nlisten = ["127.0.0.1:{other}"]\n')
    assert daemon.havpn("reload").returncode == 0
    wait(lambda: get(other, "/liveness")[0] == 200, "the other port")
    assert get(port, "/liveness")[0] == 0
    assert "successful 1.0" in get(other, "/metrics")[1]
    daemon.configure(more="[metrics]\nlisten = 3\n")
    assert daemon.havpn("reload").returncode != 0
    wait(lambda: "successful 0.0" in get(other, "/metrics")[1], "the refusal")
    daemon.configure()
    assert daemon.havpn("reload").returncode == 0
    wait(lambda: not children(daemon.process.pid), "the end of the process")
    assert not Path(f"/proc/{child}").exists()


def test_an_address_in_use_is_said_and_tried_again(daemon, port):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        daemon.start()
        event = daemon.wait_event("daemon", "trouble")
        assert f"metrics: listen: 127.0.0.1:{port}: address already in use" in event["detail"]
    wait(lambda: get(port, "/liveness")[0] == 200, "the address")
    assert daemon.wait_event("daemon", "over")["detail"] == f"metrics: listens at 127.0.0.1:{port}"


def test_its_process_has_fewer_rights_and_a_lower_priority(daemon, port):
    daemon.start()
    wait(lambda: get(port, "/liveness")[0] == 200, "a living gateway")
    (child,) = children(daemon.process.pid)
    facts = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{child}/status").read_text().splitlines()
    )
    net_bind_service = 1 << 10
    for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(facts[kind], 16) & ~net_bind_service == 0, kind
    assert facts["NoNewPrivs"] == "1"
    nice = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[16]
    assert int(nice) >= 10
    assert b"NOTIFY_SOCKET" not in Path(f"/proc/{child}/environ").read_bytes()


def test_a_filter_of_system_calls_does_not_end_it(tmp_path, port):
    """As that of a unit with ``SystemCallFilter=~@privileged @resources``, which kills."""
    publish(tmp_path)
    command = [sys.executable, "-m", "havpn_core.serve", f"--run-dir={tmp_path}"]
    command += [f"--state-dir={tmp_path}", f"127.0.0.1:{port}"]
    filtered = [sys.executable, str(Path(__file__).parent / "filtered.py"), *command]
    with subprocess.Popen(filtered, stdin=subprocess.PIPE) as process:
        try:
            wait(lambda: get(port, "/liveness")[0] == 200, "the page")
            facts = Path(f"/proc/{process.pid}/status").read_text()
            assert "\nSeccomp:\t2\n" in facts
            assert "\nCapEff:\t0000000000000000\n" in facts
        finally:
            process.stdin.close()
        assert process.wait(20) == 0


def test_without_the_table_nothing_listens(tmp_path):
    daemon = Daemon(tmp_path)
    daemon.start().wait_role("active")
    assert children(daemon.process.pid) == []
    daemon.end()


# --- the configuration ------------------------------------------------------------------------


def problems(tmp_path, text):
    made = Daemon(tmp_path, more=text)
    with pytest.raises(ConfigError) as refused:
        load(made.file)
    return refused.value.problems


def test_it_listens_on_loopback_by_default(tmp_path):
    config, _ = load(Daemon(tmp_path, more="[metrics]\n").file)
    assert config.metrics.listen == ("127.0.0.1:9713",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('listen = ["localhost:9713"]', "metrics: listen: 'localhost:9713' is no address with a"),
        ('listen = ["127.0.0.1"]', "metrics: listen: '127.0.0.1' is no address with a port"),
        ('listen = ["127.0.0.1:0"]', 'write "127.0.0.1:9713" or "[::1]:9713"'),
        ('listen = ["::1:9713"]', "metrics: listen: '::1:9713' is no address with a port"),
        ("listen = []", "metrics.listen"),
        ("port = 9713", "metrics.port: there is no such key"),
    ],
)
def test_what_is_wrong_is_named_with_the_remedy(tmp_path, text, problem):
    (found,) = problems(tmp_path, f"[metrics]\n{text}\n")
    assert problem in found


def test_a_missing_package_is_named_with_its_extra(tmp_path):
    """In an interpreter that has no prometheus_client, as after ``pip install havpn``."""
    file = Daemon(tmp_path, more="[metrics]\n").file
    hide = "import sys; sys.modules['prometheus_client'] = None\n"
    argv = ["havpn", "check", "-c", str(file)]
    script = f"{hide}from havpn_core.cli import main\nsys.argv = {argv}\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "metrics: needs the package prometheus-client" in done.stderr
    assert "pip install 'havpn[metrics]'" in done.stderr


def test_page_rules_and_dashboard_are_in_the_wheel():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "page.html" in build["package-data"]["havpn_core.serve"]
    laid = [file for each in build["data-files"].values() for file in each]
    for folder in ("prometheus", "grafana"):
        for file in (ROOT / "packaging" / folder).iterdir():
            assert str(file.relative_to(ROOT)) in laid
