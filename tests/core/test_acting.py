"""The lanes at work, in process: what counts as held, what is waited for, and what is not."""

import asyncio
import contextlib
import threading

import pytest

from havpn_core.config.instances import Instance
from havpn_core.config.options import CallOptions
from havpn_core.daemon.acting import Acting
from havpn_core.daemon.state.memory import ActionMemory
from havpn_core.errors import ActionError, CallBusy, CallOverdue
from havpn_core.plugging.descriptors import ActionType
from havpn_core.plugging.gate import calls
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.effects.plan import Lane
from havpn_core.rules.role import Role
from havpn_core.rules.wish import Wish

A, S = Role.ACTIVE, Role.STANDBY
LONG_S = 20
"""What nothing here takes, even on a busy machine, unless it waits for what never comes."""


class Action:
    """Notes what is done to it, and lets a test hold each call back."""

    def __init__(self, log=None, name=""):
        self.log, self.name = [] if log is None else log, name
        self.role, self.error, self.lie = S, None, False
        self.free, self.seen = asyncio.Event(), asyncio.Event()
        self.free.set()
        self.seen.set()

    async def apply(self, role, timeout_s):
        self.log.append((self.name, role))
        await self.free.wait()
        if not self.lie:
            self.role = role
        if self.error:
            raise ActionError(self.error)

    async def observe(self):
        await self.seen.wait()
        if isinstance(self.role, Exception):
            raise self.role
        return self.role

    async def close(self):
        pass


class Readied(Action):
    async def prepare(self, role, timeout_s):
        self.log.append((f"prepare {self.name}", role))
        await self.readied()

    async def readied(self):
        pass


class Stage:
    """An :class:`Acting` with its tasks; owners are named with a capital."""

    def __init__(self, memories=None, **actions):
        self.events, self.moves, self.written = [], [], 0
        self.memories = memories or {}
        self.hold_disk = asyncio.Event()
        self.hold_disk.set()
        self.acting = Acting(self.emit, self.remember, asyncio.get_running_loop().time)
        self.acting.moved = lambda: self.moves.append(self.acting.plan.held)
        self.install(**actions)

    def install(self, **actions):
        self.actions = actions
        self.acting.install(
            {
                f"action.{name}": (self.instance(name), Caller(made, name))
                for name, made in actions.items()
            },
            self.memories,
        )

    @staticmethod
    def instance(name):
        kind = ActionType("test", "", CallOptions, lambda o, c: None, owns=name[0].isupper())
        return Instance(f"action.{name}", "action", kind, CallOptions(), 60.0)

    async def remember(self):
        await self.hold_disk.wait()
        self.written += 1

    def emit(self, event):
        self.events.append((event.subject, event.after))

    async def __aenter__(self):
        await self.acting.look()
        self.tasks = [asyncio.create_task(self.acting.act_for_ever(lane)) for lane in Lane]
        self.tasks.append(asyncio.create_task(self.acting.look_at_changes_for_ever()))
        self.tasks.append(asyncio.create_task(self.acting.remember_for_ever()))
        return self

    async def __aexit__(self, *problem):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def want(self, role, *, held=False):
        self.acting.want(Wish(role, held=held))

    async def until(self, true):
        async with asyncio.timeout(LONG_S):
            while not true():
                assert not any(task.done() for task in self.tasks)
                await asyncio.sleep(0.001)

    async def event(self, *expected):
        await self.until(lambda: expected in self.events)


def on_stage(test):
    """Run an async test on a loop of its own."""

    def run():
        asyncio.run(test())

    run.__name__ = test.__name__
    return run


@on_stage
async def test_an_owner_holds_a_role_once_a_look_has_seen_it():
    async with Stage(Vip=(vip := Action())) as stage:
        assert stage.acting.plan.held is S
        vip.seen.clear()
        stage.want(A)
        await stage.until(lambda: vip.role is A)
        for _ in range(20):
            await asyncio.sleep(0)
        assert stage.acting.plan.held is None
        assert ("Vip", "active") not in stage.events
        vip.seen.set()
        await stage.event("Vip", "active")
        assert stage.acting.plan.held is A
        assert stage.moves == [S, None, A]


