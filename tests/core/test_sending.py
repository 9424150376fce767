"""When a pair's frames go over the LAN, and which that come are judged: on a virtual clock."""

import asyncio
from itertools import pairwise

import pytest

from havpn_core import ActionError, Role
from havpn_core.durations import Duration
from havpn_core.pair.frames import Authenticator
from havpn_core.pair.lan import LanLink, Scout, spawn_loudly
from havpn_core.pair.message import Line
from havpn_core.pair.options import PairOptions
from havpn_core.pair.run import PairRun
from havpn_core.pair.sending.broadcast import (
    BURST,
    FOREIGN_A_SECOND,
    HURRY_S,
    PACE_S,
    Admission,
    Heard,
    LanBeat,
    disclosed,
    enclosed,
    is_needed,
)
from havpn_core.pair.sending.overlan import OverLan
from havpn_core.pair.state import Own
from havpn_core.plugging.gate import presence
from havpn_core.plugging.gate.calls import Caller
from tests.core.values import replace

# --- when they go -------------------------------------------------------------------------------


def sent(beat, until_s, reasons=(), step_s=0.005):
    """Give the moments at which frames go from 0 on; a reason is a moment and a method."""
    moments, steps = [], round(until_s / step_s)
    due = {round(at / step_s): method for at, method in reasons}
    for number in range(steps + 1):
        now = number * step_s
        if number in due:
            getattr(beat, due[number])(now)
        if beat.due(now + 1e-9):
            beat.sent(now)
            moments.append(round(now, 3))
    return moments


@pytest.mark.parametrize(("interval", "pace"), [(0.05, 0.05), (0.2, 0.2), (1.0, 0.25)])
def test_frames_go_at_the_interval_for_ten_seconds_and_then_four_times_a_second(interval, pace):
    beat = LanBeat(interval)
    beat.follow(True, 0.0)
    moments = sent(beat, 20.0)
    assert moments[0] == 0.0
    gaps = [round(later - earlier, 3) for earlier, later in pairwise(moments)]
    first = [gap for gap, at in zip(gaps, moments, strict=False) if at < HURRY_S]
    assert set(first) == {pace}
    assert set(gaps[len(first) :]) == {PACE_S}


def test_none_go_before_they_are_needed_nor_after():
    beat = LanBeat(0.05)
    assert beat.pause_s(0.0) is None
    beat.hurry(0.0)
    beat.heard(0.0)
    assert sent(beat, 1.0) == []
    beat.follow(True, 1.0)
    assert (beat.on, beat.due(1.0), beat.pause_s(1.0)) == (True, True, 0.0)
    beat.sent(1.0)
    assert beat.pause_s(1.01) == pytest.approx(0.04)
    beat.follow(True, 1.02)
    assert beat.pause_s(1.02) == pytest.approx(0.03), "a need that lasts begins nothing anew"
    beat.follow(False, 1.03)
    assert (beat.on, beat.due(9.0), beat.pause_s(1.03)) == (False, False, None)


def test_a_reason_to_hurry_sends_at_once_and_takes_up_the_interval_again():
    beat = LanBeat(0.1)
    beat.follow(True, 0.0)
    moments = sent(beat, 30.0, [(20.1, "hurry")])
    assert 20.1 in moments
    after = [at for at in moments if 20.1 <= at < 30.0]
    assert {round(later - earlier, 3) for earlier, later in pairwise(after)} == {0.1}


def test_reasons_without_number_make_a_bounded_number_of_frames():
    beat = LanBeat(0.1)
    beat.follow(True, 0.0)
    every = [(number / 100, "hurry") for number in range(500)]
    assert len(sent(beat, 5.0, every)) <= 5.0 / 0.05 + 1
    flapping = LanBeat(0.1)
    moments = 0
    for number in range(1000):
        now = number * 0.005
        flapping.follow(number % 2 == 0, now)
        if flapping.due(now):
            flapping.sent(now)
            moments += 1
    assert moments <= 5.0 / 0.05 + 1, "nor does a need that comes and goes"


