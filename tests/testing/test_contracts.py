"""Each rule of the contracts can be broken, and the check says so."""

import asyncio
import time

import msgspec
import pytest

from havpn_core import (
    ActionError,
    ActionType,
    Diagnosis,
    Duration,
    LinkType,
    NotifierType,
    ProbeType,
    Role,
    Sample,
)
from havpn_core.testing import (
    check_action_type,
    check_link_type,
    check_notifier_type,
    check_probe_type,
)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    good: bool
    wait: Duration | None = None


class Probe:
    def __init__(self, options, context):
        self.good = options.good
        self.closed = False

    def check(self, timeout_s):
        return Sample.ok() if self.good else Sample.fail("no")

    def close(self):
        self.closed = True


class Raises(Probe):
    def check(self, timeout_s):
        if not self.good:
            raise OSError("unreachable")
        return Sample.ok()


class Slow(Probe):
    def check(self, timeout_s):
        time.sleep(0 if self.good else timeout_s + 2)
        return Sample.fail("late") if not self.good else Sample.ok()


class Nonsense(Probe):
    def check(self, timeout_s):
        return True


class Shared(Probe):
    closed_by_all = False

    def check(self, timeout_s):
        return Sample.fail("closed") if Shared.closed_by_all else super().check(timeout_s)

    def close(self):
        Shared.closed_by_all = True


class CloseOnce(Probe):
    def close(self):
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class Reports(Probe):
    def facts(self):
        return {"port": 1, "known": [None, 2.5]}

    def renew(self):
        pass

    def noticed(self):
        return "standby"


class NoFacts(Probe):
    def facts(self):
        return "much"


class NoJson(Probe):
    def facts(self):
        return {"itself": self}


class AsyncFacts(Probe):
    async def facts(self):
        return {}


class RenewRaises(Probe):
    def renew(self):
        raise OSError("no port left")


class RenewWaits(Probe):
    def renew(self):
        time.sleep(0.6)


class Hedging(Probe):
    def refusing(self):
        return "perhaps"


class Explains(Probe):
    def explanation(self):
        return 7


class Notices(Probe):
    def noticed(self):
        return "asleep"


class NoMethod(Probe):
    renew = True


class Diagnoses(Probe):
    """Gives what a subclass says, or raises it."""

    found: object = ()

    def diagnose(self, timeout_s, running):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def diagnosing(found):
    return type("Diagnosed", (Diagnoses,), {"found": found})


class DiagnosesSlowly(Probe):
    async def diagnose(self, timeout_s, running):
        await asyncio.sleep(60)


def probe(build, *, pace_s=None, **more):
    check_probe_type(
        ProbeType("tried", "", Options, build, arrival_s=lambda options: pace_s),
        reachable={"good": True},
        unreachable={"good": False},
        timeout_s=0.3,
        **more,
    )


def test_a_good_probe_passes():
    probe(Probe, hostile=[{"good": True, "wait": "soon"}])
    probe(Reports)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (Raises, "that is a sample"),
        (Slow, "did not keep its deadline"),
        (Nonsense, "no Sample"),
        (Shared, "the other instance was closed"),
        (CloseOnce, "close, twice"),
        (NoFacts, "facts gave 'much', which is no dictionary"),
        (NoJson, "facts gave what JSON has not"),
        (AsyncFacts, "facts is async and is never called"),
        (RenewRaises, "renew raised OSError"),
        (RenewWaits, "renew waited"),
        (NoMethod, "renew is no method"),
        (Explains, "explanation gave 7, which is no text"),
        (Notices, "noticed gave 'asleep', which is no known word"),
        (Hedging, "refusing gave 'perhaps', neither true nor false"),
        (diagnosing(7), "gave 7, which is no list"),
        (diagnosing(["fine"]), "gave 'fine', which is no Diagnosis"),
        (diagnosing([Diagnosis("ok", "text")]), "gave the level 'ok'"),
        (diagnosing([Diagnosis.good("")]), "without a text"),
        (diagnosing([Diagnosis.failed("it is broken", "")]), "'it is broken' has no remedy"),
        (diagnosing(OSError("no")), "raised OSError: no; that is a Diagnosis"),
        (DiagnosesSlowly, "did not keep its time of 2.0 s"),
    ],
)
def test_a_probe_that_breaks_a_rule(build, words):
    Shared.closed_by_all = False
    with pytest.raises(AssertionError, match=words):
        probe(build)


def test_a_hostile_configuration_that_is_accepted():
    with pytest.raises(AssertionError, match="is accepted"):
        probe(Probe, hostile=[{"good": False}])


ROLES = {"now": Role.STANDBY, "applied": 0}


