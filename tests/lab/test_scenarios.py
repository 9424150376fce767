"""The whole street, end to end: real heartbeat, real strongSwan, real lines that really fail.

One network serves all scenarios; each leaves it calm, and the last one breaks it.
"""

import time

import pytest

from havpn_core.testing.lab import Direction, TwoSite, wait_for
from havpn_core.testing.lab.gateways import (
    gateway_config,
    start_gateways,
    wait_backup,
    wait_calm,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

HANG = "/etc/havpn/heartbeat"


@pytest.fixture(scope="module")
def lab():
    with TwoSite(cluster="heartbeat") as network:
        yield network


@pytest.fixture(scope="module")
def daemons(lab):
    return start_gateways(lab)


@pytest.fixture(autouse=True)
def calm(lab, daemons):
    wait_calm(lab, daemons)


@pytest.fixture
def line(lab):
    provider = lab.providers["provider-1"]
    yield provider
    provider.heal()


def told(daemon):
    return daemon.host.read("/run/havpn/told")


def actions_of(daemon):
    return told(daemon).count("applying")


def test_silent_cut_moves_both_sites_and_a_connection_survives(lab, daemons, line, capsys):
    pinger, stream = lab.pinger(), lab.stream()
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        cut = time.monotonic()
        line.cut()
        wait_backup(lab)
        wait_for(lambda: pinger.answered(since=time.monotonic() - 0.5) > 10, 20, "traffic again")
        outage = pinger.longest_outage_since(cut)
        time.sleep(2)
        assert stream.report().alive
        before = stream.report().bytes
        healed = time.monotonic()
        line.heal()
        wait_calm(lab, daemons)
        failback = time.monotonic() - healed
        time.sleep(3)
        back = pinger.longest_outage_since(healed)
        assert stream.report().alive
        assert stream.report().bytes > before
        report = stream.finish()
    finally:
        pinger.stop()
        stream.kill()
    with capsys.disabled():
        print(
            f"\n  silent cut: client outage {outage:.2f} s; both sites back {failback:.1f} s "
            f"after the heal, outage then {back:.2f} s; {report.bytes} bytes both ways intact"
        )
    assert report.intact, report.error
    assert outage <= 5.0  # by heartbeat, on a busy host; make faults measures it


@pytest.fixture
def patient(daemons):
    """Both ends of line 1 with fall = 15: what a test calls short is short on a busy machine."""
    for name in ("gw-aa", "gw-ba"):
        reconfigure(daemons[name], gateway_config(name, fall=15))
    yield
    for name in ("gw-aa", "gw-ba"):
        reconfigure(daemons[name], gateway_config(name))


def reconfigure(daemon, config):
    reloads = told(daemon).count("reloaded")
    daemon.configure(config)
    daemon.reload()
    wait_for(lambda: told(daemon).count("reloaded") > reloads, 10, "the reload")


def pass_through(daemon, change, verdict):
    """Change the line, and wait until the path has had the verdict, if only for a moment."""
    since = time.time()
    change()
    daemon.wait_event("verdict", verdict, 10, since)


def test_bursts_shorter_than_fall_and_heals_shorter_than_rise_cause_no_action(
    lab, daemons, patient, line
):
    daemon = daemons["gw-aa"]
    before = actions_of(daemon)
    for _ in range(5):
        pass_through(daemon, line.cut, "failing")
        pass_through(daemon, line.heal, "up")
    assert actions_of(daemon) == before
    line.cut()
    wait_backup(lab)
    before = actions_of(daemon)
    for _ in range(2):
        pass_through(daemon, line.heal, "recovering")
        pass_through(daemon, line.cut, "down")
    assert actions_of(daemon) == before
    assert lab.holders("a") == {"gw-ab"}


@pytest.mark.parametrize(
    "when",
    [
        *(pytest.param(when, marks=pytest.mark.more) for when in ("up", "failing")),
        *("stopping", "down", "recovering"),
    ],
)
def test_kill_9_at_any_moment_ends_in_the_right_role(lab, daemons, line, when):
    daemon = daemons["gw-aa"]
    since = time.time()
    if when != "up":
        line.cut()
    if when == "stopping":
        daemon.wait_event("action", "applying standby", 10, since)
    elif when in ("down", "recovering"):
        daemon.wait_role("standby", 30)
    if when == "recovering":
        line.heal()
    if when not in ("up", "stopping"):
        daemon.wait_event("verdict", when, 10, since)
    daemon.kill()
    daemon.start()
    if when in ("failing", "stopping", "down"):
        wait_backup(lab)
        daemon.wait_role("standby", 30)
    line.heal()
    wait_calm(lab, daemons)


def test_a_far_supervisor_that_dies_moves_nobody_and_is_reported(lab, daemons, line):
    """Its host refuses the probes: it lives, and so does the line."""
    since = time.time()
    daemons["gw-ba"].kill()
    daemons["gw-aa"].wait_event("path", "far responder missing", 20, since)
    time.sleep(2)
    daemons["gw-ba"].start()
    daemons["gw-aa"].wait_event("path", "far responder back", 20, since)
    # That it became active again after the test before may be reported late.
    assert [e for e in daemons["gw-aa"].events("role", since) if e["after"] != "active"] == []
    assert lab.holders("a") == {"gw-aa"}


@pytest.mark.parametrize("way", list(Direction))
def test_a_line_that_is_dead_in_one_direction_is_dead_for_both(lab, daemons, line, way):
    line.cut_one_way(way)
    wait_backup(lab)


def test_the_local_interface_goes_down_and_comes_back(lab, daemons, line):
    gateway = lab.hosts["gw-aa"]
    gateway.run_in_network("ip", "link", "set", "wan", "down")
    try:
        daemons["gw-aa"].wait_role("standby", 30)
        lab.wait_holder("a", "gw-ab", 30)
    finally:
        gateway.run_in_network("ip", "link", "set", "wan", "up")
        gateway.run_in_network("ip", "route", "replace", "192.0.2.6", "via", "192.0.2.1")


def test_a_stop_that_hangs_is_reported_and_retried_while_probing_goes_on(lab, daemons, line):
    daemon = daemons["gw-aa"]
    daemon.host.write(HANG, "#!/bin/sh\nexec sleep 1000\n", 0o755)
    action = f'control = "init"\ninit_script = "{HANG}"\ndeadline = "3s"'
    reconfigure(daemon, gateway_config("gw-aa", action=action))
    line.cut()
    status = daemon.wait_until(lambda s: s.actions["gateway"].failures >= 1, 30, "a report")
    assert status.actions["gateway"].error
    first = status.paths["line"].probes["line"].fail
    begun = time.monotonic()
    status = daemon.wait_until(lambda s: s.actions["gateway"].failures >= 2, 30, "a retry")
    sent = status.paths["line"].probes["line"].fail - first
    # A probe every 200 ms; half of them, as a busy machine makes some late and so void.
    assert sent >= (time.monotonic() - begun) / 0.4 - 3
    daemon.host.write(HANG, '#!/bin/sh\nexec /etc/init.d/heartbeat "$@"\n', 0o755)
    wait_backup(lab)


def test_a_name_as_target_outlives_its_resolver(lab, daemons, line):
    daemon = daemons["gw-aa"]
    hosts = daemon.host.read("/etc/hosts")
    named = gateway_config("gw-aa").replace('host = "192.0.2.6"', 'host = "far.example"')
    daemon.stop()
    daemon.configure(named)
    before = actions_of(daemon)
    daemon.start()
    daemon.wait_until(lambda s: s.paths["line"].probes["line"].outcome == "error", 20, "an error")
    assert daemon.verdict("line") == "unknown"
    daemon.host.write("/etc/hosts", hosts + "192.0.2.6 far.example\n")
    daemon.wait_verdict("line", "up", 30)
    daemon.host.write("/etc/hosts", hosts)
    time.sleep(3)
    assert daemon.verdict("line") == "up"
    assert actions_of(daemon) == before
    line.cut()
    wait_backup(lab)


def test_the_wan_address_changes(lab, daemons, line):
    gateway, router = lab.hosts["gw-aa"], line.host
    change = [
        (router, "address", "add", "203.0.113.1/30", "dev", "side-a"),
        (gateway, "address", "add", "203.0.113.2/30", "dev", "wan"),
        (gateway, "address", "del", "192.0.2.2/30", "dev", "wan"),
        (gateway, "route", "replace", "192.0.2.6", "via", "203.0.113.1", "dev", "wan"),
    ]
    for host, *words in change:
        host.run_in_network("ip", *words)
    try:
        daemons["gw-aa"].wait_verdict("line", "up", 30)
        assert "203.0.113.2" in gateway.run_in_network("ip", "address").stdout
    finally:
        for host, *words in (
            (gateway, "address", "add", "192.0.2.2/30", "dev", "wan"),
            (gateway, "route", "replace", "192.0.2.6", "via", "192.0.2.1", "dev", "wan"),
            (gateway, "address", "del", "203.0.113.2/30", "dev", "wan"),
        ):
            host.run_in_network("ip", *words)


def test_the_far_gateway_dies(lab, daemons, line):
    """The last one: what is dead stays dead."""
    pinger = lab.pinger()
    try:
        lab.hosts["gw-ba"].kill()
        lab.addresses.gone("gw-ba")
        daemons["gw-aa"].wait_role("standby", 30)
        wait_backup(lab)
        wait_for(lambda: pinger.answered(since=time.monotonic() - 0.5) > 10, 20, "traffic again")
    finally:
        pinger.stop()
        daemons.pop("gw-ba")
