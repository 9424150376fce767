"""Who can move the shared addresses: HA-VPN's three ways and two peers, a module each."""

from benchmarks.modes import heartbeat, keepalived, pacemaker, pair, ping_agent
from benchmarks.modes.mode import Mode

MODES: dict[str, Mode] = {
    module.MODE.name: module.MODE for module in (pair, heartbeat, pacemaker, keepalived, ping_agent)
}

__all__ = ["MODES", "Mode"]