class Action:
    def __init__(self, options, context):
        pass

    def apply(self, role, timeout_s):
        ROLES["now"] = role

    def observe(self):
        return ROLES["now"]

    def close(self):
        pass


class TwiceIsTwo(Action):
    def apply(self, role, timeout_s):
        if ROLES["now"] is role is Role.ACTIVE:
            raise ActionError("it is there already")
        ROLES["now"] = role


class CannotRelease(Action):
    def apply(self, role, timeout_s):
        if ROLES["now"] is role is Role.STANDBY:
            raise ActionError("it is not there")
        ROLES["now"] = role


class Blind(Action):
    def observe(self):
        return Role.STANDBY


class LetsGo(Action):
    def close(self):
        ROLES["now"] = Role.STANDBY


class Prepared(Action):
    def prepare(self, role, timeout_s):
        assert 0 < timeout_s <= 0.1
        ROLES["prepared"] = role


class Lan(Action):
    """At home on a LAN, as far as it promises."""

    address, seen, closed = "02:00:00:00:00:01", ("02:00:00:00:00:02",), False

    def lan_address(self):
        return self.address

    async def owners_seen(self, timeout_s):
        return self.seen

    def broadcast(self, frame):
        ROLES["frames"].append(frame)

    def tell_broadcasts(self, tell):
        ROLES["tell"] = tell

    def close(self):
        self.closed = True


class NoLan(Lan):
    address = None

    async def owners_seen(self, timeout_s):
        raise ActionError("no carrier")


def lan(**fields):
    return type("Made", (Lan,), fields)


def broadcast_once(self, frame):
    if self.closed:
        raise OSError("closed")


def slowly(self, *arguments):
    time.sleep(0.8)


class TakesEarly(Action):
    def prepare(self, role, timeout_s):
        ROLES["now"] = role


class PreparesLong(Action):
    def prepare(self, role, timeout_s):
        time.sleep(1)


class PreparesOnce(Action):
    done = 0

    def prepare(self, role, timeout_s):
        self.done += 1
        if self.done == 2:
            raise ActionError("it is open already")


class Sees(Action):
    serves, place = True, 0

    async def partner_serves(self, timeout_s):
        return self.serves

    def turn(self):
        return self.place


class Advises(Action):
    said = True

    def advises(self):
        return self.said


class Ranks(Action):
    async def rank(self, score, timeout_s):
        if score == 0:
            raise ActionError("no cluster")


class RanksMuch(Action):
    async def rank(self, score, timeout_s):
        return score


class RanksLong(Action):
    def rank(self, score, timeout_s):
        time.sleep(4)


def advises(**fields):
    return type("Made", (Advises,), fields)


async def raising(self, timeout_s):
    raise ActionError("no cluster")


def sees(**fields):
    return type("Made", (Sees,), fields)


def blind(self, timeout_s):
    time.sleep(4)


def action(build):
    ROLES["frames"] = []
    ROLES["now"] = Role.STANDBY
    check_action_type(
        ActionType("tried", "", Options, build),
        config={"good": True},
        held=lambda: ROLES["now"],
    )


def test_a_good_action_passes():
    action(Action)
    action(Prepared)
    assert ROLES["prepared"] is Role.STANDBY
    action(NoLan)
    action(Sees)
    action(sees(serves=None, place=None))
    action(Advises)
    action(advises(said=False))
    action(Ranks)
    action(Lan)
    assert len(ROLES["frames"]) == 4, "before and after it is closed"


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (TwiceIsTwo, r"apply\(active\) failed"),
        (CannotRelease, r"apply\(standby\) failed"),
        (Blind, "observe gave"),
        (LetsGo, "role in force is standby"),
        (TakesEarly, r"prepare\(active\) changed the role in force"),
        (PreparesLong, "prepare did not keep its time"),
        (PreparesOnce, r"prepare\(standby\) failed: .*it is open already"),
        (lan(address="02-00-00-00-00-01"), "lan_address gave '02-00-00-00-00-01'"),
        (lan(address=b"\2\0\0\0\0\1"), "lan_address gave b"),
        (lan(lan_address=slowly), "lan_address waited"),
        (lan(seen="02:00:00:00:00:02"), "which is no sequence"),
        (lan(seen=("02:00:00:00:00:02", "mine")), r"owners_seen gave \['mine'\]"),
        (lan(owners_seen=slowly), "owners_seen did not keep its time"),
        (lan(tell_broadcasts=slowly), "tell_broadcasts waited"),
        (lan(broadcast=slowly), "broadcast waited"),
        (sees(serves="yes"), "partner_serves gave 'yes'"),
        (sees(place=-1), "turn gave -1"),
        (sees(place=True), "turn gave True"),
        (sees(turn=slowly), "turn waited"),
        (sees(partner_serves=raising), "partner_serves raised no cluster"),
        (sees(partner_serves=blind), "partner_serves did not keep its time"),
        (advises(said=None), "advises gave None"),
        (advises(advises=slowly), "advises waited"),
        (RanksMuch, "rank gave 0, not None"),
        (RanksLong, "rank did not keep its time"),
        (lan(broadcast=broadcast_once), "broadcast raised OSError"),
    ],
)
def test_an_action_that_breaks_a_rule(build, words):
    with pytest.raises(AssertionError, match=words):
        action(build)


