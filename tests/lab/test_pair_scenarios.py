"""The whole street without a cluster manager: pairs over cable and LAN, addresses by alias-arp."""

import signal
import time

import pytest

from havpn_core.daemon.state.catalogue import strangers
from havpn_core.plugging.descriptors import Event
from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.gateways import pair_config, pair_gateway, start_pairs, wait_backup
from havpn_core.testing.lab.hosts.plan import SITES

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
PREFERRED = {name: site.preferred for name, site in SITES.items()}


@pytest.fixture(scope="module")
def lab():
    with TwoSite(ipsec=False) as network:
        yield network


@pytest.fixture(scope="module")
def daemons(lab):
    return start_pairs(lab)


@pytest.fixture(autouse=True)
def calm(lab, daemons):
    yield
    for provider in lab.providers.values():
        provider.heal()
    for name, gateway in PREFERRED.items():
        lab.wait_holder(name, gateway, 20)


def overlaps(lab, since):
    return {n: lab.addresses.overlap(str(s.shared.ip), since) for n, s in SITES.items()}


def test_a_silent_cut_moves_both_sites_and_nobody_owns_twice(lab, capsys):
    pinger, stream, since = lab.pinger(), lab.stream(), time.monotonic()
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        cut = time.monotonic()
        lab.providers["provider-1"].cut()
        wait_backup(lab, 10)
        time.sleep(1)
        outage = pinger.longest_outage_since(cut)
        healed = time.monotonic()
        lab.providers["provider-1"].heal()
        for name, gateway in PREFERRED.items():
            lab.wait_holder(name, gateway, 20)
        time.sleep(1)
        back = pinger.longest_outage_since(healed)
        report = stream.finish()
    finally:
        pinger.stop()
        stream.kill()
    with capsys.disabled():
        print(f"\n  pair, silent cut: client outage {outage:.3f} s, after the heal {back:.3f} s")
    assert report.intact, report.error
    assert outage < 5
    assert back < 1
    assert overlaps(lab, since) == {"a": 0, "b": 0}


def test_power_off_of_the_active_gateway(lab, daemons):
    since = time.monotonic()
    lab.power_off("gw-aa")
    lab.wait_holder("a", "gw-ab", 5)
    took = time.monotonic() - since
    lab.power_on("gw-aa")
    daemons["gw-aa"] = pair_gateway(lab, "gw-aa")
    lab.wait_holder("a", "gw-aa", 20)
    assert took < 3
    assert overlaps(lab, since)["a"] == 0


def test_one_pulled_link_costs_nothing(lab, daemons):
    since = time.monotonic()
    lab.cables["a"].pull()
    try:
        daemons["gw-ab"].wait_until(
            lambda s: not s.pair.links["cable"].alive, 5, "the pulled cable"
        )
        assert lab.holders("a") == {"gw-aa"}
        assert daemons["gw-ab"].read_status().pair.partner
    finally:
        lab.cables["a"].plug()
    daemons["gw-ab"].wait_until(lambda s: s.pair.links["cable"].alive, 10, "the cable")
    assert overlaps(lab, since)["a"] == 0


def test_a_cut_lan_cable_and_a_killed_partner_are_events_with_their_end(lab, daemons):
    """The standby gateway loses its LAN, and then its daemon: no role moves."""
    active, standby = daemons["gw-aa"], daemons["gw-ab"]
    standby.wait_for(lambda s: not s["redundancy"]["lost"], 20, "a pair that is well")
    cut = time.time()
    lab.lans["a"].unplug("gw-ab")
    try:
        for daemon in (active, standby):
            assert "link lan " in daemon.wait_event("pair", "link lost", 20, cut)["detail"]
        standby.wait_event("fitness", "unfit", 20, cut)
        there = active.wait_event("redundancy", "lost", 30, cut)
        here = standby.wait_event("redundancy", "lost", 30, cut)
    finally:
        plugged = time.time()
        lab.lans["a"].plug("gw-ab")
    assert there["detail"].startswith("the partner is unfit")
    assert here["detail"].startswith("this gateway is unfit: device lan has no carrier")
    for daemon in (active, standby):
        daemon.wait_event("pair", "link back", 20, plugged)
        daemon.wait_event("redundancy", "back", 40, plugged)
    killed = time.time()
    standby.kill()
    active.wait_event("pair", "partner lost", 20, killed)
    lost = active.wait_event("redundancy", "lost", 30, killed)
    assert "the partner is silent" in lost["detail"] and lost["severity"] == "warning"
    started = time.time()
    standby.start()
    active.wait_event("pair", "partner back", 20, started)
    active.wait_event("redundancy", "back", 40, started)
    assert not active.events("role", cut), "nothing moved"
    for daemon in daemons.values():
        found = [Event(**{k: v for k, v in e.items() if k != "at"}) for e in daemon.events()]
        assert strangers(found) == [], "events that docs/events.md does not list"


