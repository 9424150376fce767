"""What a plugin supplies and what the instances made of it must do.

A *type* is a descriptor: a name, a summary, a struct of options and a function that builds an
instance of them. The core makes as many instances as the configuration asks for. Whether an
instance's method is ``async def`` or plain ``def`` is up to its author: the first runs on the
event loop, where calls may overlap, the second in a daemon thread of its own, one at a time.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.role import Role

NAME = re.compile(r"[a-z][a-z0-9-]*\Z")


@dataclass(frozen=True, slots=True)
class Sample:
    """One probe's result.

    :param detail: a few words for the operator, where there is something to say; the core keeps
        one line of at most 500 characters.
    :param latency_s: round-trip time in seconds, where there was a reply; the core ignores what
        is not within 0 to 3600.
    """

    outcome: Outcome
    detail: str = ""
    latency_s: float | None = None

    @classmethod
    def ok(cls, latency_s: float | None = None, detail: str = "") -> "Sample":
        """Make a sample of an answer that came."""
        return cls(Outcome.OK, detail, latency_s)

    @classmethod
    def fail(cls, detail: str) -> "Sample":
        """Make a sample of an answer that did not come, or said no."""
        return cls(Outcome.FAIL, detail)

    @classmethod
    def error(cls, detail: str) -> "Sample":
        """Make a sample of a test that could not be made."""
        return cls(Outcome.ERROR, detail)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that changed, as notifiers, the log and the history see it.

    :param kind: ``verdict``, ``quality``, ``role``, ``action``, ``plugin``, ``daemon``, ``pair`` or
        ``cluster``.
    :param subject: the path, action or plugin it is about; empty for the gateway itself.
    :param before: the old value in the words of the design, empty where there is none.
    :param after: the new value.
    :param severity: ``info``, ``warning`` or ``error``.
    """

    kind: str
    subject: str
    before: str
    after: str
    detail: str = ""
    severity: str = "info"
    node: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __str__(self) -> str:
        subject = f"{self.kind} {self.subject}".strip()
        change = f"{self.before} -> {self.after}" if self.before else self.after
        return f"{subject}: {change}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Context:
    """What the core hands to every instance; one object, so that it can grow.

    :param instance: the instance's name in the configuration, as ``path.vpn1.probe.echo``.
    :param node: this gateway's name.
    :param logger: a logger that never blocks.
    :param clock: the monotonic clock in seconds.
    :param resolve: gives the last good address of a host name at once, and refreshes it off
        the loop; the second argument is an address family of :mod:`socket` or 0. Raises
        :class:`~havpn_core.errors.NotResolved` while there is none.
    :param network_changes: a number that grows whenever an address, a link or a route of this
        host changed: reason to reopen sockets.
    :param run_dir: a directory for files that need not outlive a reboot.
    :param received: takes each frame that a link brings; for links only.
    :param heard: seconds since our own responder last answered that address; ``None`` if never.
    """

    instance: str
    node: str
    logger: logging.Logger
    clock: Callable[[], float]
    resolve: Callable[[str, int], str]
    network_changes: Callable[[], int]
    run_dir: Path = Path("/run/havpn")
    heard: Callable[[str], float | None] = lambda address: None
    received: Callable[[bytes], None] = lambda frame: None


class Probe(Protocol):
    """Asks the far end one question at a time.

    Two methods are optional, plain and quick. ``renew()`` is called before a question that
    confirms a failure: it should leave another way, as by another source port, so that one dead
    member of an aggregated line does not speak for all. ``facts() -> dict`` gives more for the
    status, shown as it is beside the probe's last sample.
    """

    def check(self, timeout_s: float) -> Sample | Awaitable[Sample]:
        """Ask once and give the answer within ``timeout_s`` seconds.

        An answer that does not come, a refusal, a missing interface is ``FAIL``; only what
        made the question impossible (no permission, no address known) is ``ERROR``. A raised
        exception counts as ``ERROR``.
        """

    def close(self) -> Awaitable[None] | None:
        """Let go of everything; may be called twice."""


