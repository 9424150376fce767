"""Nothing that a plugin gives or raises gets past the gate, nor ends what calls it."""

import asyncio
import logging
import threading
import time
import warnings

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings

from havpn_core.config.instances import Instance, PathConfig
from havpn_core.config.options import CallOptions, PathOptions
from havpn_core.daemon.acting import Acting
from havpn_core.daemon.paths.path import PathRun
from havpn_core.daemon.reporting import path_status
from havpn_core.daemon.state.events import EventBus, Subscriber, as_record
from havpn_core.durations import Duration
from havpn_core.errors import CallBusy, CallFailed, CallOverdue, HavpnError
from havpn_core.pair.keys import authenticator
from havpn_core.pair.lan import Scout
from havpn_core.pair.options import PairOptions
from havpn_core.pair.run import PairRun
from havpn_core.pair.state import Own as OwnFacts
from havpn_core.plugging.descriptors import ActionType, Event, LinkType, Sample
from havpn_core.plugging.gate import coercion, presence
from havpn_core.plugging.gate.building import build, lacks, same
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.inlet import MOST_WAITING, Inlet
from havpn_core.plugging.protocols import AddressProbing
from havpn_core.plugging.wording import LONGEST, describe, words
from havpn_core.rules.effects.plan import Lane
from havpn_core.rules.hysteresis import Level, Outcome
from havpn_core.rules.role import Role
from havpn_core.rules.wish import Wish
from tests.core.hostile import (
    BIG,
    SURROGATE,
    Own,
    Pretends,
    exceptions,
    instances,
    methods,
    raised,
    values,
)

LOG = logging.getLogger("hostile")
LOG.addHandler(logging.NullHandler())
LOG.propagate = False
SOON_S = 0.5
EVENT = Event("daemon", "", "", "started")

quick = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
few = settings(quick, max_examples=25)