@pytest.fixture
def patient(lab, daemons):
    """Let site a's gateways take a silent partner for dead only after a minute."""

    def settle(dead):
        since = time.time()
        for name in ("gw-aa", "gw-ab"):
            daemons[name].configure(pair_config(name, dead=dead))
            daemons[name].reload()
            daemons[name].wait_event("daemon", "reloaded", 10, since)
        for name in ("gw-aa", "gw-ab"):
            daemons[name].wait_for(
                lambda s: (
                    s["pair"]["partner"]
                    and all(s["pair"]["links"][name]["alive"] for name in ("cable", "lan"))
                ),
                20,
                "the partner on both links",
            )
        lab.wait_holder("a", "gw-aa", 20)

    settle("60s")
    yield
    settle("")


def test_a_pulled_lan_moves_the_address_over_the_cable_s_word(lab, daemons, patient):
    # Within these 20 s nobody takes from silence: it is the cable's word that moves the address,
    # also where a busy machine brings the frames late.
    since = time.monotonic()
    lab.lans["a"].unplug("gw-aa")
    try:
        lab.wait_holder("a", "gw-ab", 20)
    finally:
        lab.lans["a"].plug("gw-aa")
    lab.wait_holder("a", "gw-aa", 20)
    assert overlaps(lab, since)["a"] == 0


def test_lan_and_cable_pulled_make_two_owners_that_settle_it_when_they_meet(lab, daemons):
    lab.cables["a"].pull()
    lab.lans["a"].unplug("gw-aa")
    try:
        wait_for(lambda: "gw-ab" in lab.holders("a"), 5, "the other gateway to take over")
    finally:
        lab.lans["a"].plug("gw-aa")
        lab.cables["a"].plug()
    lab.wait_holder("a", "gw-aa", 20)


def test_kill_9_of_a_daemon_and_its_restart(lab, daemons):
    daemons["gw-aa"].kill()
    daemons["gw-aa"].start()
    daemons["gw-aa"].wait_verdict("line", "up", 20)
    lab.wait_holder("a", "gw-aa", 20)


def test_a_frozen_active_gateway_yields_on_waking(lab, daemons):
    lab.hosts["gw-aa"].freeze()
    lab.lans["a"].mute("gw-aa")  # a frozen machine's kernel answers nobody
    try:
        wait_for(lambda: "gw-ab" in lab.holders("a"), 5, "the other gateway to take over")
        time.sleep(4)
    finally:
        lab.lans["a"].unmute("gw-aa")
        lab.hosts["gw-aa"].thaw()
    woke = time.monotonic()
    wait_for(lambda: len(lab.holders("a")) == 1, 5, "one owner")
    assert time.monotonic() - woke < 3


def test_an_address_that_a_silent_daemon_s_kernel_answers_for_is_left_there(lab, daemons):
    since = time.monotonic()
    daemons["gw-aa"]._signal(signal.SIGSTOP)
    try:
        wait_for(lambda: "conflict" in daemons["gw-ab"].log(), 5, "the conflict to be told")
        time.sleep(1.5)
        assert lab.holders("a") == {"gw-aa"}
        assert overlaps(lab, since)["a"] == 0
        # Once nobody answers any more it is taken within the second that lies between questions.
        lab.lans["a"].mute("gw-aa")
        wait_for(lambda: "gw-ab" in lab.holders("a"), 5, "the other gateway to take over")
    finally:
        lab.lans["a"].unmute("gw-aa")
        daemons["gw-aa"]._signal(signal.SIGCONT)
    lab.wait_holder("a", "gw-aa", 20)
