"""What every plugin must hold to, as checks that a package's own tests call.

Each check raises :class:`AssertionError` with the rule that was broken. Configurations are tables
as they stand in the file below ``type``; they go the way that ``havpn`` itself reads them. The
checks run an event loop of their own, so that ``async def`` and plain ``def`` are treated alike.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from havpn_core.errors import CallOverdue, HavpnError
from havpn_core.grading.evidence import note
from havpn_core.pair.frames import BIGGEST
from havpn_core.plugging.descriptors import (
    ActionType,
    Event,
    EventKind,
    LinkType,
    NotifierType,
    PluginType,
    ProbeType,
    Retry,
    Sample,
    Severity,
)
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.protocols import Arriving, Gathering
from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.role import Role
from havpn_core.testing.abilities import (
    check_advising,
    check_broadcast,
    check_diagnosing,
    check_lan_presence,
    check_partner_seeing,
    check_prepares,
    check_ranking,
)
from havpn_core.testing.arriving import check_arriving, heard
from havpn_core.testing.made import (
    GRACE_S,
    Made,
    Table,
    check_abilities,
    check_hostile_configuration,
    context,
    options,
    plugin_type,
    until,
)
from havpn_core.testing.rendered import check_renderer_type

__all__ = [
    "check_action_type",
    "check_hostile_configuration",
    "check_link_type",
    "check_notifier_type",
    "check_probe_type",
    "check_renderer_type",
    "context",
    "options",
    "plugin_type",
]

EVENT = Event(
    EventKind.VERDICT, "line", "up", "down", "a test's event", Severity.WARNING, "gateway"
)


def check_probe_type(
    plugin_type: ProbeType,
    *,
    reachable: Table,
    unreachable: Table,
    hostile: Iterable[Table] = (),
    timeout_s: float = 1.0,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Check a type of probe; of one that is :class:`havpn_core.Arriving` what it reports, too.

    :param reachable: a configuration whose check is OK here.
    :param unreachable: one whose far end does not reply: the check fails, or is ``ERROR`` where the
        far end sends by itself and was never heard (:class:`havpn_core.Arriving`).
    :param hostile: further configurations that must be refused.
    :param timeout_s: deadline of each check in seconds.
    :param more: fields of the context.
    """
    check_hostile_configuration(plugin_type, reachable, hostile)

    async def run() -> None:
        async with Made(plugin_type, more) as made:
            one, two, lost = made(reachable), made(reachable), made(unreachable)
            check_abilities(one.instance)
            await check_diagnosing(made(reachable))
            for caller in (one, two):
                await _sample(caller, timeout_s, Outcome.OK, "reachable")
            pace_s = plugin_type.arrival_s(options(plugin_type, reachable))
            unpolled = lost.able(Arriving) and pace_s is not None
            bad = Outcome.ERROR if unpolled else Outcome.FAIL
            await _sample(lost, timeout_s, bad, "unreachable")
            assert await made.close(one) is None, "close failed"
            if unpolled:  # the far end may have sent to the one that is closed now
                await heard(two, timeout_s)
            await _sample(two, timeout_s, Outcome.OK, "the other instance was closed")
            if unpolled:
                await check_arriving(two, lost, lambda: made.close(two))

    _kept("probe", plugin_type, run())


def _kept(kind: str, plugin_type: PluginType, checks: Coroutine[Any, Any, None]) -> None:
    """Run the checks of a contract, and write down that it is kept (``havpn plugin grade``)."""
    asyncio.run(checks)
    note(kind, plugin_type.name)


async def _sample(caller: Caller, timeout_s: float, expected: Outcome, when: str) -> None:
    try:
        sample = await caller.call("check", timeout_s, deadline_s=timeout_s + GRACE_S)
    except CallOverdue:
        raise AssertionError(f"{when}: check did not keep its deadline of {timeout_s} s") from None
    except HavpnError as problem:
        raise AssertionError(f"{when}: check raised {problem}; that is a sample") from None
    assert isinstance(sample, Sample), f"{when}: check gave {sample!r}, which is no Sample"
    assert sample.outcome is expected, f"{when}: {sample}, not {expected.name}"
    latency = sample.latency_s
    assert latency is None or 0 <= latency <= timeout_s + GRACE_S, f"{when}: latency {latency} s"