@pytest.fixture(autouse=True)
def _unawaited():
    """What is never awaited is the plugin's own fault."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def check_text(text, limit=LONGEST):
    assert type(text) is str
    assert len(text) <= limit + 200
    assert text.isprintable()
    text.encode()


def check_sample(sample):
    assert type(sample) is Sample
    assert any(sample.outcome is each for each in Outcome)
    assert sample.latency_s is None or 0 <= sample.latency_s <= coercion.MOST_LATENCY_S
    check_text(sample.detail)


@quick
@given(values, values, values)
def test_a_sample_of_anything_is_a_sample(outcome, detail, latency):
    check_sample(coercion.as_sample(outcome))
    check_sample(coercion.as_sample(Sample(outcome, detail, latency)))
    check_sample(coercion.as_sample(Sample(Outcome.OK, detail, latency)))


def test_what_is_good_in_a_sample_stays():
    good = Sample.ok(0.25, "fine")
    assert coercion.as_sample(good) is good
    assert coercion.as_sample(Sample(Outcome.FAIL, b"no\nway", True)) == Sample.fail("no way")
    assert coercion.as_sample(Sample(Outcome.OK, "", 2)) == Sample.ok(2.0)
    wrong = coercion.as_sample(Sample("ok", "fine"))
    assert (wrong.outcome, "'ok'" in wrong.detail) == (Outcome.ERROR, True)


@quick
@given(values)
@example(
    {"nan": float("nan"), "sur": SURROGATE, "big": 2**80, "bytes": b"\xff", "deep": [[[[[[1]]]]]]}
)
def test_facts_are_always_small_and_encodable(value):
    for given_value in (value, {"in": value}, {"in": [value] * 3}):
        found = coercion.as_facts(given_value)
        assert type(found) is dict
        assert len(msgspec.json.encode(found)) < 8 * LONGEST * coercion.MOST_ITEMS


def test_what_is_good_in_facts_stays():
    facts = {"line": "up", "n": 3, "ratio": 0.5, "none": None, "on": True, "row": [1, {"a": "b"}]}
    assert coercion.as_facts(facts) == facts


@quick
@given(exceptions)
def test_every_exception_has_a_short_name(problem):
    check_text(describe(problem))
    check_text(words(problem))


def test_an_exception_is_named_without_its_number():
    assert describe(OSError(2, "No such file", "x")) == "FileNotFoundError: No such file: 'x'"
    assert describe(ValueError("a\n b")) == "ValueError: a b"
    assert describe(HavpnError("plain")) == "plain"
    assert "tried to end the program (status 3)" in describe(SystemExit(3))


@quick
@given(values, values, values)
def test_every_event_can_be_written(subject, after, detail):
    event = coercion.as_event(Event("verdict", subject, "", after, detail))
    assert len(msgspec.json.encode(as_record(event))) < 8 * coercion.LONGEST_EVENT
    kept = []
    EventBus("gw", LOG, kept.append).emit(Event("verdict", subject, "", after, detail))
    msgspec.json.encode(as_record(kept[0]))


@quick
@given(values)
def test_a_frame_of_anything_is_bytes(value):
    frame = coercion.as_frame(value)
    assert type(frame) is bytes
    assert len(frame) <= 8 * coercion.LONGEST_FRAME


async def outcome_of(call, good):
    """Await a call of a plugin: a good value, or an error with a text that can be written."""
    try:
        assert good(await call)
    except HavpnError as problem:
        check_text(str(problem))


@quick
@given(instances())
def test_a_caller_gives_what_it_promises_or_an_error(instance):
    async def run():
        caller = Caller(instance, "hostile")
        nothing = lambda value: value is None  # noqa: E731
        try:
            check_sample(await caller.check(0.1, SOON_S))
        except HavpnError as problem:
            check_text(str(problem))
        await outcome_of(caller.observe(SOON_S), lambda r: r is None or isinstance(r, Role))
        await outcome_of(caller.apply(Role.ACTIVE, 0.1, SOON_S), nothing)
        await outcome_of(caller.notify((EVENT,), 0.1, SOON_S), nothing)
        await outcome_of(
            caller.answered_by(0.1, SOON_S), lambda who: who is None or check_text(who) is None
        )
        assert type(caller.yields) is bool
        assert type(caller.able(AddressProbing)) is bool
        await outcome_of(
            presence.owners_seen(caller, 0.1, SOON_S),
            lambda owners: all(check_text(each) is None for each in owners),
        )
        assert len(presence.lan_address(caller)) in (0, 6)
        presence.broadcast(caller, b"frame")
        presence.tell_broadcasts(caller, lambda sender, frame: None)
        msgspec.json.encode(caller.facts())
        if caller.renew is not None:
            caller.renew()
        caller.announce()
        caller.tell_conflicts(lambda who: None)
        caller.send(b"frame")
        said = await caller.close(SOON_S)
        assert said is None or check_text(said) is None
        caller.close_link()

    asyncio.run(run())


@few
@given(raised, values)
def test_build_and_missing_are_contained(problem, value):
    def raises(*arguments):
        raise problem

    kind = ActionType("hostile", "", msgspec.Struct, raises, missing=raises)
    with pytest.raises(CallFailed) as caught:
        build(kind, None, None, "hostile")
    check_text(str(caught.value))
    for text in lacks(kind, None):
        check_text(text)
    kind = ActionType("hostile", "", msgspec.Struct, lambda o, c: value, missing=lambda o: value)
    assert build(kind, None, None, "hostile").instance is value
    for text in lacks(kind, None):
        check_text(text)


def test_an_async_build_is_refused():
    async def later(options, context):
        return object()

    with pytest.raises(CallFailed, match="plain function"):
        build(ActionType("hostile", "", msgspec.Struct, later), None, None, "hostile")


def test_what_a_plain_method_gives_to_await_is_awaited():
    class Probe:
        def check(self, timeout_s):
            return self.later()

        async def later(self):
            await asyncio.sleep(0)
            return Sample.ok(0.001)

    assert asyncio.run(Caller(Probe(), "p").check(1, 5)) == Sample.ok(0.001)


class Stubborn:
    """Refuses to be cancelled."""

    def __init__(self):
        self.free = None

    async def check(self, timeout_s):
        self.free = self.free or asyncio.get_running_loop().create_future()
        while not self.free.done():
            try:
                await asyncio.shield(self.free)
            except BaseException:
                continue
        return Sample.ok()


def test_the_daemons_own_cancellation_passes_and_a_plugins_own_does_not():
    class Waits:
        async def check(self, timeout_s):
            await asyncio.Event().wait()

    class Cancels:
        async def check(self, timeout_s):
            raise asyncio.CancelledError("mine")

    async def run():
        with pytest.raises(CallFailed, match="CancelledError: mine"):
            await Caller(Cancels(), "c").check(1, 5)
        waiting = asyncio.create_task(Caller(Waits(), "w").check(1, 60))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(CallOverdue):
            await Caller(Waits(), "w").check(1, 0.01)

    asyncio.run(run())


def test_calls_that_refuse_to_end_are_bounded(monkeypatch):
    monkeypatch.setattr("havpn_core.plugging.gate.calls.MOST_OPEN", 3)

    async def run():
        caller = Caller(probe := Stubborn(), "s")
        for _ in range(3):
            with pytest.raises(CallOverdue):
                await caller.check(0.01, 0.01)
        with pytest.raises(CallBusy, match="3 earlier calls"):
            await caller.check(0.01, 0.01)
        probe.free.set_result(None)
        await asyncio.sleep(0.01)
        assert await caller.check(0.01, 5) == Sample.ok()

    asyncio.run(run())


def options(**more):
    given_options = {"interval": Duration(0.01), "timeout": Duration(0.05), "fall": 2, "rise": 2}
    return PathOptions(**given_options | more)


def path_run(*probes, **more):
    callers = {f"p{n}": Caller(probe, f"p{n}") for n, probe in enumerate(probes)}
    return PathRun(PathConfig("vpn1", options(**more), ()), callers, Level.UP, lambda *a: None)


class Steady:
    """A probe that is fine, and lets go of the test after some probes."""

    def __init__(self, enough=3):
        self.count, self.enough = 0, enough
        self.done = None

    async def check(self, timeout_s):
        self.done = self.done or asyncio.Event()
        self.count += 1
        if self.count >= self.enough:
            self.done.set()
        return Sample.ok(0.001)

    async def close(self):
        pass


async def beside(run, steady):
    """Run a path until the steady probe on it was sent often enough."""
    steady.done = asyncio.Event()
    work = asyncio.create_task(run.run())
    enough = asyncio.create_task(steady.done.wait())
    await asyncio.wait((work, enough), return_when="FIRST_COMPLETED", timeout=30)
    assert not work.done(), work.exception()
    assert enough.done()
    work.cancel()
    found = path_status(run, run._clock())
    await run.close()
    return found


@few
@given(instances())
def test_a_path_goes_on(instance):
    async def run():
        found = await beside(path_run(instance, steady := Steady()), steady)
        msgspec.json.encode(found)
        assert found.verdict == "up"
        assert "p0" in found.probes

    asyncio.run(run())


def test_a_probe_that_refuses_to_be_cancelled_times_out():
    async def run():
        probe = Stubborn()
        try:
            found = await beside(path_run(probe, steady := Steady(enough=30)), steady)
        finally:
            probe.free.set_result(None)
        # A busy machine comes back to some so late that they are void: those are errors.
        assert found.probes["p0"].fail > found.probes["p0"].error

    asyncio.run(run())


def test_a_probe_that_cancels_itself_counts_as_an_error():
    class Cancels:
        async def check(self, timeout_s):
            asyncio.current_task().cancel()
            await asyncio.sleep(0)

    async def run():
        found = await beside(path_run(Cancels(), steady := Steady()), steady)
        assert found.probes["p0"].fail == 0
        assert found.probes["p0"].error > 0

    asyncio.run(run())


def test_facts_replace_no_key_of_the_cores():
    class Boasts(Steady):
        def facts(self):
            return {"ok": "all", "detail": "none", "own": 1}

    async def run():
        found = await beside(path_run(steady := Boasts()), steady)
        assert type(found.probes["p0"].ok) is int
        assert found.probes["p0"].facts["own"] == 1

    asyncio.run(run())


def action(name, *, owns=True):
    kind = ActionType("hostile", "", CallOptions, lambda o, c: None, owns=owns)
    return Instance(f"action.{name}", "action", kind, CallOptions(), 0.2)


@few
@given(instances())
def test_the_actions_go_on(instance):
    async def run():
        events = []

        async def remember():
            pass

        acting = Acting(
            lambda e: events.append(coercion.as_event(e)),
            remember,
            asyncio.get_running_loop().time,
        )
        acting.install({"action.bad": (action("bad"), Caller(instance, "bad"))}, {})
        await acting.look()
        acting.want(Wish(Role.ACTIVE))
        work = asyncio.create_task(acting.act_for_ever(Lane.OWNERS))
        for _ in range(200):
            await asyncio.sleep(0.005)
            if any(e.after in ("failed", "active") for e in events):
                break
        assert not work.done(), work.exception()
        work.cancel()
        msgspec.json.encode([acting.facts(), [as_record(e) for e in events]])
        assert any(e.after in ("failed", "active") for e in events)

    asyncio.run(run())


@few
@given(instances())
def test_a_subscriber_goes_on(instance):
    async def run():
        subscriber = Subscriber("notifier.bad", Caller(instance, "bad"), 0.2)
        work = asyncio.create_task(subscriber.deliver(LOG))
        for _ in range(2):
            subscriber.put(EVENT)
        while subscriber.delivered + subscriber.failed < 2:
            await asyncio.wait((work,), timeout=0.01)
            assert not work.done(), work.exception()
        work.cancel()
        msgspec.json.encode(subscriber.facts())

    asyncio.run(run())


@few
@given(instances(), methods())
def test_a_scout_comes_back_with_an_answer(instance, answered_by):
    type(instance).answered_by = answered_by

    async def run():
        answered, told = asyncio.Event(), []
        scout = Scout(lambda: {"bad": Caller(instance, "bad")}, told.append, answered.set)
        if scout._usable():
            scout.look(True, 0.05)
            # An owner that blocks nothing is reported before the last round.
            while scout.in_use is None and not any("cannot be probed" in text for text in told):
                await asyncio.wait_for(answered.wait(), 30)
                answered.clear()
            assert not scout._task.done()
        for text in told:
            check_text(text, limit=2 * LONGEST)
        scout.close()

    asyncio.run(run())


def pair_run(*made, contexts=None):
    def builder(number):
        def build_link(options_, context):
            if contexts is not None:
                contexts[number] = context
            return made[number]

        plugin_type = LinkType("l", "", CallOptions, build_link)
        return lambda received: build(plugin_type, CallOptions(), received, f"pair.link.l{number}")

    run = PairRun(
        PairOptions(priority=100, key_file="k", interval=Duration(0.02)),
        authenticator((bytes(32),), 1),
        lambda: OwnFacts(1, 100),
        lambda: None,
        asyncio.get_running_loop().time,
        links={f"l{number}": builder(number) for number in range(len(made))},
        owners=dict,
        report=lambda text: None,
    )
    run.connect()
    return run


class GoodLink:
    def __init__(self):
        self.frames = 0
        self.enough = asyncio.Event()

    def send(self, frame):
        self.frames += 1
        if self.frames >= 2:
            self.enough.set()

    def close(self):
        pass


@few
@given(instances())
def test_a_pair_goes_on(instance):
    async def run():
        pair = pair_run(instance, good := GoodLink())
        work = asyncio.create_task(pair.run())
        enough = asyncio.create_task(good.enough.wait())
        await asyncio.wait((work, enough), return_when="FIRST_COMPLETED", timeout=30)
        assert not work.done(), work.exception()
        assert enough.done(), "the good link is not silenced"
        facts = pair.facts()
        msgspec.json.encode(facts)
        assert {"alive", "frames"} <= set(facts["links"]["l0"])
        work.cancel()
        pair.close()

    asyncio.run(run())


@few
@given(values)
def test_frames_of_anything_from_any_thread_are_counted(value):
    async def run():
        contexts = {}
        pair = pair_run(GoodLink(), contexts=contexts)
        contexts[0](value)
        thread = threading.Thread(target=lambda: [contexts[0](value) for _ in range(3)])
        thread.start()
        await asyncio.to_thread(thread.join)
        await asyncio.sleep(0)
        assert sum(pair.facts()["frames"].values()) == 4
        pair.close()
        contexts[0](b"late")
        assert sum(pair.facts()["frames"].values()) == 4, "a closed link brings nothing"

    asyncio.run(run())


def test_conflicts_are_told_on_the_loop_and_never_flood_it():
    async def run():
        told, here = [], threading.get_ident()
        inlet = Inlet(coercion.as_rival, lambda who: told.append((who, threading.get_ident())))
        thread = threading.Thread(target=lambda: [inlet("x" * BIG) for _ in range(1000)])
        thread.start()
        thread.join()
        await asyncio.sleep(0.01)
        assert 0 < len(told) <= MOST_WAITING
        assert {where for _, where in told} == {here}
        inlet()
        inlet(Pretends(), 2, c=3)
        inlet(Own("who"))
        for who, _ in told:
            check_text(who)

    asyncio.run(run())


def test_facts_that_block_the_loop_are_left_out_in_the_end():
    class Slow:
        def facts(self):
            time.sleep(0.03)
            return {"own": 1}

    caller = Caller(Slow(), "slow")
    assert [caller.facts() for _ in range(4)] == [{"own": 1}] * 3 + [{}]


def test_a_scout_survives_a_property_that_raises():
    class Owner:
        @property
        def yields(self):
            raise SystemExit(1)

        async def answered_by(self, timeout_s):
            return "02:00:00:00:00:01"

    async def run():
        answered, told = asyncio.Event(), []
        scout = Scout(lambda: {"bad": Caller(Owner(), "bad")}, told.append, answered.set)
        scout.look(True, 0.05)
        await asyncio.wait_for(answered.wait(), 30)
        assert scout.in_use is True, "who cannot be asked whether it yields, yields"
        assert "not taken" in told[0]
        scout.close()

    asyncio.run(run())


@few
@given(exceptions)
def test_options_that_cannot_be_compared_count_as_changed(problem):
    class Odd:
        def __eq__(self, other):
            raise problem

        __hash__ = None

    assert same(Odd(), Odd()) is False
    assert same(None, None) is True
