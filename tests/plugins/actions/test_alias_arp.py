"""alias-arp against the kernel: three hosts on a LAN, frames decoded by tcpdump."""

import asyncio
import json
import re
import statistics
import time

import pytest
from alias_world import BOTH, FOUR, OWN, SIX, Segment

from havpn_core import ActionError, Role
from havpn_core.testing.lab import wait_for

pytestmark = pytest.mark.lab
ACTIVE, STANDBY = Role.ACTIVE, Role.STANDBY
MAC_A, MAC_B = OWN["gw-a"][2], OWN["gw-b"][2]


@pytest.fixture(scope="module")
def segment():
    built = Segment()
    yield built
    built.close()


@pytest.fixture
def lan(segment):
    """The LAN with nothing left of the test before."""
    yield segment
    for station in segment.stations.values():
        for action in station.actions:
            station.do(action.close())
        station.actions.clear()
        station.records.clear()
        for name in station.shared():
            station.ip("address", "del", f"{name}/{16 if name == FOUR else 64}", "dev", "lan")
        (station.run_dir / "held.json").unlink(missing_ok=True)
        station.ip("neigh", "flush", "dev", "lan")


@pytest.fixture
def a(lan):
    return lan["gw-a"]


@pytest.fixture
def b(lan):
    return lan["gw-b"]


def take(station, **options):
    action = station.action(**options)
    station.do(action.apply(ACTIVE, 10.0))
    return action


def role(station, action):
    return station.do(action.observe())


# --- taking, giving up, looking ---------------------------------------------------------------


def test_takes_and_gives_up_and_doing_it_twice_does_it_once(a):
    action = a.action()
    assert role(a, action) is STANDBY
    for _ in range(2):
        a.do(action.apply(ACTIVE, 1.0))
        assert a.shared() == [FOUR, SIX]
        assert role(a, action) is ACTIVE
    for _ in range(2):
        a.do(action.apply(STANDBY, 1.0))
        assert a.shared() == []
        assert role(a, action) is STANDBY
    for _ in range(2):
        a.do(action.close())


def test_own_addresses_stay(a):
    before = set(a.addresses())
    action = take(a)
    a.do(action.apply(STANDBY, 1.0))
    assert set(a.addresses()) == before


def test_addresses_are_deprecated_labelled_and_usable_at_once(a):
    take(a, label="lan:0")
    four, six = a.addresses()[FOUR], a.addresses()[SIX]
    assert four["label"] == "lan:0"
    assert four["prefixlen"] == 16
    assert six["prefixlen"] == 64
    # Of an IPv4 address that stays for ever the kernel always says "preferred forever"; what it
    # made of preferred_lft 0 shows in the flag.
    assert six["preferred_life_time"] == 0
    for found in (four, six):
        assert found["deprecated"] is True
        assert found["valid_life_time"] == 2**32 - 1
    assert six.get("tentative") is None


def test_nothing_is_sourced_from_a_shared_address(a):
    """Not to the LAN, not through it, not by a route of its own."""
    a.ip("route", "replace", "198.51.100.0/24", "via", "10.9.0.9")
    a.ip("-6", "route", "replace", "2001:db8:77::/64", "via", "2001:db8:9::9")
    take(a)
    for target in ("10.9.0.9", "198.51.100.1", "2001:db8:9::9", "2001:db8:77::1"):
        (route,) = json.loads(a.ip("-j", "route", "get", target))
        assert route["prefsrc"] in ("10.9.0.1", "2001:db8:9::1"), route


def test_an_own_address_that_came_later_becomes_the_source_nevertheless(a):
    """A network script that runs after us: ours is the first of its network then."""
    a.ip("address", "del", OWN["gw-a"][0], "dev", "lan")
    action = take(a)
    a.ip("address", "add", OWN["gw-a"][0], "dev", "lan")
    a.do(action.apply(ACTIVE, 1.0))
    (route,) = json.loads(a.ip("-j", "route", "get", "10.9.0.9"))
    assert route["prefsrc"] == "10.9.0.1"
    a.do(action.apply(STANDBY, 1.0))
    assert "10.9.0.1" in a.addresses()