TOLD = []


class Notifier:
    def __init__(self, options, context):
        self.good = options.good

    def notify(self, event, timeout_s):
        if not self.good:
            raise OSError("nobody listens")
        TOLD.append(event)

    def close(self):
        pass


class Hides(Notifier):
    def notify(self, event, timeout_s):
        if self.good:
            TOLD.append(event)


class Loses(Notifier):
    def notify(self, event, timeout_s):
        pass


def notifier(build):
    check_notifier_type(
        NotifierType("tried", "", Options, build),
        config={"good": True},
        delivered=lambda: len(TOLD),
        failing={"good": False},
        timeout_s=1.0,
    )


def test_a_good_notifier_passes():
    notifier(Notifier)


@pytest.mark.parametrize(("build", "words"), [(Hides, "did not say so"), (Loses, "fewer arrived")])
def test_a_notifier_that_breaks_a_rule(build, words):
    with pytest.raises(AssertionError, match=words):
        notifier(build)


ENDS = {}


class Link:
    def __init__(self, options, context):
        self.good, self.received, self.open = options.good, context.received, True
        ENDS[self.good] = self

    def send(self, frame):
        other = ENDS.get(not self.good)
        if self.open and other and other.open:
            other.received(frame)

    def close(self):
        self.open = False


class Breaks(Link):
    def send(self, frame):
        if not self.open:
            raise OSError("closed")
        super().send(frame)


class Cuts(Link):
    def send(self, frame):
        super().send(frame[:10])


def link(build):
    ENDS.clear()
    check_link_type(LinkType("tried", "", Options, build), ends=({"good": True}, {"good": False}))


def test_a_good_link_passes():
    link(Link)


@pytest.mark.parametrize(("build", "words"), [(Breaks, "send raised"), (Cuts, "did not arrive")])
def test_a_link_that_breaks_a_rule(build, words):
    with pytest.raises(AssertionError, match=words):
        link(build)


class Hears(Probe):
    """A probe whose far end sends by itself."""

    again_s = 0.02

    def __init__(self, options, context):
        super().__init__(options, context)
        self.good, self.tellers, self.work = options.good, [], None

    async def check(self, timeout_s):
        return Sample.ok(0.001) if self.good else Sample.error("nothing heard yet")

    def tell_arrivals(self, tell):
        self.tellers = [tell]
        self.work = self.work or asyncio.ensure_future(self.listen())

    async def listen(self):
        while True:
            for tell in self.tellers:
                self.report(tell)
            await asyncio.sleep(self.again_s)

    def report(self, tell):
        tell(Sample.ok(0.001), 0) if self.good else tell(Sample.error("nothing heard yet"))

    def close(self):
        if self.work is not None:
            self.work.get_loop().call_soon_threadsafe(self.work.cancel)


class ToldTwice(Hears):
    def tell_arrivals(self, tell):
        before = self.tellers
        super().tell_arrivals(tell)
        self.tellers = [*before, tell]


class HearsOn(Hears):
    def close(self):
        pass


class Mute(Hears):
    def report(self, tell):
        if self.good:
            super().report(tell)


class Deaf(Hears):
    def report(self, tell):
        if not self.good:
            super().report(tell)


class Dreams(Hears):
    def report(self, tell):
        tell(Sample.ok(0.001))


class LosesNonsense(Hears):
    def report(self, tell):
        tell(Sample.ok(0.001), -1)


class ReportsNonsense(Hears):
    def report(self, tell):
        tell("well")


def test_a_probe_that_reports_arrivals_passes():
    probe(Hears, pace_s=0.02)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (ToldTwice, "an earlier function is called on"),
        (HearsOn, "closed, it reports on"),
        (Mute, "unreachable: nothing is reported"),
        (Deaf, "no arrival was reported as OK"),
        (Dreams, "unreachable: an arrival was reported"),
        (LosesNonsense, "no number from 0 up"),
        (ReportsNonsense, "no Sample"),
    ],
)
def test_one_that_breaks_the_contract_of_arrivals_is_named(build, words, monkeypatch):
    monkeypatch.setattr("havpn_core.testing.arriving.PATIENCE_S", 0.3)
    with pytest.raises(AssertionError, match=words):
        probe(build, pace_s=0.02)
