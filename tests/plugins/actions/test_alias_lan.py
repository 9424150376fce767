"""alias-arp at home on its LAN: all owners of an address, and frames of the pair to everybody."""

import asyncio
import sys
import time

import pytest
from alias_world import BOTH, FOUR, OWN, SIX, Segment
from havpn_plugins.actions._alias.broadcasts import LONGEST, unwrapped, wrapped

from havpn_core import ActionError, LanPresence, Role
from havpn_core.plugging.protocols import able
from havpn_core.testing.lab import wait_for
from havpn_core.testing.lab.hosts.network import set_up

MAC_A, MAC_B, MAC_CLIENT = (OWN[name][2] for name in ("gw-a", "gw-b", "client"))
FLOOD = """
import os, socket, sys, time
made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
made.bind(("lan", 0))
kind, until, sent = sys.argv[1], time.monotonic() + float(sys.argv[2]), 0
head = b"\\xff" * 6
arp = bytes.fromhex("0806000108000604" + "0002")
address = socket.inet_aton(sys.argv[3])
while time.monotonic() < until:
    for _ in range(100):
        mac = b"\\x02" + os.urandom(5)
        if kind == "arp":
            frame = head + mac + arp + mac + address + bytes(6) + address
        else:
            frame = head + mac + b"\\x88\\xb5" + b"\\x00\\x60" + bytes(96)
        try:
            made.send(frame)
            sent += 1
        except OSError:
            pass
print(sent)
"""


def test_what_is_wrapped_is_what_comes_out_of_it_however_it_was_padded():
    mac = bytes.fromhex("020000000001")
    for content in (b"x", b"\0" * 20, bytes(range(100))):
        frame = wrapped(mac, content)
        assert frame[:14] == b"\xff" * 6 + mac + b"\x88\xb5"
        assert unwrapped(frame) == unwrapped(frame + bytes(60)) == (mac, content)


@pytest.mark.parametrize("cut", [0, 12, 14, 15, 16, 20])
def test_what_is_cut_short_is_nothing(cut):
    assert unwrapped(wrapped(bytes(6), b"twelve bytes")[:cut]) is None


def test_an_empty_content_is_nothing():
    assert unwrapped(wrapped(bytes(6), b"") + bytes(44)) is None


@pytest.fixture(scope="module")
def segment():
    built = Segment()
    yield built
    built.close()


@pytest.fixture
def lan(segment):
    yield segment
    for name, station in segment.stations.items():
        segment.lan.plug(name)
        for action in station.actions:
            station.do(action.close())
        station.actions.clear()
        station.records.clear()
        for address in station.shared():
            length = 16 if address == FOUR else 64
            station.ip("address", "del", f"{address}/{length}", "dev", "lan")


def connected(station):
    return "LOWER_UP" in station.ip("link", "show", "lan")


def there(station, method, *arguments):
    """Call a plain method on the station's own loop, in its network."""

    async def call():
        return method(*arguments)

    return station.do(call())


def hold(station, *addresses):
    for address in addresses:
        station.ip("address", "add", address, "dev", "lan", "nodad")


pytestmark = pytest.mark.lab


# --- owners -------------------------------------------------------------------------------------


def test_all_owners_of_any_address_are_seen(lan):
    action = lan["gw-a"].action()
    assert able(action, LanPresence)
    assert lan["gw-a"].do(action.owners_seen(0.1)) == ()
    hold(lan["gw-b"], BOTH[1])
    assert lan["gw-a"].do(action.owners_seen(0.3)) == (MAC_B,)
    hold(lan["client"], BOTH[0])
    assert sorted(lan["gw-a"].do(action.owners_seen(0.3))) == [MAC_B, MAC_CLIENT]
    hold(lan["gw-b"], BOTH[0])
    found = lan["gw-a"].do(action.owners_seen(0.3))
    assert sorted(found) == [MAC_B, MAC_CLIENT], "each is named once, whatever it replies for"


def _probes(frames):
    return len([frame for frame in frames if f"who-has {FOUR} tell 0.0.0.0" in frame])


def test_a_round_lasts_its_time_and_probes_twice(lan):
    station = lan["gw-a"]
    action = station.action()
    with lan.capture("arp", "and", "ether", "src", MAC_A) as heard:
        began = time.monotonic()
        station.do(action.owners_seen(0.4))
        assert time.monotonic() - began >= 0.4
        wait_for(lambda: _probes(heard()) >= 2, 5, "two probes")
        assert _probes(heard()) == 2


@pytest.mark.parametrize(
    ("spoil", "said", "mend"),
    [
        (("link", "set", "lan", "down"), "is down", ("link", "set", "lan", "up")),
        (("link", "set", "lan", "name", "x0"), "no device", ("link", "set", "x0", "name", "lan")),
    ],
)
def test_what_cannot_be_probed_is_no_empty_round(lan, spoil, said, mend):
    station = lan["gw-b"]
    action = station.action()
    station.ip("link", "set", "lan", "down")
    station.ip(*spoil)
    try:
        assert there(station, action.lan_address) is None
        with pytest.raises(ActionError, match=said):
            station.do(action.owners_seen(0.1))
    finally:
        station.ip(*mend)
        station.ip("link", "set", "lan", "up")
        set_up(station.host, [(OWN["gw-b"][0], "lan"), (f"{OWN['gw-b'][1]} nodad", "lan")])


