"""What ``havpn status``, ``pause``, ``resume``, ``switch`` and ``reload`` request of the daemon."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from havpn_core.config.instances import Config
from havpn_core.daemon.gateway import Gateway
from havpn_core.daemon.lines.ordering import order
from havpn_core.daemon.publish import Publisher
from havpn_core.daemon.requests import Lines, Reply
from havpn_core.daemon.state import results
from havpn_core.durations import Duration
from havpn_core.errors import HavpnError
from havpn_core.pair.lines.order import LINES
from havpn_core.plugging.gate.tracing import watcher
from havpn_core.rules.role import Role

PATIENCE_S = 10.0
"""What both sites take beside noticing: notices that count for 3 s, a slow action, a failback."""
ROLES = {"active": Role.ACTIVE, "standby": Role.STANDBY, "auto": None}
SETTLE_S = 2.0
"""What a change of the role may take before the command says that it is under way."""
LOOK_S = 0.02


async def _use_line(gateway: Gateway, line: Any, for_s: Any) -> Reply:
    """Order both sites to a line; gives how long to wait until both are seen there, in seconds."""
    if type(line) is not int or line not in LINES:
        raise HavpnError(f"there is no line {line!r}: write 1 or 2")
    if gateway.stopping is not None:
        raise HavpnError("the daemon is stopping: start it, then switch")
    pair = gateway.parts.pair
    role, why_not = order(pair, line)
    if pair is None or why_not:
        raise HavpnError(f"no site is moved to line {line}: {why_not}")
    gateway.switch(role, None if for_s is None else float(Duration.parse(for_s)))
    gateway.force.line = line
    pair.refresh()
    await gateway.remember()
    slowest_s = max((run.detection_s for run in gateway.parts.paths.values()), default=0.0)
    return {"ok": True, "wait_s": PATIENCE_S + 2 * slowest_s}


async def obey(
    gateway: Gateway,
    publisher: Publisher,
    reload: Callable[[], Awaitable[str]],
    request: dict[str, Any],
) -> Reply | Lines:
    """Carry one request out and give the reply, which says in ``said`` what it did.

    :param request: ``do`` and what it needs, as it came over the control socket.
    :param reload: gives what is new, changed and gone.
    :raises HavpnError: if it is unknown, malformed or refused.
    """
    match request.get("do"):
        case "line":
            return await _use_line(gateway, request.get("line"), request.get("for_s"))
        case "status":
            text = await publisher.publish()
            if text is None:
                raise HavpnError("the status cannot be written: the log of the daemon says why")
            return msgspec.Raw(text)
        case "trace":
            return _trace(gateway.parts.config, request.get("name"), request.get("for_s"))
        case "pause" | "resume" as word:
            said = await _pause(gateway, word == "pause")
        case "switch":
            said = await _switch(gateway, request)
        case "reload":
            found = await reload()
            parts = gateway.parts
            troubles = parts.registry.problems()
            said = results.reloaded(str(parts.config.file), found, _now(gateway), troubles)
        case other:
            raise HavpnError(f"unknown request {other!r}")
    await gateway.remember()
    return {"ok": True, "said": said}


async def _pause(gateway: Gateway, pause: bool) -> str:
    before = gateway.memory.paused
    gateway.pause(pause)
    if pause:
        return results.paused(_now(gateway), already=before)
    await _settled(gateway)
    return results.resumed(_now(gateway), paused=before)


async def _switch(gateway: Gateway, request: dict[str, Any]) -> str:
    to, for_s, clear = (request.get(key) for key in ("to", "for_s", "clear"))
    if not isinstance(to, str) or to not in ROLES:
        raise HavpnError(f"cannot switch to {to!r}: write active, standby or auto")
    if clear and to != "auto":
        raise HavpnError(f"clear goes with auto only, not with {to}")
    if gateway.stopping is not None:
        raise HavpnError("the daemon is stopping: start it, then switch")
    role, before = ROLES[to], gateway.force.role
    gateway.switch(role, None if for_s is None else float(Duration.parse(for_s)))
    held = gateway.holds.clear() if clear else None
    until = gateway.force.until
    await gateway.remember()  # it counts before the role moves
    await _settled(gateway, role)
    if role is None and before is None:
        said = results.not_forced(_now(gateway))
    else:
        said = results.switched(role and role.value, until, _now(gateway))
    return said if held is None else f"{said} {results.cleared(held)}"


def _trace(config: Config, name: Any, for_s: Any) -> Lines:
    """Begin to show the calls into instances; the first line names those that there are now.

    :param name: of an instance, of a part of the configuration or of a type.
    :raises HavpnError: if there is none, or too many watch already.
    """
    links = config.pair.links if config.pair else ()
    probes = [probe for path in config.paths for probe in (*path.probes, *path.road)]
    every = [*probes, *config.actions, *config.notifiers, *links]
    made = watcher(str(name))
    found = [each.name for each in every if made.wants(each.name, each.type.name)]
    if not found:
        known = ", ".join(each.name for each in every)
        raise HavpnError(f"there is no instance and no type {name!r} (instances: {known})")
    seconds = None if for_s is None else float(Duration.parse(for_s))

    async def lines() -> Lines:
        yield msgspec.json.encode({"ok": True, "instances": found})
        async for line in made.lines(seconds):
            yield line

    return lines()


async def _settled(gateway: Gateway, role: Role | None = None) -> None:
    """Wait, for a little while, until the role that is wanted is in force.

    :param role: the one that must be wanted, which in a pair takes the partner's consent.
    """
    if gateway.memory.paused:
        return
    loop = asyncio.get_running_loop()
    until_s = loop.time() + SETTLE_S
    while loop.time() < until_s:
        wanted = gateway.wish.role
        if wanted is not None and wanted is gateway.acting.plan.observed and role in (None, wanted):
            return
        await asyncio.sleep(LOOK_S)


def _now(gateway: Gateway) -> results.Now:
    wanted, observed = gateway.wish.role, gateway.acting.plan.observed
    return results.Now(
        wanted and wanted.value,
        observed and observed.value,
        gateway.wish.reason,
        gateway.memory.paused,
    )