@on_stage
async def test_a_lie_of_an_owner_is_a_failure_that_is_tried_again():
    async with Stage(Vip=(vip := Action())) as stage:
        vip.lie = True
        stage.want(A)
        await stage.event("Vip", "failed")
        assert stage.acting.plan.held is S
        assert ("Vip", "active") not in stage.events
        assert A not in stage.moves
        vip.lie = False
        await stage.event("Vip", "active")
        assert stage.acting.plan.held is A


@on_stage
async def test_an_owner_that_raises_holds_what_it_is_seen_to_hold():
    async with Stage(Vip=(vip := Action())) as stage:
        vip.error = "the announcement failed"
        stage.want(A)
        await stage.event("Vip", "failed")
        assert stage.acting.plan.held is A
        assert stage.acting.facts()["Vip"].phase == "retrying"


@on_stage
async def test_an_owner_whose_look_raises_holds_nothing_that_is_known():
    async with Stage(Vip=(vip := Action())) as stage:
        stage.want(A)
        await stage.event("Vip", "active")
        vip.role = RuntimeError("no look")
        stage.acting.network_changed()
        await stage.until(lambda: stage.acting.plan.held is None)
        assert stage.acting.plan.observed is None
        await asyncio.sleep(0)
        assert vip.log == [("", A)], "what is not known is not done again"


@on_stage
async def test_two_owners_that_differ_hold_nothing():
    async with Stage(Vip=Action(), Wip=(second := Action())) as stage:
        second.free.clear()
        stage.want(A)
        await stage.event("Vip", "active")
        assert stage.acting.plan.held is None
        second.free.set()
        await stage.event("Wip", "active")
        assert stage.acting.plan.held is A
        assert stage.moves[-1] is A


@on_stage
async def test_what_others_report_is_no_part_of_what_is_held():
    async with Stage(hook=(hook := Action()), Vip=Action()) as stage:
        hook.free.clear()
        stage.want(A)
        await stage.event("Vip", "active")
        await stage.event("hook", "applying active")
        assert stage.acting.plan.held is A
        stage.want(S)
        await stage.event("Vip", "standby")
        assert stage.acting.plan.held is S
        assert not stage.acting.settled
        hook.free.set()
        await stage.event("hook", "standby")
        await stage.until(lambda: stage.acting.settled)


@on_stage
async def test_others_wait_for_an_owner_that_does_not_come_back_no_longer_than_a_head_start():
    async with Stage(Vip=(vip := Action()), hook=Action()) as stage:
        vip.free.clear()
        stage.want(A)
        await stage.event("hook", "active")
        assert vip.role is S
        assert stage.acting.plan.held is None


@on_stage
async def test_a_disk_that_hangs_delays_others_alone():
    async with Stage(Vip=Action(), hook=(hook := Action())) as stage:
        stage.hold_disk.clear()
        for role in (A, S, A):
            stage.want(role)
            await stage.until(lambda role=role: stage.acting.plan.held is role)
        assert hook.log == []
        stage.hold_disk.set()
        await stage.event("hook", "active")


@on_stage
async def test_what_owners_did_is_written_down_beside_them():
    async with Stage(Vip=Action()) as stage:
        stage.want(A)
        await stage.until(lambda: stage.written)
        assert stage.acting.memories() == {"action.Vip": ActionMemory(done=A)}


@on_stage
async def test_a_hung_look_of_another_action_delays_neither_the_start_nor_a_look_at_an_owner():
    async with Stage(hook=(hook := Action()), Vip=(vip := Action())) as stage:
        hook.seen.clear()
        stage.want(A)
        await stage.event("Vip", "active")
        vip.role = S
        stage.acting.network_changed()
        await stage.until(lambda: vip.log == [("", A), ("", A)])
        await stage.until(lambda: stage.acting.plan.held is A)