def test_own_addresses_survive_even_if_ours_was_the_first(a):
    a.ip("address", "del", OWN["gw-a"][0], "dev", "lan")
    action = take(a)
    a.ip("address", "add", OWN["gw-a"][0], "dev", "lan")
    a.do(action.apply(STANDBY, 1.0))
    assert "10.9.0.1" in a.addresses()
    assert a.shared() == []


def test_part_of_the_addresses_is_the_opposite_of_what_was_asked(a):
    action = a.action()
    a.ip("address", "add", BOTH[0], "dev", "lan")
    assert role(a, action) is ACTIVE  # something is held, and nobody asked for it
    a.do(action.apply(ACTIVE, 1.0))
    a.ip("address", "del", BOTH[1], "dev", "lan")
    assert role(a, action) is STANDBY
    a.do(action.apply(ACTIVE, 1.0))
    assert a.shared() == [FOUR, SIX]
    a.do(action.apply(STANDBY, 1.0))
    a.ip("address", "add", BOTH[1], "dev", "lan")
    assert role(a, action) is ACTIVE
    a.do(action.apply(STANDBY, 1.0))
    assert a.shared() == []


def test_a_wrong_prefix_length_is_put_right_and_given_up(a):
    for address, wrong in ((FOUR, 24), (SIX, 96)):
        a.ip("address", "add", f"{address}/{wrong}", "dev", "lan", "nodad")
    action = a.action()
    a.do(action.apply(ACTIVE, 1.0))
    assert a.addresses()[FOUR]["prefixlen"] == 16
    assert a.addresses()[SIX]["prefixlen"] == 64
    assert role(a, action) is ACTIVE
    a.do(action.apply(STANDBY, 1.0))
    a.ip("address", "add", f"{FOUR}/24", "dev", "lan")
    a.do(action.apply(STANDBY, 1.0))
    assert a.shared() == []


def test_what_a_former_run_left_is_seen_and_removed(a):
    a.do(take(a).close())
    later = a.action()
    assert role(a, later) is ACTIVE
    a.do(later.apply(STANDBY, 1.0))
    assert a.shared() == []


def test_what_a_former_configuration_held_is_given_up(a):
    a.do(take(a).close())
    later = a.action(addresses=[BOTH[0]])
    assert role(a, later) is ACTIVE  # not standby: one is left
    a.do(later.apply(ACTIVE, 1.0))
    assert a.shared() == [FOUR]
    a.do(later.apply(STANDBY, 1.0))
    assert a.shared() == []
    assert json.loads((a.run_dir / "held.json").read_text()) == {}


@pytest.mark.parametrize(
    ("spoil", "said", "mend"),
    [
        (("link", "set", "lan", "down"), "is down", ("link", "set", "lan", "up")),
        (("link", "set", "lan", "name", "x0"), "no device", ("link", "set", "x0", "name", "lan")),
    ],
)
def test_a_device_that_is_gone_is_named_and_may_come_back(a, spoil, said, mend):
    action = a.action(addresses=BOTH[:1])
    if "name" in spoil:
        a.ip("link", "set", "lan", "down")
    a.ip(*spoil)
    with pytest.raises(ActionError, match=said):
        a.do(action.apply(ACTIVE, 1.0))
    assert role(a, action) is STANDBY
    a.do(action.apply(STANDBY, 1.0))
    a.ip(*mend)
    a.ip("link", "set", "lan", "up")
    a.ip("address", "replace", OWN["gw-a"][1], "dev", "lan", "nodad")
    wait_for(lambda: _applies(a, action), 5.0, "the device to be usable")
    assert a.shared() == [FOUR]


def _applies(station, action):
    try:
        station.do(action.apply(ACTIVE, 1.0))
    except ActionError:
        return False
    return True


def test_a_pulled_cable_is_named_and_announced_over_when_it_is_back(lan, a):
    action = take(a, refresh="off")
    lan.lan.unplug("gw-a")
    wait_for(lambda: "NO-CARRIER" in a.ip("link", "show", "lan"), 5, "the loss of carrier")
    role(a, action)
    with pytest.raises(ActionError, match="no carrier"):
        a.do(action.apply(ACTIVE, 1.0))
    time.sleep(4.2)  # the burst is over
    lan.lan.plug("gw-a")
    with lan.capture("arp", "and", "host", FOUR) as heard:
        wait_for(lambda: "LOWER_UP" in a.ip("link", "show", "lan"), 5, "the carrier")
        wait_for(lambda: role(a, action) is ACTIVE and heard(), 5, "an announcement")