def test_while_the_partner_is_heard_there_it_is_sent_frames_at_the_interval():
    beat = LanBeat(0.1)
    beat.follow(True, 0.0)
    moments = sent(beat, 40.0, [(number * 2.0, "heard") for number in range(20)])
    assert {round(later - earlier, 3) for earlier, later in pairwise(moments)} == {0.1}


@pytest.mark.parametrize(
    ("heard", "needed_s", "needed"),
    [
        (Heard(None, 0.2), None, True),
        (Heard(9.601, 0.2), None, False),
        (Heard(9.6, 0.2), None, True),
        (Heard(9.9, 0.2, rival=True), None, True),
        (Heard(9.9, 0.2), 9.001, True),
        (Heard(9.9, 0.2), 9.0, False),
    ],
)
def test_frames_over_the_lan_are_needed_while_every_link_is_silent(heard, needed_s, needed):
    assert is_needed(heard, needed_s, 10.0) is needed


@pytest.mark.parametrize("needs", [True, False])
def test_what_is_enclosed_is_disclosed(needs):
    assert disclosed(enclosed(b"frame", needs=needs)) == (b"frame", needs)
    assert disclosed(b"") == (b"", False)


# --- which that come are judged -----------------------------------------------------------------


def test_forged_frames_at_line_rate_cost_a_bounded_number_of_signatures():
    admission = Admission()
    judged = sum(admission.admits(b"%06d" % n, b"mac---", n / 100_000) for n in range(200_000))
    assert judged <= BURST + 2 * FOREIGN_A_SECOND + 1
    assert admission.dropped == 200_000 - judged


def test_strangers_do_not_use_up_the_share_of_the_partner():
    admission = Admission()
    while admission.admits(b"forger", b"mac---", 0.0):
        pass
    times = [number * 0.02 for number in range(1, 500)]
    assert all(admission.admits(b"mac---", b"mac---", now) for now in times)


def test_while_the_partner_is_not_known_nobody_is_taken_for_it():
    admission = Admission()
    judged = [admission.admits(b"", b"", 0.0) for _ in range(100)]
    assert sum(judged) == BURST
    assert admission.admits(b"mac---", b"mac---", 0.0)


class Ether:
    usable = True

    def __init__(self):
        self.sent = []

    def send(self, content):
        self.sent.append(content)


def test_a_greeting_is_replied_to_at_once_and_a_believed_frame_at_the_interval():
    lan, silent = Ether(), Heard(None, 0.1)
    over = OverLan(lan, 0.1)
    over.follow(silent, 0.0)
    over.send(b"one", silent, 0.0)
    over.take({"mac"}, False, silent, 0.06)
    over.take(set(), True, silent, 0.06)
    assert over.pause_s(0.06) == pytest.approx(0.04)
    over.take({"greeting"}, False, silent, 0.06)
    assert over.due(0.06)
    over.send(b"two", silent, 0.06)
    over.take({"good"}, False, silent, 0.07)
    assert over.pause_s(0.07) == pytest.approx(0.09)
    assert lan.sent == [b"\1one", b"\1two"]
    assert over.facts() == {"sends": True, "dropped": 0}


def test_a_partner_that_hears_this_gateway_on_the_lan_only_is_sent_frames_there():
    """One direction of the link is cut: what comes over it says nothing of the other one."""
    lan = Ether()
    over = OverLan(lan, 0.1)
    over.take({"good"}, False, Heard(0.0, 0.1), 0.0)
    assert not over.due(0.0), "a partner that needs none gets none"
    for number in range(10):
        now = number * 0.25
        over.take({"duplicate"}, True, Heard(now, 0.1), now)
        assert over.due(now)
        over.send(b"here", Heard(now, 0.1), now)
    assert set(lan.sent) == {b"\0here"}, "it says that it needs none itself"
    over.follow(Heard(3.0, 0.1), 3.2)
    assert over.facts()["sends"], "a second after the last one it does still"
    over.follow(Heard(3.3, 0.1), 3.3)
    assert not over.facts()["sends"], "both ends can end it, so that it does not go on for ever"


