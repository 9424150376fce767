"""Instances as the checks of the contracts make them, and what is checked of every kind."""

import asyncio
import inspect
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from havpn_core.config.convert import struct_of
from havpn_core.errors import ConfigError
from havpn_core.host.context import context as made_context
from havpn_core.plugging.descriptors import Context, PluginType
from havpn_core.plugging.gate.calls import NOTICES, Caller
from havpn_core.plugging.losing import FarLeaving, FarStanding, LossCounting
from havpn_core.plugging.protocols import (
    ABILITIES,
    WAITED_FOR,
    AddressProbing,
    Arriving,
    Explaining,
    Noticing,
    Refusing,
    Renewable,
    Reporting,
    able,
)
from havpn_core.plugging.stance import Stance
from havpn_core.rules.target.loss import Loss

Table = Mapping[str, Any]
GRACE_S = 0.5
"""What a busy machine may add to a deadline before a check fails."""


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


async def until(
    true: Callable[[], bool], otherwise: str, *, timeout_s: float = 5.0, pause_s: float = 0.02
) -> None:
    """Wait until something is true.

    :param otherwise: what the error says if it is not within ``timeout_s`` seconds.
    """
    until = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < until, otherwise
        await asyncio.sleep(pause_s)


def check_abilities(instance: Any) -> None:
    """What an instance seems to be able to do it can do: the core calls it on the loop."""
    methods = {name for names in ABILITIES.values() for name in names} - {
        "apply",
        "observe",
        "close",
    }
    for name in sorted(methods):
        method = getattr(instance, name, None)
        assert method is None or callable(method), f"{name} is no method and is never called"
        if name not in WAITED_FOR:
            plain = not inspect.iscoroutinefunction(method)
            assert plain, f"{name} is async and is never called: write a plain, quick def"
    if able(instance, Renewable):
        _quick("renew", instance.renew)
    if able(instance, Refusing):
        refusing = _quick("refusing", instance.refusing)
        assert isinstance(refusing, bool), f"refusing gave {refusing!r}, neither true nor false"
    if able(instance, Explaining):
        why = _quick("explanation", instance.explanation)
        assert why is None or isinstance(why, str), f"explanation gave {why!r}, which is no text"
    if able(instance, Noticing):
        said = _quick("noticed", instance.noticed)
        assert said in (None, *NOTICES), f"noticed gave {said!r}, which is no known word"
    if able(instance, Arriving):
        _quick("tell_arrivals", lambda: instance.tell_arrivals(lambda sample, lost=0: None))
    _check_line(instance)
    if able(instance, Reporting):
        facts = _quick("facts", instance.facts)
        assert isinstance(facts, dict), f"facts gave {facts!r}, which is no dictionary"
        try:
            msgspec.json.encode(facts)
        except (TypeError, ValueError, OverflowError) as problem:
            raise AssertionError(f"facts gave what JSON has not: {problem}") from None
    if able(instance, AddressProbing):
        given = getattr(instance, "yields", True)
        assert isinstance(given, bool), f"yields is {given!r}, neither true nor false"


def _check_line(instance: Any) -> None:
    if able(instance, LossCounting):
        lost = _quick("line_loss", instance.line_loss)
        assert lost is None or isinstance(lost, Loss), f"line_loss gave {lost!r}, which is no Loss"
    if able(instance, FarLeaving):
        left = _quick("far_left", instance.far_left)
        assert isinstance(left, bool), f"far_left gave {left!r}, neither true nor false"
    if able(instance, FarStanding):
        stance = _quick("far_stance", instance.far_stance)
        known = stance is None or isinstance(stance, Stance)
        assert known, f"far_stance gave {stance!r}, which is no Stance"


def _quick(name: str, method: Callable[[], Any]) -> Any:
    began = time.monotonic()
    try:
        result = method()
    except Exception as problem:
        raise AssertionError(f"{name} raised {problem!r}") from None
    assert time.monotonic() - began < GRACE_S, f"{name} waited"
    return result


class Made:
    """Builds instances and closes each of them twice, whatever happened."""

    def __init__(self, plugin_type: PluginType, more: Mapping[str, Any] | None) -> None:
        self._type, self._more = plugin_type, dict(more or {})
        self._made: list[Caller] = []

    async def __aenter__(self) -> "Made":
        return self

    def __call__(self, table: Table, **more: Any) -> Caller:
        """Make an instance of a configuration.

        :param more: further fields of its context.
        """
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

    :param kind: ``probe``, ``action``, ``notifier``, ``link`` or ``renderer``.
    """
    found = {each.name: each for each in getattr(module, f"havpn_register_{kind}s")()}
    assert name in found, f"{module.__name__} supplies the {kind} types {sorted(found)}"
    return found[name]