@on_stage
async def test_one_owners_hung_look_hides_no_other_owners():
    async with Stage(Vip=(vip := Action()), Wip=(second := Action())) as stage:
        stage.want(A)
        await stage.event("Wip", "active")
        vip.seen.clear()
        second.role = S
        stage.acting.network_changed()
        await stage.until(lambda: second.log == [("", A), ("", A)])


@on_stage
async def test_all_is_prepared_at_the_same_time_before_the_owners_change():
    log = []
    first, second = Readied(log, "first"), Readied(log, "second")
    both = asyncio.Barrier(2)
    first.readied = second.readied = both.wait
    async with Stage(first=first, Vip=Action(log, "Vip"), second=second) as stage:
        for role in (A, S):
            stage.want(role)
            await stage.event("second" if role is A else "first", role.value)
            preparing = [("prepare first", role), ("prepare second", role)]
            assert log[:3] == [*preparing, ("Vip", role)]
            assert sorted(log[3:]) == sorted([("first", role), ("second", role)])
            log.clear()
        assert not [event for event in stage.events if event[1] == "failed"]


class PlainHung(Action):
    """Its ``prepare`` never comes back, in its thread."""

    def prepare(self, role, timeout_s):
        threading.Event().wait()


class Plain(Action):
    """All in a thread; a look takes until it is let go."""

    def __init__(self):
        super().__init__()
        self.let_go, self.looking, self.left_s = threading.Event(), threading.Event(), []
        self.let_go.set()

    def apply(self, role, timeout_s):
        self.role = role

    def prepare(self, role, timeout_s):
        self.left_s.append(timeout_s)

    def observe(self):
        self.looking.set()
        self.let_go.wait(LONG_S)
        return self.role


def test_a_change_waits_for_a_short_look_in_its_own_thread(monkeypatch):
    monkeypatch.setattr(calls, "TURN_S", float(LONG_S))

    async def run():
        async with Stage(Vip=(vip := Plain())) as stage:
            vip.let_go.clear()
            vip.looking.clear()
            stage.acting.network_changed()
            await stage.until(vip.looking.is_set)
            stage.want(A)
            await stage.event("Vip", "failed")
            assert stage.events == [("Vip", "failed"), ("Vip", "applying active")], "not prepared"
            vip.let_go.set()
            await stage.event("Vip", "active")
            assert stage.events.count(("Vip", "failed")) == 1
            assert vip.left_s == []

    asyncio.run(run())


def test_preparing_is_given_up_hard_and_gets_what_is_left_of_its_time():
    async def run():
        caller = Caller(plain := Plain(), "plain")
        await caller.prepare(A, LONG_S)
        plain.let_go.clear()
        plain.looking.clear()
        look = asyncio.create_task(caller.observe(LONG_S))
        await asyncio.to_thread(plain.looking.wait, LONG_S)
        with pytest.raises(CallBusy):
            await caller.prepare(A, 0.01)
        with pytest.raises(CallBusy):
            await caller.apply(A, 0.01, 0.01)
        later = asyncio.create_task(caller.prepare(A, LONG_S))
        await asyncio.sleep(0.05)
        plain.let_go.set()
        await later
        assert await look is S
        assert LONG_S / 2 < plain.left_s[0] <= LONG_S
        assert plain.left_s[1] < LONG_S - 0.04
        with pytest.raises(CallOverdue):
            await Caller(PlainHung(), "hung").prepare(A, 0.01)

    asyncio.run(run())


class Stubborn(Readied):
    over = False

    async def readied(self):
        while not self.over:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)


class Raising(Readied):
    async def readied(self):
        raise SystemExit(3)


@pytest.mark.parametrize("kind", [PlainHung, Stubborn, Raising])
def test_the_addresses_come_whatever_becomes_of_the_preparation(kind):
    async def run():
        async with Stage(bad=(bad := kind()), Vip=Action()) as stage:
            stage.want(A)
            await stage.event("Vip", "active")
            assert stage.events[0] == ("bad", "failed")
            bad.over = True

    asyncio.run(run())


