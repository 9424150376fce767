"""What ``havpn status``, ``pause``, ``resume``, ``switch`` and ``reload`` ask of the daemon."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from havpn_core.daemon.gateway import Gateway
from havpn_core.daemon.lines.ordering import order
from havpn_core.daemon.publish import Publisher
from havpn_core.daemon.requests import Reply
from havpn_core.durations import Duration
from havpn_core.errors import HavpnError
from havpn_core.pair.lines.order import LINES
from havpn_core.rules.role import Role

PATIENCE_S = 10.0
"""What both sites take beside noticing: notices that count for 3 s, a slow action, a failback."""
ROLES = {"active": Role.ACTIVE, "standby": Role.STANDBY, "auto": None}


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
    reload: Callable[[], Awaitable[None]],
    request: dict[str, Any],
) -> Reply:
    """Carry one request out and give the reply.

    :param request: ``do`` and what it needs, as it came over the control socket.
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
        case "pause" | "resume" as verb:
            gateway.pause(verb == "pause")
        case "switch":
            _switch(gateway, request.get("to"), request.get("for_s"))
        case "reload":
            await reload()
        case other:
            raise HavpnError(f"unknown request {other!r}")
    await gateway.remember()
    return {"ok": True}


def _switch(gateway: Gateway, to: Any, for_s: Any) -> None:
    if not isinstance(to, str) or to not in ROLES:
        raise HavpnError(f"cannot switch to {to!r}: write active, standby or auto")
    if gateway.stopping is not None:
        raise HavpnError("the daemon is stopping: start it, then switch")
    gateway.switch(ROLES[to], None if for_s is None else float(Duration.parse(for_s)))
