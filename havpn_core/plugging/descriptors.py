"""What a plugin supplies, and the values that its instances and the core exchange.

A *type* is a descriptor: a name, a summary, a struct of options and a function that builds an
instance of them. The core makes as many instances as the configuration has. What an instance must
do is said in :mod:`havpn_core.plugging.protocols`.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from havpn_core.plugging.stance import NO_STANCE, Stance
from havpn_core.rules.hysteresis import Outcome

NAME = re.compile(r"[a-z][a-z0-9-]*\Z")


@dataclass(frozen=True, slots=True)
class Sample:
    """One probe's result.

    :param detail: a few words for the operator, where there is something to say; the core keeps
        one line of at most 500 characters.
    :param latency_s: round-trip time in seconds, where there was a reply; the core ignores what
        is not within 0 to 3600.
    :param refused: the target itself refused: its host lives and the line carries, but nobody
        listens there. The outcome is ``FAIL`` then, for those who know no better.
    """

    outcome: Outcome
    detail: str = ""
    latency_s: float | None = None
    refused: bool = False

    @classmethod
    def ok(cls, latency_s: float | None = None, detail: str = "") -> "Sample":
        """Make a sample of a reply that came."""
        return cls(Outcome.OK, detail, latency_s)

    @classmethod
    def fail(cls, detail: str) -> "Sample":
        """Make a sample of a reply that did not come, or was a refusal."""
        return cls(Outcome.FAIL, detail)

    @classmethod
    def refusal(cls, detail: str) -> "Sample":
        """Make a sample of a refusal by the target itself."""
        return cls(Outcome.FAIL, detail, refused=True)

    @classmethod
    def error(cls, detail: str) -> "Sample":
        """Make a sample of a probe that could not be sent."""
        return cls(Outcome.ERROR, detail)


class EventKind(StrEnum):
    """What an event is about; equal to the plain words that stand in the history."""

    VERDICT = "verdict"
    QUALITY = "quality"
    ROLE = "role"
    ACTION = "action"
    PLUGIN = "plugin"
    DAEMON = "daemon"
    PAIR = "pair"
    CLUSTER = "cluster"
    PATH = "path"
    FITNESS = "fitness"
    ROAD = "road"
    RESPOND = "respond"
    REDUNDANCY = "redundancy"


class Severity(StrEnum):
    """How severe an event is; equal to the plain words that stand in the history."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that changed, as notifiers, the log and the history see it.

    :param kind: a word of :class:`EventKind`.
    :param subject: the path, action or plugin it is about; empty for the gateway itself.
    :param before: the old value in the words of the design, empty where there is none.
    :param after: the new value.
    :param severity: a word of :class:`Severity`.
    """

    kind: str
    subject: str
    before: str
    after: str
    detail: str = ""
    severity: str = Severity.INFO
    node: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __str__(self) -> str:
        subject = f"{self.kind} {self.subject}".strip()
        change = f"{self.before} -> {self.after}" if self.before else self.after
        return f"{subject}: {change}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Retry:
    """What a notifier gives back when an event was not delivered and is worth another attempt.

    The core keeps the event and calls again later, as long as the type's ``retry_s`` says. What is
    raised instead is final: that event is not tried again.

    :param why: what went wrong, in one line without secrets.
    :param after_s: seconds before which it makes no sense, as a service says in ``Retry-After``;
        the core accepts up to 300.
    """

    why: str
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """What the core hands to every instance; one object, so that it can grow.

    :param instance: the instance's name in the configuration, such as ``path.vpn1.probe.echo``.
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
    :param heard: seconds since our own responder last replied to that address; ``None`` if never.
    :param hurry: for probes only, from any thread: what is watched has changed, so the path's next
        probes are sent now and not at the next moment of the interval. Accepted once in an interval
        and while the path is not down; never raises.
    :param warn: for probes only, from any thread: say something for people that is no sample. It
        becomes an event of the path, one in ten seconds; never raises.
    :param stance: how this gateway stands, for a probe that says it to the far gateway.
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
    hurry: Callable[[], None] = lambda: None
    warn: Callable[[str], None] = lambda text: None
    stance: Callable[[], Stance] = lambda: NO_STANCE


@dataclass(frozen=True)
class PluginType:
    """What all descriptors have in common.

    :param name: how the configuration calls it; ``[a-z][a-z0-9-]*``.
    :param summary: one line for ``havpn plugin show``.
    :param config: its options, a :class:`msgspec.Struct`; ``forbid_unknown_fields`` is implied.
    :param build: makes an instance of checked options. Heavy imports belong in here. It must
        not block and should not fail for what may come right later, as a missing interface.
    :param needs: Linux capabilities, such as ``CAP_NET_RAW``.
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
    """A kind of probe; ``build(config, context)`` gives a
    :class:`~havpn_core.plugging.protocols.Probe`.

    :param watching: gives checked options as they count for what the probe watches (``line``,
        ``tunnel`` or ``road``), where a default depends on that; it must be pure, give a struct of
        the same type, and raise :class:`ValueError` for options that are none there.
    :param paced: gives checked options as they count at the path's ``interval`` in seconds, where a
        default depends on that; as ``watching`` otherwise.
    :param arrival_s: of a type whose instances are
        :class:`~havpn_core.plugging.protocols.Arriving`, says within how many seconds arrivals
        follow each other, for what ``havpn check`` promises; ``None``: it is polled. It must be
        pure.
    :param beside: gives a mark of what lies beside the configuration and belongs to it, as a digest
        of a key file, empty where it cannot be read: a reload builds the instance again where that
        changed. It is called in a thread when the configuration is read, and must not raise.
    """

    watching: Callable[[Any, str], Any] = lambda config, watches: config
    paced: Callable[[Any, float], Any] = lambda config, interval_s: config
    arrival_s: Callable[[Any], float | None] = lambda config: None
    beside: Callable[[Any], bytes] = lambda config: b""


@dataclass(frozen=True)
class ActionType(PluginType):
    """A kind of action; ``build(config, context)`` gives an
    :class:`~havpn_core.plugging.protocols.Action`.

    :param owns: nobody else may touch what the action holds, so a role changed by others is put
        right instead of being respected as an operator's override.
    :param paired: gives checked options as they count in a pair, where a default depends on that;
        it must be pure, and give a struct of the same type.
    :param lifetime_s: says for how many seconds what the action holds outlives a daemon that died;
        ``None``: without end. It must be pure.
    """

    owns: bool = False
    paired: Callable[[Any], Any] = lambda config: config
    lifetime_s: Callable[[Any], float | None] = lambda config: None


@dataclass(frozen=True)
class NotifierType(PluginType):
    """A kind of notifier; ``build(config, context)`` gives a
    :class:`~havpn_core.plugging.protocols.Notifier`.

    :param gather_s: says for how many seconds, 0 to 3600, the events that follow a first one are
        gathered before an instance that is :class:`~havpn_core.plugging.protocols.Gathering` gets
        them all. It must be pure.
    :param retry_s: says for how many seconds, up to a week, an event is kept and tried again
        for which an instance gave back :class:`Retry`; 0: never. It must be pure.
    """

    gather_s: Callable[[Any], float] = lambda config: 0.0
    retry_s: Callable[[Any], float] = lambda config: 0.0


@dataclass(frozen=True)
class LinkType(PluginType):
    """A kind of link; ``build(config, context)`` gives a
    :class:`~havpn_core.plugging.protocols.Link`.

    :param pace_s: says within how many seconds it can carry one frame after another, each of up to
        160 bytes; a pair that is not given an interval has none below that. It must be pure.
    """

    pace_s: Callable[[Any], float] = lambda config: 0.0