def test_without_a_home_on_a_lan_nothing_goes_there():
    lan = Ether()
    lan.usable = False
    over = OverLan(lan, 0.1)
    over.follow(Heard(None, 0.1), 0.0)
    assert not over.due(0.0)


# --- at work: two gateways whose links are all cut ------------------------------------------------


class Switch:
    """A LAN in memory: who is plugged in hears the others."""

    def __init__(self):
        self.homes = []

    def carry(self, source, frame):
        for home in self.homes:
            if home is not source and home.plugged and source.plugged and home.tell:
                asyncio.get_running_loop().call_soon(home.tell, source.mac, frame)


class Home:
    """An action that owns an address and is at home on a switch."""

    yields = True

    def __init__(self, switch, mac):
        self.switch, self.mac, self.plugged, self.tell = switch, mac, True, None
        self.holds = self.carrier = True
        self.announced = 0
        switch.homes.append(self)

    def lan_address(self):
        return self.mac if self.carrier else None

    async def owners_seen(self, timeout_s):
        await asyncio.sleep(timeout_s)
        others = [home for home in self.switch.homes if home is not self and home.holds]
        return [home.mac for home in others if home.plugged and self.plugged]

    def broadcast(self, frame):
        self.switch.carry(self, frame)

    def tell_broadcasts(self, tell):
        self.tell = tell

    def announce(self):
        self.announced += 1


def gateway(switch, number, *, holds):
    """Give a gateway whose only link is cut, at work."""
    home = Home(switch, f"02:00:00:00:00:{number:02x}")
    home.holds = holds
    caller = Caller(home, "vip")

    def own():
        return Own(number, 100 + number, Line.UP, Role.ACTIVE if home.holds else Role.STANDBY)

    def changed():
        home.holds = run.wanted is Role.ACTIVE
        asyncio.get_running_loop().call_soon(run.refresh)

    class Cut:
        def send(self, frame): ...
        def close(self): ...

    run = PairRun(
        PairOptions(
            priority=100 + number, key_file="k", interval=Duration(0.02), dead=Duration(2.0)
        ),
        Authenticator((b"k" * 32,), 1, b"nonce %02d" % number),
        own,
        changed,
        asyncio.get_running_loop().time,
        links={"cable": lambda received: Caller(Cut(), "cable")},
        owners=lambda: {"vip": caller},
        report=print,
    )
    run.connect()
    return run, home


async def until(condition, what):
    try:
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"no {what}") from None


def test_a_look_at_the_carriers_says_what_changed_and_what_came():
    async def go():
        switch = Switch()
        first, second = Home(switch, "02:00:00:00:00:01"), Home(switch, "02:00:00:00:00:02")
        callers = {"a": Caller(first, "a"), "b": Caller(second, "b")}
        link = LanLink(lambda: callers, lambda sender, frame: None)
        first.carrier = second.carrier = False
        link.attend()
        assert link.look() == (False, False)
        assert link.mac == b""
        second.carrier = True
        assert link.look() == (True, True), "one of two came"
        assert link.mac == bytes([2, 0, 0, 0, 0, 2])
        assert link.look() == (False, False), "it was there before"
        second.mac = "02:00:00:00:00:03"
        assert link.look() == (True, True), "another port came in its place"
        first.carrier = True
        assert link.look() == (True, True), "the other one stayed"
        first.carrier = False
        assert link.look() == (True, False)
        second.carrier = False
        assert link.look() == (True, False)
        assert link.mac == bytes([2, 0, 0, 0, 0, 3]), "the last known one"

    asyncio.run(go())


def test_the_task_that_is_started_is_handed_back():
    async def go():
        done = []

        async def work():
            done.append(1)

        await spawn_loudly(work())
        assert done == [1]

    asyncio.run(go())