def check_action_type(
    plugin_type: ActionType,
    *,
    config: Table,
    held: Callable[[], Role] | None = None,
    hostile: Iterable[Table] = (),
    timeout_s: float = 10.0,
    observes: bool = True,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Check a type of action, and what it is able to do besides; it is left in standby.

    :param held: looks from outside which role is in force.
    :param timeout_s: deadline of each ``apply`` in seconds.
    :param observes: whether this configuration can know the role.
    """
    check_hostile_configuration(plugin_type, config, hostile)

    async def run() -> None:
        async with Made(plugin_type, more) as made:
            one, two = made(config), made(config)
            check_abilities(one.instance)
            await check_diagnosing(made(config))
            check_advising(one)
            for check in (check_lan_presence, check_partner_seeing, check_ranking):
                await check(one)
            history = (Role.STANDBY, Role.STANDBY, Role.ACTIVE, Role.ACTIVE, Role.STANDBY)
            for role in history:
                await check_prepares(one, role, held)
                await _apply(one, role, timeout_s)
                await _agree(one, role, held, observes)
            await _apply(one, Role.ACTIVE, timeout_s)
            assert await made.close(one) is None, "close failed"
            check_broadcast(one)
            # Closing keeps the role, and another instance, as after a restart, sees it.
            await _agree(two, Role.ACTIVE, held, observes)
            await _apply(two, Role.STANDBY, timeout_s)
            await _agree(two, Role.STANDBY, held, observes)

    _kept("action", plugin_type, run())


async def _apply(caller: Caller, role: Role, timeout_s: float) -> None:
    try:
        await caller.call("apply", role, timeout_s, deadline_s=timeout_s + GRACE_S)
    except CallOverdue:
        raise AssertionError(f"apply did not keep its deadline of {timeout_s} s") from None
    except HavpnError as problem:
        raise AssertionError(f"apply({role.value}) failed: {problem}") from None


async def _agree(
    caller: Caller, role: Role, held: Callable[[], Role] | None, observes: bool
) -> None:
    if held is not None:
        assert held() is role, f"after apply({role.value}) the role in force is {held().value}"
    if observes:
        seen = await caller.call("observe", deadline_s=10)
        assert seen is role, f"after apply({role.value}) observe gave {seen!r}"


def check_notifier_type(
    plugin_type: NotifierType,
    *,
    config: Table,
    delivered: Callable[[], int],
    failing: Table | None = None,
    hostile: Iterable[Table] = (),
    timeout_s: float = 5.0,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Check a type of notifier.

    :param delivered: counts what has arrived so far.
    :param failing: a configuration that cannot deliver: it must say so in time, by an exception or
        a :class:`havpn_core.Retry`.
    """
    check_hostile_configuration(plugin_type, config, hostile)

    async def run() -> None:
        async with Made(plugin_type, more) as made:
            one, two = made(config), made(config)
            await check_diagnosing(one)
            check_abilities(one.instance)
            before = delivered()
            await _notify(one, "notify", EVENT, timeout_s)
            await _notify(two, "notify", EVENT, timeout_s)
            await until(lambda: delivered() >= before + 2, "of two events fewer arrived")
            assert await made.close(one) is None, "close failed"
            await _notify(two, "notify", EVENT, timeout_s)
            await until(lambda: delivered() == before + 3, "the closed instance took the other's")
            if two.able(Gathering):
                await _notify(two, "notify_all", (EVENT,) * 3, timeout_s)
                await until(lambda: delivered() > before + 3, "of a burst nothing arrived")
            if failing is not None:
                await _must_fail(made(failing), timeout_s)

    _kept("notifier", plugin_type, run())


async def _notify(caller: Caller, method: str, given: Any, timeout_s: float) -> None:
    gave = await caller.call(method, given, timeout_s, deadline_s=timeout_s + GRACE_S)
    assert gave is None, f"{method} gave {gave!r}, not None as after a delivery"


async def _must_fail(caller: Caller, timeout_s: float) -> None:
    try:
        gave = await caller.call("notify", EVENT, timeout_s, deadline_s=timeout_s + GRACE_S)
    except CallOverdue:
        raise AssertionError(f"notify did not keep its deadline of {timeout_s} s") from None
    except HavpnError:
        return
    if isinstance(gave, Retry):
        assert gave.why, "notify gave a Retry that does not say why"
        return
    raise AssertionError("notify could not deliver and did not say so")


def check_link_type(
    plugin_type: LinkType,
    *,
    ends: tuple[Table, Table],
    hostile: Iterable[Table] = (),
    more: Mapping[str, Any] | None = None,
) -> None:
    """Check a type of link: frames arrive whole, both ways, and ``send`` never waits or raises.

    :param ends: the configurations of the two gateways.
    """
    check_hostile_configuration(plugin_type, ends[0], hostile)

    async def run() -> None:
        got: tuple[list[bytes], list[bytes]] = ([], [])
        async with Made(plugin_type, more) as made:
            caller = made(ends[0], received=got[0].append)
            await check_diagnosing(caller)
            left = caller.instance
            right = made(ends[1], received=got[1].append).instance
            for link in (left, right):
                check_abilities(link)
            frames = [bytes([number]) * BIGGEST for number in range(1, 6)]

            def exchange() -> bool:
                for frame in frames:
                    _send(left, frame)
                    _send(right, frame)
                return set(frames) <= set(got[0]) and set(frames) <= set(got[1])

            await until(exchange, "frames did not arrive at both ends", pause_s=0.1)
            assert set(got[0]) | set(got[1]) == set(frames), "frames arrived that nobody sent"
            right.close()
            right.close()
            for frame in frames:
                _send(left, frame)
            left.close()
            _send(left, frames[0])

    _kept("link", plugin_type, run())


def _send(link: Any, frame: bytes) -> None:
    began = time.monotonic()
    try:
        link.send(frame)
    except Exception as problem:
        raise AssertionError(f"send raised {problem!r}") from None
    assert time.monotonic() - began < GRACE_S, "send waited"