class Action(Protocol):
    """Carries a role out.

    It may also have a plain method ``facts()``: a dictionary for its part of the status.
    """

    def apply(self, role: Role, timeout_s: float) -> Awaitable[None] | None:
        """Bring this gateway into ``role``; doing it twice does it once.

        :raises ActionError: if it did not succeed; it will be called again.
        """

    def observe(self) -> Role | Awaitable[Role | None] | None:
        """Look which role is in force, changing nothing; ``None`` if it cannot be told."""

    def close(self) -> Awaitable[None] | None:
        """Let go of everything but the role; may be called twice."""


class SharedAddress(Action, Protocol):
    """What an action of a type that ``owns`` its addresses should have besides.

    The standalone mode uses it so that two gateways that do not hear each other never both
    have an address.
    """

    yields: bool  #: whether an address that somebody answers for is left to him

    def answered_by(self, timeout_s: float) -> Awaitable[str | None] | str | None:
        """Ask the LAN who has the addresses, while this gateway has none of them.

        :returns: who answers first, for people; ``None`` if nobody does in ``timeout_s`` seconds.
        :raises ActionError: if the question cannot be asked.
        """

    def announce(self) -> None:
        """Announce the held addresses once more; plain and quick."""

    def tell_conflicts(self, tell: Callable[[str], None]) -> None:
        """Call ``tell`` with whoever claims a held address; plain and quick."""


class Notifier(Protocol):
    """Tells somebody."""

    def notify(self, event: Event, timeout_s: float) -> Awaitable[None] | None:
        """Deliver one event; an exception is counted and logged, the event is not repeated."""

    def close(self) -> Awaitable[None] | None:
        """Let go of everything; may be called twice."""


class Link(Protocol):
    """Carries the partner heartbeat of the standalone mode.

    Frames that arrive go to ``context.received(frame)``, from any thread. Optional: ``facts() ->
    dict``, shown in the status.
    """

    def send(self, frame: bytes) -> None:
        """Send one frame, without waiting and without raising; it is called on the loop."""

    def close(self) -> None:
        """Let go of everything; may be called twice."""


@dataclass(frozen=True)
class PluginType:
    """What all descriptors have in common.

    :param name: how the configuration calls it; ``[a-z][a-z0-9-]*``.
    :param summary: one line for ``havpn plugin show``.
    :param config: its options, a :class:`msgspec.Struct`; ``forbid_unknown_fields`` is implied.
    :param build: makes an instance of checked options. Heavy imports belong in here. It must
        not block and should not fail for what may come right later, as a missing interface.
    :param needs: Linux capabilities, as ``CAP_NET_RAW``.
    :param missing: looks, without changing anything, what else an instance would miss on this
        host (commands, files) and says so in sentences; used by ``havpn check``.
    :raises ValueError: if a field breaks these rules.
    """

    name: str
    summary: str
    config: type[msgspec.Struct]
    build: Callable[[Any, Context], Any]
    needs: frozenset[str] = frozenset()
    missing: Callable[[Any], list[str]] = lambda config: []

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.match(self.name):
            raise ValueError(f"type name {self.name!r} does not match [a-z][a-z0-9-]*")
        if not (isinstance(self.config, type) and issubclass(self.config, msgspec.Struct)):
            raise ValueError(f"config of type {self.name!r} is no msgspec.Struct")
        if not callable(self.build):
            raise ValueError(f"build of type {self.name!r} cannot be called")


@dataclass(frozen=True)
class ProbeType(PluginType):
    """A kind of probe; ``build(config, context)`` gives a :class:`Probe`."""


@dataclass(frozen=True)
class ActionType(PluginType):
    """A kind of action; ``build(config, context)`` gives an :class:`Action`.

    :param owns: nobody else may touch what the action holds, so a role changed behind its
        back is put right instead of being respected as an operator's override.
    """

    owns: bool = False


@dataclass(frozen=True)
class NotifierType(PluginType):
    """A kind of notifier; ``build(config, context)`` gives a :class:`Notifier`."""


@dataclass(frozen=True)
class LinkType(PluginType):
    """A kind of link; ``build(config, context)`` gives a :class:`Link`."""