@pytest.mark.parametrize("holders", [(True, False), (True, True)])
def test_two_gateways_settle_over_the_lan_alone_who_holds_the_address(holders):
    async def go():
        switch = Switch()
        made = [gateway(switch, n, holds=holds) for n, holds in enumerate(holders, 1)]
        work = [asyncio.create_task(run.run()) for run, _ in made]

        def settled():
            return [home.holds for _, home in made].count(True) == 1 and all(
                run.session.decision.content.hears for run, _ in made
            )

        await until(settled, "owner")
        links = made[0][0].facts()["links"]
        assert links["broadcast"]["alive"]
        assert links["broadcast"]["sends"]
        assert not links["cable"]["alive"]
        if all(holders):  # as soon as it hears that the other one let go
            await until(lambda: any(h.holds and h.announced for _, h in made), "announcement")
        assert made[0][0].session.partner.mac == bytes([2, 0, 0, 0, 0, 2])
        for task in work:
            task.cancel()
        for run, _ in made:
            run.close()

    asyncio.run(go())


def test_an_action_that_is_not_at_home_on_a_lan_makes_no_link_of_it():
    async def go():
        switch = Switch()
        run, home = gateway(switch, 1, holds=False)
        run._lan._owners = dict
        run.refresh()
        assert set(run.facts()["links"]) == {"cable"}
        run._lan._owners = lambda: {"vip": Caller(home, "vip")}
        run.refresh()
        assert set(run.facts()["links"]) == {"cable", "broadcast"}
        run._lan._owners = dict
        run.refresh()
        assert set(run.facts()["links"]) == {"cable"}
        run.close()

    asyncio.run(go())


def test_a_change_of_the_carrier_makes_the_search_begin_anew():
    async def go():
        switch = Switch()
        run, home = gateway(switch, 1, holds=False)
        Home(switch, "02:00:00:00:00:02")  # the partner's kernel still has the address
        work = asyncio.create_task(run.run())
        await until(lambda: run._scout.in_use, "reply")
        run.network_changed()
        assert run._scout.in_use is True, "some other change of the network is none"
        home.carrier = False
        run.network_changed()
        assert run._scout.in_use is None
        home.carrier = True
        run.network_changed()
        assert run._scout.in_use is None
        assert run._over_lan.due(asyncio.get_running_loop().time() + 0.05)
        work.cancel()
        run.close()

    asyncio.run(go())


def test_a_daemon_that_ends_says_so_three_times_at_once():
    async def go():
        frames = []

        class Wire:
            def send(self, frame):
                frames.append(frame)

            def close(self):
                frames.append("closed")

        run, _ = gateway(Switch(), 1, holds=True)
        run._links = {"wire": Caller(Wire(), "wire")}
        facts = run._facts
        run.close()
        assert frames == ["closed"]
        run, _ = gateway(Switch(), 1, holds=True)
        run._links = {"wire": Caller(Wire(), "wire")}
        run._facts = lambda: replace(facts(), stopping=True)
        run.refresh()
        frames.clear()
        run.close()
        run.close()
        assert len(frames) == 5
        assert frames[3:] == ["closed", "closed"]
        assert len(set(frames[:3])) == 3

    asyncio.run(go())


def test_forged_frames_cost_no_step_of_the_pair():
    async def go():
        run, home = gateway(Switch(), 1, holds=True)
        judged, steps = [], []
        judge, take = run.authenticator.judge, run.session.take
        run.authenticator.judge = lambda frame: judged.append(1) or judge(frame)
        run.session.take = lambda *given: steps.append(1) or take(*given)
        run.refresh()
        genuine = Authenticator((b"k" * 32,), 1, b"nonce 09").sign(run.session.decision.content)
        forged = enclosed(genuine[:-1] + bytes([genuine[-1] ^ 1]), needs=True)
        began = asyncio.get_running_loop().time()
        for number in range(20_000):
            home.tell(f"02:00:00:01:{number // 256 % 256:02x}:{number % 256:02x}", forged)
        allowed = BURST + FOREIGN_A_SECOND * (asyncio.get_running_loop().time() - began) + 1
        assert 0 < len(judged) <= allowed
        assert steps == []
        assert run.facts()["links"]["broadcast"]["dropped"] == 20_000 - len(judged)
        for _ in range(100):
            home.tell("02:00:00:00:00:09", b"no frame at all")
        assert len(judged) <= allowed + 100, "what is no frame is only counted"
        counts = run.facts()["frames"]
        assert counts["length"] + counts["version"] == 100
        run.close()

    asyncio.run(go())


