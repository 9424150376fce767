"""The options that the core itself takes from the configuration, as typed, frozen structs."""

import ipaddress
import socket
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from havpn_core.durations import Duration
from havpn_core.rules.damping import Damping
from havpn_core.rules.hysteresis import PathRules
from havpn_core.rules.quality import WindowRules
from havpn_core.rules.settings import Settings
from havpn_core.rules.target.frequency import Frequency
from havpn_core.rules.target.grey import Share
from havpn_core.rules.target.rule import Target

REFUSED_HOLD_S = 30.0
"""How long the far host may refuse, unless configured: a restart takes less."""


class OnStop(StrEnum):
    """What happens to the role when the daemon ends."""

    KEEP = "keep"
    RELEASE = "release"


class GiveUpOn(StrEnum):
    """How many of several paths must be dead before this gateway steps back."""

    ANY = "any"
    ALL = "all"


class NodeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``[node]``: this gateway.

    :param name: this gateway in logs, events and the status; different on each gateway.
    :param state_dir: folder of what outlives a restart, and of the history.
    :param run_dir: folder of the status and the control socket.
    :param on_stop: what SIGTERM does to the role: ``keep`` it or ``release`` it.
    :param realtime: SCHED_RR priority of the daemon, 1 to 99; 0 for none.
    :param lock_memory: keep the daemon's memory in RAM.
    :param give_up_on: with several paths, step back when ``any`` or only when ``all`` are dead.
    """

    name: Annotated[str, msgspec.Meta(min_length=1)] = msgspec.field(
        default_factory=socket.gethostname
    )
    state_dir: str = "/var/lib/havpn"
    run_dir: str = "/run/havpn"
    on_stop: OnStop = OnStop.KEEP
    give_up_on: GiveUpOn = GiveUpOn.ANY
    realtime: Annotated[int, msgspec.Meta(ge=0, le=99)] = 0
    lock_memory: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """The capabilities that these options need."""
        found = {"CAP_SYS_NICE"} if self.realtime else set()
        return frozenset(found | ({"CAP_IPC_LOCK"} if self.lock_memory else set()))


class PathOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``[path.NAME]``: when to probe and what to believe.

    :param profile: the values of all keys that are not written.
    :param interval: time from one probe to the next.
    :param timeout: how long a reply may take at the most.
    :param fall: consecutive failures to ``down``; with ``false_switches`` the least.
    :param false_switches: how often the path may be given up falsely, such as ``"1/100h"``: from
        the line's own past follow the failures and the silence that it takes. None where ``fall``
        is written.
    :param floor: the least silence that a path with ``false_switches`` is given up after.
    :param ceiling: the longest silence that it waits for; longer ones are outages.
    :param rise: successes to ``up`` again.
    :param confirm: time between probes while a failure is being confirmed; the interval if not
        given, which means no burst.
    :param lateness: what makes a reply late: the round trips so far (``adaptive``), or the
        timeout alone (``fixed``).
    :param slack: the least that a reply may take above the mean round trip.
    :param rise_loss: share of ``rise`` that may fail on the way up without starting over.
    :param window: length of the window over which loss and latency are judged.
    :param window_min: samples in it before anything is said.
    :param loss_down: share of loss from which the line is poor.
    :param loss_up: share of loss up to which it is good again.
    :param grey: share of loss from which the line is grey: of two that carry, the other is better.
        ``"0%"``: never.
    :param latency_down: mean latency from which the line is poor.
    :param latency_up: mean latency up to which it is good again.
    :param on_poor: ``report`` a poor line, or ``switch`` away from it.
    :param damping: hold the way back for longer after repeated flaps (RFC 2439).
    :param flap_half_life: time in which the flap penalty halves; each fall adds 1.
    :param flap_suppress: penalty above which the way back is held.
    :param flap_reuse: penalty at which the hold ends.
    :param flap_max_hold: the longest hold.
    :param require: how many of the path's probes must be OK.
    :param initial: what is assumed at the very first start.
    :param stale: time without OK or FAIL after which the path is ``unknown``; default ten
        intervals, at least 5 s.
    :param on_unknown: ``hold`` the role then, or ``release`` the shared address.
    :param refused: what a refusal by the far host itself is: ``hold`` the verdict, for its host
        lives and the line carries, or ``fail``: a failed probe.
    :param refused_hold: how long it may refuse before a partner whose path is up is better;
        default 30 s, and in a pair no longer than the ``lifetime`` of the shared address.
    :param carrier: devices that this gateway needs: without the carrier of one the path is down
        at once.
    :raises ValueError: if values contradict each other.
    """

    profile: Literal["article", "balanced", "fast"] = "balanced"
    interval: Duration
    timeout: Duration
    fall: Annotated[int, msgspec.Meta(ge=1, le=10000)]
    rise: Annotated[int, msgspec.Meta(ge=1, le=1000000)]
    false_switches: Frequency | None = None
    floor: Duration | None = None
    ceiling: Duration = Duration(8.0)
    confirm: Duration | None = None
    lateness: Literal["adaptive", "fixed"] = "adaptive"
    slack: Duration = Duration(0.015)
    rise_loss: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    window: Duration = Duration(30.0)
    window_min: Annotated[int, msgspec.Meta(ge=1)] = 20
    loss_down: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    loss_up: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.2
    grey: Share = Share(0.03)
    latency_down: Duration | None = None
    latency_up: Duration | None = None
    on_poor: Literal["report", "switch"] = "report"
    damping: bool = True
    flap_half_life: Duration = Duration(300.0)
    flap_suppress: Annotated[float, msgspec.Meta(gt=0)] = 1.5
    flap_reuse: Annotated[float, msgspec.Meta(gt=0)] = 0.75
    flap_max_hold: Duration = Duration(900.0)
    require: Annotated[int, msgspec.Meta(ge=1)] = 1
    initial: Literal["unknown", "up"] = "unknown"
    stale: Duration | None = None
    on_unknown: Literal["hold", "release"] = "hold"
    refused: Literal["hold", "fail"] = "hold"
    refused_hold: Duration | None = None
    carrier: list[str] = []

    def __post_init__(self) -> None:
        if self.loss_up >= self.loss_down:
            raise ValueError("loss_up: must be below loss_down, or the line would swing")
        if (self.latency_up is None) != (self.latency_down is None):
            raise ValueError("latency_down, latency_up: write both or neither")
        if self.latency_up and self.latency_down and self.latency_up >= self.latency_down:
            raise ValueError("latency_up: must be below latency_down, or the line would swing")
        if self.floor is not None and self.floor > self.ceiling:
            raise ValueError("floor: must not be above ceiling, the longest silence")
        if self.flap_reuse >= self.flap_suppress:
            raise ValueError("flap_reuse: must be below flap_suppress")

    @property
    def stale_s(self) -> float:
        """Seconds after which silence makes the path unknown."""
        return float(self.stale) if self.stale else max(10 * self.interval, 5.0)

    def refused_hold_s(self, lifetime_s: float | None = None) -> float:
        """Give the seconds of refusals after which a partner is better.

        :param lifetime_s: how long the shared address outlives its owner; ``None``: without end. It
            bounds what is not configured.
        """
        if self.refused_hold is not None:
            return float(self.refused_hold)
        return REFUSED_HOLD_S if lifetime_s is None else min(REFUSED_HOLD_S, lifetime_s)

    @property
    def settings(self) -> Settings:
        """The rules in the deciding modules' own terms."""
        confirm = float(self.confirm) if self.confirm and self.confirm < self.interval else None
        return Settings(
            PathRules(
                fall=self.fall,
                rise=self.rise,
                stale_s=self.stale_s,
                interval_s=float(self.interval),
                confirm_s=confirm,
                rise_loss=self.rise_loss,
                floor_s=float(self.floor or 0.0) if self.false_switches else 0.0,
            ),
            timeout_s=float(self.timeout),
            slack_s=float(self.slack),
            adaptive=self.lateness == "adaptive",
            window=WindowRules(
                span_s=float(self.window),
                least=self.window_min,
                loss_down=self.loss_down,
                loss_up=self.loss_up,
                latency_down_s=_seconds(self.latency_down),
                latency_up_s=_seconds(self.latency_up),
            ),
            switch_when_poor=self.on_poor == "switch",
            damping=Damping(
                float(self.flap_half_life),
                self.flap_suppress,
                self.flap_reuse,
                float(self.flap_max_hold),
            )
            if self.damping
            else None,
            require=self.require,
            grey=float(self.grey),
            target=self.target,
        )

    @property
    def target(self) -> Target | None:
        """What the path is to keep to, where there is a target."""
        if self.false_switches is None:
            return None
        return Target(
            float(self.false_switches), self.fall, float(self.ceiling), float(self.floor or 0.0)
        )