def test_a_carrier_that_is_lost_makes_the_round_void(lan):
    station = lan["gw-b"]
    action = station.action()
    assert there(station, action.lan_address) == MAC_B
    station.do(action.owners_seen(0.05))

    lan.lan.unplug("gw-b")
    wait_for(lambda: not connected(station), 5, "the loss of carrier")
    assert there(station, action.lan_address) is None
    with pytest.raises(ActionError, match="no carrier"):
        station.do(action.owners_seen(0.05))
    lan.lan.plug("gw-b")
    wait_for(lambda: connected(station), 5, "the carrier")
    assert station.do(action.owners_seen(0.05)) == ()

    for said in ("since the last look", None):  # a flap that no look fell into
        if said:
            lan.lan.unplug("gw-b")
            lan.lan.plug("gw-b")
            wait_for(lambda: connected(station), 5, "the carrier")
            with pytest.raises(ActionError, match=said):
                station.do(action.owners_seen(0.05))
        else:
            assert station.do(action.owners_seen(0.05)) == ()

    looking = asyncio.run_coroutine_threadsafe(action.owners_seen(2.0), station.loop)
    lan.lan.unplug("gw-b")
    lan.lan.plug("gw-b")
    with pytest.raises(ActionError, match=r"during the look|no carrier"):
        looking.result(10)


def test_a_reply_that_is_read_late_counts_for_its_round(lan):
    """A busy machine reads a reply half a second after it came: the round is not empty."""
    station = lan["gw-a"]
    action = station.action()
    there(station, action.tell_broadcasts, lambda sender, frame: None)  # opens the sockets
    hold(lan["gw-b"], BOTH[0])

    send = action._announcer._sender.send

    def slow(*given):
        number = send(*given)
        time.sleep(0.6)  # nothing is read for so long after each probe
        return number

    action._announcer._sender.send = slow
    assert station.do(action.owners_seen(0.2)) == (MAC_B,)


# --- frames to everybody ------------------------------------------------------------------------


def ears(station, action):
    heard = []
    there(station, action.tell_broadcasts, lambda *what: heard.append(what))
    return heard


def say(station, action, content):
    there(station, action.broadcast, content)


def test_a_frame_reaches_everybody_but_its_sender_whole(lan):
    first, second, third = (lan[name].action() for name in OWN)
    own, others = ears(lan["gw-a"], first), ears(lan["gw-b"], second)
    clients = ears(lan["client"], third)
    sent = [b"x", b"\0" * 30, bytes(range(200)), b"y" * LONGEST]
    for content in sent:
        say(lan["gw-a"], first, content)
    say(lan["gw-a"], first, b"z" * (LONGEST + 1))
    expected = [(MAC_A, content) for content in sent]
    wait_for(lambda: len(others) >= 4 and len(clients) >= 4, 5, "the frames")
    say(lan["gw-b"], second, b"reply")
    wait_for(lambda: own, 5, "the reply")
    assert (others, clients[:4], own) == (expected, expected, [(MAC_B, b"reply")])
    assert first.facts()["lan"] == {"sent": 4, "received": 1, "unsent": 1}
    lan["gw-a"].do(first.close())
    say(lan["gw-a"], first, b"after the end")
    assert first.facts()["lan"]["unsent"] == 2
    assert first._announcer._sender._socket is None, "no socket is made again"


def test_frames_of_other_kinds_do_not_arrive(lan):
    action = lan["gw-b"].action()
    heard = ears(lan["gw-b"], action)
    program = f"""
import socket
made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
made.bind(("lan", 0))
mac, body = bytes.fromhex("{MAC_CLIENT.replace(":", "")}"), b"\\x00\\x04abcd"
everybody, named = b"\\xff" * 6, bytes.fromhex("{MAC_B.replace(":", "")}")
own = named
for frame in (
    everybody + mac + b"\\x88\\xb6" + body,
    named + mac + b"\\x88\\xb5" + body,
    everybody + own + b"\\x88\\xb5" + body,
    everybody + mac + b"\\x88\\xb5" + b"\\xff\\xff" + bytes(50),
    everybody + mac + b"\\x88\\xb5" + b"\\x00\\x00" + bytes(50),
    everybody + mac + b"\\x88\\xb5" + b"\\x00\\x04last" + bytes(44),
):
    made.send(frame)
"""
    lan.hosts["client"].run(sys.executable, "-I", "-S", "-c", program)
    wait_for(lambda: heard, 5, "the last one")
    assert heard == [(MAC_CLIENT, b"last")]