# --- announcing -------------------------------------------------------------------------------


def test_tcpdump_agrees_with_every_frame(lan, a):
    with lan.capture("arp", "or", "icmp6") as heard:
        take(a, neighbours=["10.9.0.9"])
        wait_for(lambda: len(heard()) >= 8, 5, "two announcements")
        frames = [f for f in heard() if MAC_A in f]
    # 42 bytes are Ethernet 14 and ARP 28.
    request = f"Request who-has {FOUR} tell {FOUR}, length 28"
    reply = f"Reply {FOUR} is-at {MAC_A}, length 28"
    directed = f"Request who-has 10.9.0.9 tell {FOUR}, length 28"
    for wanted in (request, reply, directed):
        found = [frame for frame in frames if wanted in frame]
        assert len(found) >= 2, (wanted, frames)
        assert f"{MAC_A} > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42" in found[0]
    (first, *_) = [frame for frame in frames if "neighbor advertisement" in frame]
    assert f"{MAC_A} > 33:33:00:00:00:01" in first
    assert "hlim 255" in first
    assert f"{SIX} > ff02::1" in first
    assert "[icmp6 sum ok]" in first
    assert re.search(rf"tgt is {SIX}, Flags \[override\]", first)
    assert f"destination link-address option (2), length 8 (1): {MAC_A}" in first


def test_a_router_says_that_it_is_one(lan, a):
    """Hosts that hear otherwise drop it from their default routers (RFC 4861 7.2.5)."""
    a.host.run("sysctl", "-qw", "net.ipv6.conf.lan.forwarding=1")
    try:
        with lan.capture("icmp6") as heard:
            take(a)
            wait_for(lambda: "Flags [router, override]" in str(heard()), 5, "an advertisement")
    finally:
        a.host.run("sysctl", "-qw", "net.ipv6.conf.lan.forwarding=0")


def test_the_burst_is_paced_and_the_refresh_goes_on(lan, a):
    with lan.capture("arp", "and", "ether", "src", MAC_A) as heard:
        action = take(a, refresh="500ms")
        wait_for(lambda: len(_gratuitous(heard())) >= 8, 10, "the burst and two refreshes")
        a.do(action.apply(STANDBY, 1.0))
        time.sleep(0.1)
        count = len(heard())
        time.sleep(1.2)
        assert len(heard()) == count
    times = [float(f.split()[0]) for f in _gratuitous(heard())]
    offsets = [moment - times[0] for moment in times]
    for found, wanted in zip(offsets, (0, 0.05, 0.2, 1.0, 2.0, 4.0, 4.5, 5.0), strict=False):
        assert wanted - 0.01 <= found <= wanted + 0.25, offsets


def _gratuitous(frames):
    return [f for f in frames if f"who-has {FOUR} tell {FOUR}" in f]


def test_the_clients_cache_follows_the_address(lan, a, b):
    first, second = take(a), b.action()
    for address in (FOUR, SIX):
        assert lan.ping(address)
        assert lan.client_knows(address) == MAC_A
    for giving, taking, mac in ((first, second, MAC_B), (second, first, MAC_A)):
        (a if giving is first else b).do(giving.apply(STANDBY, 1.0))
        (a if taking is first else b).do(taking.apply(ACTIVE, 1.0))
        for address in (FOUR, SIX):
            wait_for(lambda at=address, of=mac: lan.client_knows(at) == of, 0.5, "the switch")
            assert lan.ping(address)


def test_a_ping_hardly_notices_the_switch(lan, a, b):
    first, second = take(a), b.action()
    b.do(second.observe())
    pinging = lan.hosts["client"].popen(
        "ping", "-i", "0.01", "-c", "200", "-W", "1", FOUR, stdout=-1, text=True
    )
    time.sleep(0.7)
    a.do(first.apply(STANDBY, 1.0))
    b.do(second.apply(ACTIVE, 1.0))
    out, _ = pinging.communicate(timeout=20)
    received = int(re.search(r"(\d+) received", out)[1])
    assert received >= 190, out
    assert lan.client_knows(FOUR) == MAC_B


