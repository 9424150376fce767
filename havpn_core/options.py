"""The options that the core itself takes from the configuration, as typed, frozen structs."""

import socket
from typing import Annotated, Literal

import msgspec

from havpn_core.durations import Duration


class NodeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``[node]``: this gateway.

    :param on_stop: what SIGTERM does to the role: ``keep`` it or ``release`` it.
    :param give_up_on: with several paths, step back when ``any`` or only when ``all`` are dead.
    """

    name: Annotated[str, msgspec.Meta(min_length=1)] = msgspec.field(
        default_factory=socket.gethostname
    )
    state_dir: str = "/var/lib/havpn"
    run_dir: str = "/run/havpn"
    on_stop: Literal["keep", "release"] = "keep"
    give_up_on: Literal["any", "all"] = "any"


class PathOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``[path.NAME]``: when to probe and what to believe.

    :param interval: time from one probe to the next.
    :param timeout: how long an answer may take.
    :param fall: consecutive failures to ``down``.
    :param rise: consecutive successes to ``up`` again.
    :param require: how many of the path's probes must be OK.
    :param initial: what is assumed at the very first start.
    :param stale: time without OK or FAIL after which the path is ``unknown``; default ten
        intervals, at least 5 s.
    :param on_unknown: ``hold`` the role then, or ``release`` the shared address.
    """

    profile: Literal["article", "balanced", "fast"] = "balanced"
    interval: Duration
    timeout: Duration
    fall: Annotated[int, msgspec.Meta(ge=1, le=10000)]
    rise: Annotated[int, msgspec.Meta(ge=1, le=1000000)]
    require: Annotated[int, msgspec.Meta(ge=1)] = 1
    initial: Literal["unknown", "up"] = "unknown"
    stale: Duration | None = None
    on_unknown: Literal["hold", "release"] = "hold"

    @property
    def stale_s(self) -> float:
        """Seconds after which silence makes the path unknown."""
        return float(self.stale) if self.stale else max(10 * self.interval, 5.0)


class CallOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What every action and notifier takes beside its type's own options."""

    deadline: Duration | None = None
