"""The daemon on a sick line: what it says, what it remembers, what it keeps to itself."""

import json
import signal
import time

import pytest

from tests.core.daemon import Daemon


@pytest.fixture
def gateway(tmp_path):
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.end(signal.SIGKILL)


def told(daemon, kind):
    shown = daemon.havpn("events", "--json").stdout.splitlines()
    return [e for e in map(json.loads, shown) if e["kind"] == kind]


def lose(daemon, lost, of):
    """Let the line fail for some questions of every few."""
    count = f"{daemon.dir}/count"
    daemon.script(
        "line",
        f"n=$(cat {count} 2>/dev/null || echo 0); echo $((n + 1)) > {count}; "
        f"test $((n % {of})) -ge {lost} || exit 2",
    )


def test_a_grey_line_is_reported_and_keeps_its_role(gateway):
    gateway.configure(path="window = '2s'\nwindow_min = 10\non_poor = 'report'")
    gateway.start()
    gateway.wait_verdict("up")
    lose(gateway, 2, 3)
    status = gateway.wait(lambda s: s.paths["vpn1"].quality.verdict == "poor", "a poor line")
    assert 0.2 < status.paths["vpn1"].quality.loss < 0.9
    gateway.wait(lambda s: s.paths["vpn1"].quality.grey, "a grey line")
    gateway.script("line", "true")
    gateway.wait(lambda s: s.paths["vpn1"].quality.verdict == "good", "a good line")
    assert [(e["before"], e["after"]) for e in told(gateway, "quality")] == [
        ("good", "poor"),
        ("poor", "good"),
    ]
    assert "loss" in told(gateway, "quality")[0]["detail"]
    grey = told(gateway, "path")[0]
    assert (grey["before"], grey["after"], grey["severity"]) == ("", "line grey", "warning")
    assert grey["detail"].startswith("loses more than 3 % of its probes; loss ")
    assert gateway.role == "active"
    assert gateway.calls == []


def test_a_grey_line_may_be_left(gateway):
    gateway.configure(path="window = '2s'\nwindow_min = 10\non_poor = 'switch'")
    gateway.start()
    gateway.wait_verdict("up")
    lose(gateway, 2, 3)
    gateway.wait_role("standby")
    gateway.script("line", "true")
    gateway.wait_role("active")


def test_flaps_hold_the_way_back_and_outlive_kill_9(gateway):
    gateway.configure(path="flap_half_life = '10s'\nflap_max_hold = '1m'")
    gateway.start()
    for _ in range(2):
        gateway.wait_role("active")
        gateway.cut()
        gateway.wait_role("standby")
        gateway.heal()
    held = gateway.wait(lambda s: s.paths["vpn1"].flaps.hold_s > 0, "a hold")
    assert held.paths["vpn1"].flaps.penalty > 1.5
    assert "flapping" in told(gateway, "verdict")[-1]["detail"] + str(told(gateway, "verdict"))
    gateway.end(signal.SIGKILL)
    gateway.start()
    status = gateway.wait_verdict("recovering")
    assert status.paths["vpn1"].flaps.hold_s > 0
    assert gateway.role == "standby"
    gateway.wait_role("active")


def test_confirming_a_lost_packet_is_no_news(gateway):
    gateway.configure(path="confirm = '20ms'\nwindow_min = 100000")
    gateway.start()
    gateway.wait_verdict("up")
    lose(gateway, 1, 5)
    gateway.wait(lambda s: s.paths["vpn1"].flickers >= 5, "flickers")
    assert all(e["after"] == "up" for e in told(gateway, "verdict"))


def test_own_lateness_is_reported(gateway):
    gateway.start()
    gateway.wait_verdict("up")
    gateway.process.send_signal(signal.SIGSTOP)
    gateway.cut()
    time.sleep(1.5)
    gateway.heal()
    gateway.process.send_signal(signal.SIGCONT)
    status = gateway.wait(lambda s: s.timing.void >= 20, "void rounds")
    assert status.timing.late_ms.max > 1000
    assert status.paths["vpn1"].verdict == "up"
    gateway.wait(lambda s: told(gateway, "daemon")[-1]["after"] == "late", "the report")
    assert gateway.calls == []


def test_what_is_learned_of_a_line_outlives_a_restart_and_is_shown(gateway):
    text = gateway.file.read_text().replace(
        "fall = 3", 'profile = "fast"\nfalse_switches = "1/100h"'
    )
    gateway.file.write_text(text)
    gateway.start()
    gateway.wait(lambda s: s.paths["vpn1"].probes["echo"].ok > 20, "replies")
    lose(gateway, 1, 3)
    gateway.wait(lambda s: s.paths["vpn1"].calm.loss > 0.02, "loss that is learned")
    gateway.end()
    kept = json.loads((gateway.dir / "state" / "state.json").read_text())["records"]["vpn1"]
    assert kept["lost"] >= 1 and kept["probes"] > 20
    gateway.heal()
    gateway.script("line", "exit 0")
    gateway.start()
    status = gateway.wait(lambda s: s.paths["vpn1"].probes["echo"].ok > 3, "replies")
    assert status.paths["vpn1"].calm.loss > 0.01
    assert "gives up after" in gateway.shown()
    shown = gateway.havpn("advise", "--path", "vpn1").stdout
    assert "probes remembered" in shown