def test_the_first_frame_leaves_at_once(lan, a):
    """From the call of apply to the frame at the client, by one clock; median of 20.

    Some milliseconds on a host that does nothing else, an interval of the pair on any other.
    """
    action = a.action()
    a.do(action.observe())
    took = []
    for _ in range(20):
        with lan.capture("arp", "and", "ether", "src", MAC_A) as heard:
            begun = time.time()
            a.do(action.apply(ACTIVE, 1.0))
            frames = wait_for(lambda: _gratuitous(heard()), 5, "the frame")
            took.append(float(frames[0].split()[0]) - begun)
        a.do(action.apply(STANDBY, 1.0))
    print("first frame, ms:", [round(each * 1000, 2) for each in sorted(took)])
    assert statistics.median(took) < 0.05


# --- IPv6 duplicates --------------------------------------------------------------------------


def test_dad_is_waited_for(lan, a):
    begun = time.monotonic()
    action = take(a, dad=True)
    assert time.monotonic() - begun > 0.9  # RFC 4862: one solicitation, a second to answer
    assert role(a, action) is ACTIVE
    assert lan.ping(SIX)


def test_a_duplicate_found_by_dad_is_an_error_that_ends_with_the_duplicate(lan, a, b):
    b.ip("address", "add", BOTH[1], "dev", "lan", "nodad")
    action = a.action(dad=True)
    with pytest.raises(ActionError, match="another host has this address"):
        a.do(action.apply(ACTIVE, 10.0))
    assert role(a, action) is STANDBY  # it is not usable
    b.ip("address", "del", BOTH[1], "dev", "lan")
    a.do(action.apply(ACTIVE, 10.0))
    assert role(a, action) is ACTIVE


def test_dad_that_does_not_end_in_time_is_an_error(a):
    action = a.action(dad=True)
    with pytest.raises(ActionError, match="did not end in time"):
        a.do(action.apply(ACTIVE, 0.1))


# --- lifetime ---------------------------------------------------------------------------------


def test_a_lifetime_is_renewed_and_ends_with_the_daemon(a):
    action = take(a, lifetime="3s")
    for _ in range(5):
        time.sleep(1)
        assert role(a, action) is ACTIVE
        assert a.addresses()[FOUR]["valid_life_time"] <= 3
        assert a.addresses()[FOUR]["preferred_life_time"] == 0
    a.do(action.close())
    wait_for(lambda: not a.shared(), 5.0, "the kernel to drop the addresses")


def test_a_leftover_with_a_lifetime_is_kept_alive_by_looking_at_it(a):
    a.do(take(a, lifetime="3s").close())
    later = a.action(lifetime="3s")
    assert role(a, later) is ACTIVE
    time.sleep(4.5)
    assert role(a, later) is ACTIVE


def test_a_leftover_with_a_lifetime_stays_for_ever_where_that_is_meant(a):
    a.do(take(a, lifetime="3s").close())
    for options in ({"lifetime": "off"}, {}):
        later = a.action(**options)
        assert role(a, later) is ACTIVE
        assert {a.addresses()[n]["valid_life_time"] for n in (FOUR, SIX)} == {2**32 - 1}
        a.do(later.close())


def test_a_leftover_without_a_lifetime_gets_one(a):
    a.do(take(a).close())
    later = a.action(lifetime="20s")
    assert role(a, later) is ACTIVE
    assert all(a.addresses()[n]["valid_life_time"] <= 20 for n in (FOUR, SIX))
    assert all(a.addresses()[n]["preferred_life_time"] == 0 for n in (FOUR, SIX))


def test_a_loop_that_is_busy_for_a_third_of_the_lifetime_keeps_the_addresses(a):
    take(a, lifetime="9s")

    async def busy():
        for _ in range(4):
            time.sleep(3)
            await asyncio.sleep(0.01)

    a.do(busy(), timeout=60)
    assert a.shared() == [FOUR, SIX]