def test_frames_pass_again_after_a_carrier_and_a_device_that_came_back(lan):
    first, second = lan["gw-a"].action(), lan["gw-b"].action()
    heard = ears(lan["gw-b"], second)
    lan.lan.unplug("gw-b")
    say(lan["gw-a"], first, b"into the dark")
    say(lan["gw-b"], second, b"without a carrier")
    assert second.facts()["lan"]["unsent"] == 1
    lan.lan.plug("gw-b")
    wait_for(lambda: connected(lan["gw-b"]), 5, "the carrier")

    def reaches(content):
        def look():
            say(lan["gw-a"], first, content)
            return (MAC_A, content) in heard

        wait_for(look, 5, f"{content!r} to arrive")

    reaches(b"after a carrier")
    number = lan["gw-b"].ip("link", "show", "lan").partition(":")[0]
    lan["gw-b"].ip("link", "del", "lan")
    lan.lan.attach(lan.hosts["gw-b"], "lan")
    script = f"ip link set lan down && ip link set lan address {MAC_B} && ip link set lan up"
    lan.hosts["gw-b"].run_in_network("sh", "-c", script)
    set_up(lan.hosts["gw-b"], [(OWN["gw-b"][0], "lan"), (f"{OWN['gw-b'][1]} nodad", "lan")])
    assert lan["gw-b"].ip("link", "show", "lan").partition(":")[0] != number
    lan["gw-b"].do(second.observe())
    reaches(b"on another device")
    assert lan["gw-b"].do(second.owners_seen(0.05)) == ()
    hold(lan["client"], BOTH[0])
    assert lan["gw-b"].do(second.owners_seen(0.3)) == (MAC_CLIENT,), "claims are heard there, too"


def test_a_device_of_the_same_number_is_another_one(lan):
    """The kernel unbinds a socket of a device that is gone, whatever comes under its number."""
    station = lan["gw-b"]
    make = "ip link add dev pair1 index 77 address 02:00:00:00:00:77 type veth peer name pair2"
    script = f"{make} && ip link set pair1 up && ip link set pair2 up"
    station.host.run_in_network("sh", "-c", script)
    try:
        near, far = (station.action(device=device) for device in ("pair1", "pair2"))
        heard = ears(station, near)
        say(station, far, b"one")
        wait_for(lambda: heard, 5, "the first frame")
        station.host.run_in_network("sh", "-c", f"ip link del pair1 && {script}")
        wait_for(lambda: there(station, near.lan_address), 5, "the carrier")
        station.do(near.observe())
        say(station, far, b"two")
        wait_for(lambda: len(heard) == 2, 5, "the second one")
        assert heard[1][1] == b"two"
    finally:
        station.host.run_in_network("ip", "link", "del", "pair1")


# --- attackers ----------------------------------------------------------------------------------


async def _lateness(seconds):
    """The longest time that the loop kept a timer of 5 ms waiting."""
    worst, until = 0.0, time.monotonic() + seconds
    while (due := time.monotonic() + 0.005) < until:
        await asyncio.sleep(0.005)
        worst = max(worst, time.monotonic() - due)
    return worst


def flood(lan, kind, seconds=2.0):
    return lan.hosts["client"].popen(
        sys.executable, "-I", "-S", "-c", FLOOD, kind, str(seconds), FOUR, stdout=-1, text=True
    )


def test_claims_with_ever_new_addresses_make_few_events_and_little_work(lan):
    station = lan["gw-a"]
    action = station.action(refresh="off")
    told = []
    station.do(action.apply(Role.ACTIVE, 10.0))
    action.tell_conflicts(told.append)
    began = time.monotonic()
    attack = flood(lan, "arp")
    worst = station.do(_lateness(1.8))
    out, _ = attack.communicate(timeout=20)
    wait_for(lambda: action.facts()["conflicts"] > 100, 5, "conflicts")
    allowed = 3 + (time.monotonic() - began) / 10
    print("sent", out.strip(), action.facts(), f"worst lateness {worst * 1000:.1f} ms")
    assert 1 <= len(told) <= allowed
    assert len([text for text in station.records if "says that" in text]) == len(told)
    assert worst < 1.0
    assert station.shared() == [FOUR, SIX], "a claim takes nothing from its holder"
    frames = action.facts()["frames"]
    assert frames < 100, "nor does each claim make an announcement"


def test_a_flood_of_frames_takes_a_small_share_of_the_loop(lan):
    station = lan["gw-b"]
    action = station.action()
    heard = ears(station, action)
    attack = flood(lan, "pair")
    before = time.thread_time()
    worst = station.do(_lateness(1.8))
    out, _ = attack.communicate(timeout=20)
    wait_for(lambda: heard, 5, "some of the frames")
    print("sent", out.strip(), "heard", len(heard), f"worst lateness {worst * 1000:.1f} ms", before)
    assert worst < 1.0
    assert 64 <= len(heard) <= 64 * 2.5 / 0.002
