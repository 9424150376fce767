"""What the daemon knows, as typed values, and their form in the file ``status.json``.

:class:`Status` is the object of ``havpn status --json``: a field is a key, in this order. What an
instance of a plugin says of itself (its ``facts()``) stands in the file among the keys of that
instance, before the core's, which win; here it is the ``facts`` of the instance.
:mod:`~havpn_core.daemon.reporting` fills it, :mod:`~havpn_core.daemon.state.reading` reads the
file.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, field, structs

STATUS_FILE = "status.json"
BRIEF_FILE = "status.brief"

Facts = dict[str, Any]
"""What an instance of a plugin says of itself, as JSON has it."""


class RoleStatus(msgspec.Struct, kw_only=True):
    """The role of this gateway.

    :param wanted: what the daemon wants, ``active`` or ``standby``; ``None``: not decided.
    :param observed: what is in force as far as the actions can see; ``None``: not known.
    :param since: when the wanted role changed.
    :param forced: the role that a person wants, if any.
    :param reason: why the wanted role is wanted.
    """

    wanted: str | None
    observed: str | None
    since: str = ""
    forced: str | None = None
    reason: str | None = None


class ProbeStatus(msgspec.Struct, kw_only=True):
    """A probe: its last sample, how many samples had which outcome, and when a reply is late.

    :param refused: samples that the far host refused, where that is no failure (``refused``).
    :param overdue_ms: milliseconds after which a reply is late.
    :param mode: ``loop``, where probes may overlap, or ``thread``, one at a time.
    """

    outcome: str | None
    detail: str | None
    latency_ms: float | None
    ok: int
    fail: int
    error: int
    refused: int = 0
    overdue_ms: float | None = None
    mode: str | None = None
    facts: Facts = field(default_factory=dict)


class QualityStatus(msgspec.Struct, kw_only=True):
    """The loss (0 to 1) and the round-trip time of a path over its window of samples."""

    verdict: str
    loss: float | None
    latency_ms: float | None
    samples: int = 0


class FlapStatus(msgspec.Struct, kw_only=True):
    """The flap penalty of a path, and for how many seconds it is held down by it."""

    penalty: float
    hold_s: float


class PathStatus(msgspec.Struct, kw_only=True):
    """A path.

    :param streak: equal samples in a row that count towards another verdict.
    :param late: rounds of probes that are void, because this host was late itself.
    :param flickers: lost probes that the next ones showed to be no failure of the path.
    :param detection_ms: milliseconds within which a silent line is noticed.
    :param refused_s: seconds since which the far host refuses; ``None`` if it does not.
    :param quality: where a window is kept.
    :param flaps: where flaps are damped.
    """

    verdict: str
    since: str
    streak: int = 0
    late: int = 0
    flickers: int = 0
    detection_ms: float | None = None
    refused_s: float | None = None
    quality: QualityStatus | UnsetType = UNSET
    flaps: FlapStatus | UnsetType = UNSET
    probes: dict[str, ProbeStatus]


class LatenessStatus(msgspec.Struct, kw_only=True):
    """How late the loop of the daemon was: percentiles and maximum, in milliseconds."""

    p50: float = 0.0
    p99: float = 0.0
    max: float = 0.0


class TimingStatus(msgspec.Struct, kw_only=True):
    """How well this host keeps time; ``void`` is the sum of the paths' ``late``."""

    ticks: int = 0
    late_ms: LatenessStatus = field(default_factory=LatenessStatus)
    void: int = 0


class ActionStatus(msgspec.Struct, kw_only=True):
    """An action: what it does, what it observes, and why it failed last."""

    type: str = ""
    phase: str
    observed: str | None
    failures: int = 0
    error: str | None
    facts: Facts = field(default_factory=dict)


class NotifierStatus(msgspec.Struct, kw_only=True):
    """A notifier: what became of the events, and why the last one was not delivered."""

    delivered: int
    failed: int
    dropped: int
    error: str | None


class RespondStatus(msgspec.Struct, kw_only=True):
    """The echo responder: replies, and probes without one by the reason."""

    answered: int = 0
    denied: int = 0
    low_port: int = 0
    oversize: int = 0
    rate: int = 0
    error: int = 0
    loop: int = 0


class PartnerStatus(msgspec.Struct, kw_only=True):
    """What the partner last sent of itself."""

    state: str
    role: str | None = None
    path: str | None = None
    priority: int | None = None
    maintenance: bool = False
    stopping: bool = False


class LinkStatus(msgspec.Struct, kw_only=True):
    """A link: ``heard_s`` is the seconds since the last frame that was believed."""

    alive: bool
    heard_s: float | None = None
    frames: int = 0
    facts: Facts = field(default_factory=dict)


class PairStatus(msgspec.Struct, kw_only=True):
    """The pair; ``frames`` counts those that arrived, by what was made of them.

    :param troubles: what is wrong with it now, a sentence with the remedy each.
    """

    state: str
    wanted: str | None = None
    reason: str | None = None
    priority: int | None = None
    partner: PartnerStatus | None = None
    links: dict[str, LinkStatus] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    dead_s: float | None = None
    dead_raised: bool = False
    troubles: list[str] = field(default_factory=list)


class Status(msgspec.Struct, kw_only=True):
    """Everything.

    :param written_at: RFC 3339, by the wall clock.
    :param age_s: seconds since then; 0 as it is written, for whoever reads it to fill in.
    :param written_uptime_s: the same moment in seconds since the boot, suspended ones included.
    :param boot: the name of that boot, empty if it is not known.
    :param state: ``running``, ``paused``, ``stopped``, or ``stale`` for who reads what a daemon
        left that does not work any more.
    """

    node: str
    version: str = ""
    pid: int
    written_at: str
    age_s: float = 0.0
    written_uptime_s: float | None = None
    boot: str = ""
    state: str
    role: RoleStatus
    paths: dict[str, PathStatus]
    timing: TimingStatus = field(default_factory=TimingStatus)
    actions: dict[str, ActionStatus]
    notifiers: dict[str, NotifierStatus]
    respond: RespondStatus | None = None
    pair: PairStatus | None = None

    @property
    def works(self) -> bool:
        """Whether the daemon is at work."""
        return self.state in ("running", "paused")


def encode(status: Status) -> bytes:
    """Write the status as JSON.

    :raises UnicodeEncodeError: if a text in it is no Unicode.
    """
    paths = {
        name: structs.replace(path, probes={n: _flat(probe) for n, probe in path.probes.items()})
        for name, path in status.paths.items()
    }
    actions = {name: _flat(action) for name, action in status.actions.items()}
    pair = status.pair
    if pair is not None:
        pair = structs.replace(pair, links={name: _flat(link) for name, link in pair.links.items()})
    return msgspec.json.encode(structs.replace(status, paths=paths, actions=actions, pair=pair))


def _flat(one: ProbeStatus | ActionStatus | LinkStatus) -> Facts:
    """Put the facts of a plugin among the core's."""
    core = structs.asdict(one)
    facts: Facts = core.pop("facts")
    return facts | core if facts else core
