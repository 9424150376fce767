"""An operator orders both sites to a line, on any of the four gateways; no ping is lost."""

import time

import pytest

from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.gateways import start_pairs, wait_backup
from havpn_core.testing.lab.hosts.errors import CommandFailed
from havpn_core.testing.lab.hosts.plan import SITES
from havpn_core.testing.lab.pinger import IN_FLIGHT_S

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
PING_S = 0.01
SAID = ("this site: on line {} after ", "the far site: on line {} after ")


@pytest.fixture(scope="module")
def lab():
    with TwoSite(ipsec=False) as network:
        yield network


@pytest.fixture(scope="module")
def daemons(lab):
    return start_pairs(lab, tunnel=False)


@pytest.fixture(autouse=True)
def calm(lab, daemons):
    yield
    for daemon in daemons.values():
        if daemon.read_status().role.forced:
            daemon.command("switch", "--to", "auto")
    wait_preferred(lab)


def wait_preferred(lab):
    for name, site in SITES.items():
        lab.wait_holder(name, site.preferred, 60)


def wait_seen(daemon, line):
    """Wait until a gateway sees both sites on a line, as nothing that it heard is old then."""
    daemon.wait_until(
        lambda s: s.pair.line and s.pair.line.site == s.pair.line.far_site == line, 20, "both sites"
    )


def refused(daemon, *options):
    """Give what a command that fails says."""
    with pytest.raises(CommandFailed) as failed:
        daemon.command("switch", *options, timeout=60)
    return str(failed.value)


def move(lab, daemon, orders, capsys):
    """Order both sites to each line in turn, under a ping every 10 ms, and end it."""
    wait_preferred(lab)
    daemon.wait_until(lambda s: s.pair.line, 20, "the partner")
    since = time.monotonic()
    pinger = lab.pinger(interval=PING_S)
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        for line in orders:
            said = daemon.command("switch", "--line", str(line), timeout=60).splitlines()
            assert [text.partition("after ")[0] + "after " for text in said[:2]] == [
                each.format(line) for each in SAID
            ]
            with capsys.disabled():
                print(f"\n  {daemon.host.name}: {'; '.join(said[:2])}")
            wanted = {n: s.backup if line == 2 else s.preferred for n, s in SITES.items()}
            assert {name: lab.holders(name) for name in SITES} == {
                name: {one} for name, one in wanted.items()
            }
            status = daemon.read_status()
            assert (status.pair.line.ordered, status.pair.line.site) == (line, line)
        daemon.command("switch", "--to", "auto")
        wait_preferred(lab)
        time.sleep(IN_FLIGHT_S + 0.1)
        lost = sum(each.lost for each in pinger.outages(0.0, since))
    finally:
        pinger.stop()
    assert lost == 0
    for name, site in SITES.items():
        assert lab.addresses.overlap(str(site.shared.ip), since) == 0, name


@pytest.mark.parametrize(
    ("gateway", "orders"),
    [
        ("gw-aa", (2,)),
        ("gw-bb", (2, 1)),
        pytest.param("gw-ab", (2, 1), marks=pytest.mark.more),
        pytest.param("gw-ba", (2, 1), marks=pytest.mark.more),
    ],
)
def test_both_sites_go_to_line_2_and_back_from_each_gateway_and_no_ping_is_lost(
    lab, daemons, gateway, orders, capsys
):
    move(lab, daemons[gateway], orders, capsys)


def test_what_cannot_be_moved_is_refused_and_nothing_moves(lab, daemons):
    wait_preferred(lab)
    since = time.time()
    daemons["gw-ab"].command("pause")
    daemons["gw-aa"].wait_until(lambda s: s.pair.partner.state, 5, "the partner")
    time.sleep(0.5)
    assert "the partner is paused" in refused(daemons["gw-aa"], "--line", "2")
    assert "this gateway is paused" in refused(daemons["gw-ab"], "--line", "2")
    daemons["gw-ab"].command("resume")
    time.sleep(0.5)
    daemons["gw-ab"].command("switch", "--to", "standby")
    time.sleep(0.5)
    assert "the partner is in maintenance" in refused(daemons["gw-aa"], "--line", "2")
    for daemon in daemons.values():
        assert not [e for e in daemon.events("role", since) if e["before"] == "active"]


def test_a_far_site_that_is_held_is_named_and_the_order_is_taken_back_by_auto(lab, daemons):
    wait_preferred(lab)
    wait_seen(daemons["gw-aa"], 1)
    daemons["gw-ba"].command("switch", "--to", "active")
    said = refused(daemons["gw-aa"], "--line", "2")
    assert "this site: on line 2" in said
    assert "its gateway of line 2 is not seen active" in said
    assert lab.holders("b") == {"gw-ba"}
    daemons["gw-aa"].command("switch", "--to", "auto")
    wait_preferred(lab)


def test_an_order_outlives_a_restart_of_either_gateway(lab, daemons):
    wait_preferred(lab)
    daemons["gw-ab"].command("switch", "--line", "2", timeout=60)
    for name in ("gw-ab", "gw-aa"):
        daemons[name].stop()
        daemons[name].start()
        daemons[name].wait_until(lambda s: s.pair.partner and s.pair.line, 20, "the pair")
        time.sleep(2)
    wait_backup(lab, 5)
    for name, ordered in (("gw-aa", "by_partner"), ("gw-ab", "ordered")):
        daemons[name].wait_until(
            lambda s, word=ordered: s.pair.line and getattr(s.pair.line, word), 20, ordered
        )


def test_sites_that_watch_their_lines_by_streams_alone_move_as_well(lab, daemons, capsys):
    """It comes last, as it replaces all four daemons."""
    for daemon in daemons.values():
        daemon.stop()
        daemon.host.run("rm", "-f", "/run/havpn/status.json")  # else it is read for the new one's
    started = start_pairs(lab, tunnel=False, stream=True)
    for daemon in started.values():
        daemon.wait_until(lambda s: s.pair.partner, 30, "the pair")
    move(lab, started["gw-bb"], (2,), capsys)