# --- the gate to the action ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ([], ()),
        (["02:00:00:00:00:01", "02:00:00:00:00:01"], ("02:00:00:00:00:01",)),
        (("02:00:00:00:00:AB",), ("02:00:00:00:00:ab",)),
        ({"x y"}, ("x y",)),
        ([None, 3], ("somebody",)),
    ],
)
def test_owners_are_texts_and_each_is_somebody(given, taken):
    assert presence.as_owners(given) == taken


@pytest.mark.parametrize("given", [None, "02:00:00:00:00:01", 3, {"a": 1}])
def test_what_is_no_list_of_owners_says_nothing(given):
    from havpn_core.errors import HavpnError

    with pytest.raises(HavpnError, match="owners_seen gave"):
        presence.as_owners(given)


@pytest.mark.parametrize("given", [None, "", "eth0", "02:00:00:00:00:1", "02:00:00:00:00:01:02", 5])
def test_what_is_no_link_layer_address_is_none(given):
    assert presence.as_mac(given) == ""
    assert presence.mac_of(presence.as_mac(given)) == b""


def test_a_plugin_may_tell_anything_and_only_a_frame_comes_through():
    async def go():
        heard = []

        class Odd:
            def tell_broadcasts(self, tell):
                tell()
                tell("02:00:00:00:00:01", b"frame", "more", key=1)
                tell(None, None)
                tell("who", bytearray(b"x"))

        presence.tell_broadcasts(Caller(Odd(), "odd"), lambda *what: heard.append(what))
        assert heard == [
            ("", b""), ("02:00:00:00:00:01", b"frame"), ("", b""), ("", b"x"),
        ]  # fmt: skip

    asyncio.run(go())


# --- who has the address ------------------------------------------------------------------------


class Street:
    """An action at home on a LAN, with whoever replies there."""

    yields = True

    def __init__(self, *owners):
        self.owners, self.looking, self.go_on = owners, asyncio.Event(), asyncio.Event()

    def lan_address(self): ...
    def broadcast(self, frame): ...
    def tell_broadcasts(self, tell): ...

    async def owners_seen(self, timeout_s):
        self.looking.set()
        await self.go_on.wait()
        if not self.owners:
            raise ActionError("the device has no carrier: plug it in")
        return [owner for owner in self.owners if owner]


PARTNER, STRANGER = "02:00:00:00:00:01", "02:00:00:00:00:99"


@pytest.mark.parametrize(
    ("owners", "mac", "in_use"),
    [
        ((PARTNER,), bytes.fromhex("020000000001"), True),
        ((STRANGER, PARTNER), bytes.fromhex("020000000001"), True),
        ((STRANGER,), bytes.fromhex("020000000001"), False),
        ((STRANGER,), b"", True),
        (("",), b"", False),
        ((), b"", None),
    ],
)
def test_a_stranger_blocks_nothing_while_the_partner_is_known_and_silent(owners, mac, in_use):
    async def go():
        street, rounds, said = Street(*owners), [], []
        street.go_on.set()
        scout = Scout(
            lambda: {"vip": Caller(street, "vip")},
            said.append,
            lambda: rounds.append(scout.in_use),
            partner_mac=lambda: mac,
        )
        scout.look(True, 0.3)
        await until(lambda: len(rounds) >= 3, "rounds")
        assert rounds[2] is in_use
        assert len(said) == len([owner for owner in owners if owner]) or not owners
        scout.close()

    asyncio.run(go())


def test_a_round_that_the_network_changed_in_says_nothing_and_the_next_begins_at_once():
    async def go():
        street, rounds = Street(PARTNER), []
        scout = Scout(
            lambda: {"vip": Caller(street, "vip")}, print, lambda: rounds.append(scout.in_use)
        )
        scout.look(True, 0.3)
        await street.looking.wait()
        scout.network_changed()
        street.looking.clear()
        street.go_on.set()
        await until(lambda: len(rounds) >= 2, "rounds")
        assert rounds[:2] == [None, True]
        scout.close()

    asyncio.run(go())
