"""What every plugin must hold to, as checks that a package's own tests call.

Each check raises :class:`AssertionError` with the rule that was broken. Configurations are tables
as they stand in the file below ``type``; they go the way that ``havpn`` itself reads them. The
checks run an event loop of their own, so that ``async def`` and plain ``def`` are treated alike.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from havpn_core.config.convert import struct_of
from havpn_core.errors import CallOverdue, ConfigError, HavpnError
from havpn_core.host.context import context as made_context
from havpn_core.pair.frames import BIGGEST
from havpn_core.plugging.calls import Caller
from havpn_core.plugging.descriptors import (
    ActionType,
    Context,
    Event,
    LinkType,
    NotifierType,
    PluginType,
    ProbeType,
    Sample,
)
from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.role import Role

Table = Mapping[str, Any]
GRACE_S = 0.5
"""What a busy machine may add to a deadline before a check fails."""
EVENT = Event("verdict", "line", "up", "down", "a test's event", "warning", "gateway")


def context(instance: str = "test", **more: Any) -> Context:
    """Make what an instance is handed; names resolve to themselves.

    :param more: fields of :class:`havpn_core.Context` to set.
    """
    given: dict[str, Any] = {
        "node": "gateway",
        "run_dir": "/run/havpn",
        "logger": logging.getLogger("havpn.testing"),
    }
    return made_context(instance, **(given | more))


def options(plugin_type: PluginType, table: Table) -> msgspec.Struct:
    """Read a configuration as ``havpn`` does.

    :raises ConfigError: naming each key that is wrong.
    """
    return struct_of(plugin_type.config, "test", dict(table))


def check_hostile_configuration(
    plugin_type: PluginType, good: Table, hostile: Iterable[Table] = ()
) -> None:
    """A bad configuration gives an error that names the key; a good one none.

    Tried are a key that there is not, each required key missing, each key with a table in place of
    its value, and what ``hostile`` adds.
    """
    options(plugin_type, good)
    fields = {f.encode_name: f for f in msgspec.structs.fields(plugin_type.config)}
    tried: list[tuple[str, Table]] = [("no-such-key", {**good, "no-such-key": 1})]
    for name, field in fields.items():
        if field.required:
            tried.append((name, {k: v for k, v in good.items() if k != name}))
        tried.append((name, {**good, name: {"a": {"b": object}}}))
    for name, table in tried:
        assert name in _refusal(plugin_type, table), f"the error about {name!r} does not name it"
    for table in hostile:
        names = [name for name in table if name not in good or table[name] != good[name]]
        said = _refusal(plugin_type, table)
        assert any(name in said for name in names), f"{said!r} names none of {names}"


def _refusal(plugin_type: PluginType, table: Table) -> str:
    try:
        options(plugin_type, table)
    except ConfigError as problem:
        return str(problem)
    raise AssertionError(f"{dict(table)} is accepted")


def check_probe_type(
    plugin_type: ProbeType,
    *,
    reachable: Table,
    unreachable: Table,
    hostile: Iterable[Table] = (),
    timeout_s: float = 1.0,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Check a type of probe.

    :param reachable: a configuration whose check is OK here.
    :param unreachable: one whose far end does not answer.
    :param hostile: further configurations that must be refused.
    :param timeout_s: deadline of each check in seconds.
    :param more: fields of the context.
    """
    check_hostile_configuration(plugin_type, reachable, hostile)

    async def run() -> None:
        async with _Made(plugin_type, more) as made:
            one, two, lost = made(reachable), made(reachable), made(unreachable)
            for caller in (one, two):
                await _sample(caller, timeout_s, Outcome.OK, "reachable")
            await _sample(lost, timeout_s, Outcome.FAIL, "unreachable")
            assert await made.close(one) is None, "close failed"
            await _sample(two, timeout_s, Outcome.OK, "the other instance was closed")

    asyncio.run(run())


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
    """Check a type of action; it is left in standby.

    :param held: looks from outside which role is in force.
    :param timeout_s: deadline of each ``apply`` in seconds.
    :param observes: whether this configuration can tell the role.
    """
    check_hostile_configuration(plugin_type, config, hostile)

    async def run() -> None:
        async with _Made(plugin_type, more) as made:
            one, two = made(config), made(config)
            history = (Role.STANDBY, Role.STANDBY, Role.ACTIVE, Role.ACTIVE, Role.STANDBY)
            for role in history:
                await _apply(one, role, timeout_s)
                await _agree(one, role, held, observes)
            await _apply(one, Role.ACTIVE, timeout_s)
            assert await made.close(one) is None, "close failed"
            # Closing keeps the role, and another instance, as after a restart, sees it.
            await _agree(two, Role.ACTIVE, held, observes)
            await _apply(two, Role.STANDBY, timeout_s)
            await _agree(two, Role.STANDBY, held, observes)

    asyncio.run(run())


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
    :param failing: a configuration that cannot deliver: it must say so in time, by an exception.
    """
    check_hostile_configuration(plugin_type, config, hostile)

    async def run() -> None:
        async with _Made(plugin_type, more) as made:
            one, two = made(config), made(config)
            before = delivered()
            await one.call("notify", EVENT, timeout_s, deadline_s=timeout_s + GRACE_S)
            await two.call("notify", EVENT, timeout_s, deadline_s=timeout_s + GRACE_S)
            await _until(lambda: delivered() >= before + 2, "two events were told, fewer arrived")
            assert await made.close(one) is None, "close failed"
            await two.call("notify", EVENT, timeout_s, deadline_s=timeout_s + GRACE_S)
            await _until(lambda: delivered() == before + 3, "the closed instance took the other's")
            if failing is not None:
                await _must_fail(made(failing), timeout_s)

    asyncio.run(run())


async def _must_fail(caller: Caller, timeout_s: float) -> None:
    try:
        await caller.call("notify", EVENT, timeout_s, deadline_s=timeout_s + GRACE_S)
    except CallOverdue:
        raise AssertionError(f"notify did not keep its deadline of {timeout_s} s") from None
    except HavpnError:
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
        async with _Made(plugin_type, more) as made:
            left = made(ends[0], received=got[0].append).instance
            right = made(ends[1], received=got[1].append).instance
            frames = [bytes([number]) * BIGGEST for number in range(1, 6)]

            def exchange() -> bool:
                for frame in frames:
                    _send(left, frame)
                    _send(right, frame)
                return set(frames) <= set(got[0]) and set(frames) <= set(got[1])

            await _until(exchange, "frames did not arrive at both ends", pause_s=0.1)
            assert set(got[0]) | set(got[1]) == set(frames), "frames arrived that nobody sent"
            right.close()
            right.close()
            for frame in frames:
                _send(left, frame)
            left.close()
            _send(left, frames[0])

    asyncio.run(run())


def _send(link: Any, frame: bytes) -> None:
    began = time.monotonic()
    try:
        link.send(frame)
    except Exception as problem:
        raise AssertionError(f"send raised {problem!r}") from None
    assert time.monotonic() - began < GRACE_S, "send waited"


async def _until(
    true: Callable[[], bool], otherwise: str, *, timeout_s: float = 5.0, pause_s: float = 0.02
) -> None:
    until = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < until, otherwise
        await asyncio.sleep(pause_s)


class _Made:
    """Builds instances and closes each of them twice, whatever happened."""

    def __init__(self, plugin_type: PluginType, more: Mapping[str, Any] | None) -> None:
        self._type, self._more = plugin_type, dict(more or {})
        self._made: list[Caller] = []

    async def __aenter__(self) -> "_Made":
        return self

    def __call__(self, table: Table, **more: Any) -> Caller:
        name = f"test.{len(self._made)}"
        given = context(name, **(self._more | more))
        made = Caller(self._type.build(options(self._type, table), given), name)
        self._made.append(made)
        return made

    async def close(self, caller: Caller) -> str | None:
        """Close an instance; a caller ends its thread when it closes, so another one does it."""
        return await Caller(caller.instance, "closing").close()

    async def __aexit__(self, kind: object, problem: object, trace: object) -> None:
        said = [await self.close(caller) for caller in self._made for _ in range(2)]
        for caller in self._made:
            caller.worker.stop()
        if problem is None:
            assert not any(said), f"close, twice: {[each for each in said if each]}"


def plugin_type(module: Any, kind: str, name: str) -> Any:
    """Give a type that a module's hook supplies.

    :param kind: ``probe``, ``action``, ``notifier`` or ``link``.
    """
    found = {each.name: each for each in getattr(module, f"havpn_register_{kind}s")()}
    assert name in found, f"{module.__name__} supplies the {kind} types {sorted(found)}"
    return found[name]