def _seconds(duration: Duration | None) -> float | None:
    return None if duration is None else float(duration)


class Watches(StrEnum):
    """What a probe watches: which part of the road it needs for a reply."""

    LINE = "line"
    TUNNEL = "tunnel"
    ROAD = "road"


class ProbeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What every probe takes beside its type's own options.

    :param watches: what a reply proves: that the ``line`` carries, that the ``tunnel`` does, or
        that a host behind the far gateway can be reached by the whole ``road``.
    """

    watches: Watches = Watches.LINE


class LanOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``[lan]``: what this gateway must have on its LAN to serve.

    :param device: the device of the LAN; without it that of the actions that own the addresses.
    :param witnesses: hosts on the LAN that reply to ARP or NDP probes, by address, or ``auto``:
        neighbours heard lately.
    :param require: how many witnesses must reply.
    :param forwarding: forwarding of the families of the shared addresses must be on.
    :param address: this gateway's own static address on the LAN, which must be there.
    :raises ValueError: if values contradict each other.
    """

    device: str | None = None
    witnesses: list[str] | Literal["auto"] = []
    require: Annotated[int, msgspec.Meta(ge=1)] = 1
    forwarding: bool = True
    address: str | None = None

    def __post_init__(self) -> None:
        if self.address is not None:
            try:
                ipaddress.ip_interface(self.address)
            except ValueError:
                raise ValueError(
                    f'address: {self.address!r} is no address: write as "10.1.255.252"'
                ) from None
        if isinstance(self.witnesses, list) and self.witnesses:
            for each in self.witnesses:
                try:
                    ipaddress.ip_address(each)
                except ValueError:
                    raise ValueError(
                        f'witnesses: {each!r} is no address: write as "10.1.0.10"'
                    ) from None
            if self.require > len(set(self.witnesses)):
                raise ValueError(
                    f"require: {self.require} of {len(set(self.witnesses))} witnesses can never "
                    f"reply: write at most {len(set(self.witnesses))}"
                )


class CallOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What every action and notifier takes beside its type's own options.

    :param deadline: how long one call may take; default 60s for an action, 10s for a notifier.
    """

    deadline: Duration | None = None