@on_stage
async def test_what_was_prepared_is_not_prepared_again_for_a_retry_but_for_the_next_change():
    log = []
    async with Stage(hook=Readied(log, "hook"), Vip=(vip := Action(log, "Vip"))) as stage:
        vip.error = "no device"
        vip.lie = True
        stage.want(A)
        await stage.until(lambda: log.count(("Vip", A)) == 2)
        assert log.count(("prepare hook", A)) == 1
        stage.want(S)
        stage.want(A)
        await stage.until(lambda: log.count(("prepare hook", A)) == 2)


@pytest.mark.parametrize("change", ["wish", "hold", "reload"])
def test_a_right_that_goes_while_all_is_prepared_is_not_used(change):
    async def run():
        log = []
        hook, vip = Readied(log, "hook"), Action(log, "Vip")
        async with Stage(hook=hook, Vip=vip) as stage:
            begun, go = asyncio.Event(), asyncio.Event()

            async def readied():
                begun.set()
                await go.wait()

            hook.readied = readied
            stage.want(A)
            await begun.wait()
            if change == "wish":
                stage.want(S)
            elif change == "hold":
                stage.want(A, held=True)
            else:
                stage.install(hook=hook, Vip=Action(log, "new"))
            go.set()
            await stage.until(lambda: not stage.acting.plan.running)
            assert ("Vip", A) not in log
            if change == "wish":
                vip.role = A  # so that there is something to give
                stage.acting.network_changed()
                await stage.until(lambda: ("Vip", S) in log)
                assert ("prepare hook", S) in log
            elif change == "reload":
                await stage.until(lambda: ("new", A) in log)
            else:
                assert stage.acting.plan.held is S

    asyncio.run(run())


@on_stage
async def test_an_action_that_is_still_at_its_last_change_is_not_prepared():
    log = []
    async with Stage(hook=(hook := Readied(log, "hook")), Vip=Action(log, "Vip")) as stage:
        hook.free.clear()
        stage.want(A)
        await stage.until(lambda: ("hook", A) in log)
        stage.want(S)
        await stage.event("Vip", "standby")
        assert ("prepare hook", S) not in log


@on_stage
async def test_one_that_was_given_a_role_by_others_is_not_prepared():
    log = []
    memories = {"action.hook": ActionMemory(done=A, foreign=S)}
    hook, vip = Readied(log, "hook"), Action(log, "Vip")
    async with Stage(memories, hook=hook, Vip=vip) as stage:
        stage.want(A)
        await stage.event("Vip", "active")
        assert log == [("Vip", A)]


@on_stage
async def test_an_instance_is_free_when_no_lane_is_at_it():
    async with Stage(hook=(hook := Action()), Vip=Action()) as stage:
        caller = stage.acting._roster.now("action.hook")
        await stage.acting.until_free(caller)
        hook.free.clear()
        stage.want(A)
        await stage.event("hook", "applying active")
        stage.install(hook=Action(), Vip=stage.actions["Vip"])
        waiting = asyncio.create_task(stage.acting.until_free(caller))
        await stage.event("Vip", "active")
        stage.want(S)
        await stage.until(lambda: ("Vip", "standby") in stage.events)
        assert not waiting.done()
        hook.free.set()
        await asyncio.wait_for(waiting, LONG_S)


@on_stage
async def test_where_nothing_owns_a_failure_stops_what_comes_after_and_success_counts_at_once():
    async with Stage(one=(one := Action()), two=(two := Action())) as stage:
        one.error, one.lie = "no", True
        stage.want(A)
        await stage.event("one", "failed")
        assert two.log == []
        one.error, one.lie = None, False
        await stage.event("two", "active")
        one.seen.clear()
        two.seen.clear()
        stage.want(S)
        await stage.until(lambda: stage.acting.plan.held is None)
        await stage.until(lambda: ("", S) in two.log)
        await stage.until(lambda: stage.acting.plan.get("action.two").observed is S)