# --- conflicts --------------------------------------------------------------------------------


@pytest.mark.parametrize("addresses", [BOTH[:1], BOTH[1:]])
def test_a_second_holder_answers_and_is_named(a, b, addresses):
    action = a.action(addresses=addresses)
    assert a.do(action.answered_by(0.2)) is None
    b.ip("address", "add", addresses[0], "dev", "lan", "nodad")
    begun = time.monotonic()
    assert a.do(action.answered_by(0.2)) == MAC_B
    assert time.monotonic() - begun < 0.2
    assert a.shared() == []
    assert action.yields


def test_nobody_answers_for_what_one_holds_oneself(a):
    assert a.do(take(a).answered_by(0.1)) is None


def test_asking_changes_no_cache(lan, a, b):
    take(b)
    assert lan.ping(FOUR)
    a.do(a.action().answered_by(0.2))
    assert lan.client_knows(FOUR) == MAC_B


@pytest.mark.parametrize("address", [FOUR, SIX])
def test_the_lower_of_two_owners_announces_again(lan, a, b, address):
    options = {"addresses": [text for text in BOTH if text.startswith(address)]}
    first = take(a, refresh="off", **options)
    told = []
    first.tell_conflicts(told.append)
    assert lan.ping(address)
    time.sleep(4.2)
    second = take(b, refresh="off", **options)  # its burst lasts 4 s
    time.sleep(5.5)
    assert lan.client_knows(address) == MAC_A
    assert a.do(_facts(first))["conflicts"] >= 1
    assert a.do(_facts(first))["rival"] == MAC_B
    assert b.do(_facts(second))["rival"] == MAC_A
    assert told == [MAC_B]
    assert sum("says that" in text for text in a.records) == 1
    # The lower one goes; the other was silent, and speaks up within two seconds.
    a.do(first.apply(STANDBY, 1.0))
    wait_for(lambda: lan.client_knows(address) == MAC_B, 3.0, "the other to announce")


async def _facts(action):
    return action.facts()


def test_a_standby_does_not_mind_an_active_partner(lan, a, b):
    watching = a.action()
    role(a, watching)
    take(b)
    time.sleep(0.3)
    assert a.do(_facts(watching))["conflicts"] == 0
    assert a.records == []


def test_who_was_frozen_reports_and_does_not_fight(lan, a, b):
    """gw-a has the lower address and would defend; what it reads is old, and so it must not."""
    first = take(a, refresh="off")
    time.sleep(1.1)

    async def freeze():
        time.sleep(1.5)  # the loop stands still, as a stopped process does

    a.loop.call_soon_threadsafe(a.loop.create_task, freeze())
    time.sleep(0.2)
    take(b, refresh="off")
    with lan.capture("arp", "and", "ether", "src", MAC_A) as heard:
        wait_for(lambda: a.do(_facts(first))["conflicts"], 5, "the old news")
        time.sleep(0.5)  # long enough for an answer to be seen, before the burst goes on
        a.do(first.apply(STANDBY, 1.0))
        assert [f for f in heard() if FOUR in f] == []
    assert lan.client_knows(FOUR) in (None, MAC_B)


def test_other_traffic_does_not_wake_the_watch(lan, a):
    """The filters are in the kernel: neither ARP nor NDP of others reaches the sockets."""
    action = take(a)
    read = []
    receiver = action._announcer.rivals._receiver
    a.do(_count_reads(a, receiver, read))
    for target in ("10.9.0.1", "2001:db8:9::1", "10.9.0.77"):
        lan["client"].ip("neigh", "flush", "dev", "lan")
        lan.ping(target)
    assert read == []
    lan["gw-b"].ip("address", "add", BOTH[0], "dev", "lan")
    lan.hosts["gw-b"].run("arping", "-q", "-U", "-c1", "-w1", "-I", "lan", FOUR, check=False)
    wait_for(lambda: read, 3, "the one frame that counts")


async def _count_reads(station, receiver, read):
    for made in (reader.socket for reader in receiver._readers):
        station.loop.remove_reader(made)
        station.loop.add_reader(made, lambda s=made: read.append(s.recv(2048)))
