"""Pure: what the daemon knows, as typed values, and their form in the file ``status.json``.

:class:`Status` is the object of ``havpn status --json``: a field is a key, in this order. What an
instance of a plugin says of itself (its ``facts()``) stands in the file among the keys of that
instance, before the core's, which win; here it is the ``facts`` of the instance.
:mod:`~havpn_core.daemon.reporting` fills it, :mod:`~havpn_core.daemon.state.reading` reads the
file.
"""

from collections.abc import Mapping

import msgspec
from msgspec import field, structs

from havpn_core.daemon.state.pair_status import LinkStatus, PairStatus
from havpn_core.daemon.state.path_status import Facts, PathStatus, ProbeStatus

STATUS_FILE = "status.json"
BRIEF_FILE = "status.brief"
SCHEMA = 1
"""Grows when a key goes or means something else; a release that only adds keys leaves it."""


class RoleStatus(msgspec.Struct, kw_only=True):
    """The role of this gateway.

    :param wanted: the role that the daemon wants, ``active`` or ``standby``; ``None``: not
        decided.
    :param observed: the role in force, as far as the actions observe it; ``None``: not known.
    :param since: when the wanted role changed.
    :param forced: the role that an operator forced, if any.
    :param forced_s: seconds until that ends by itself; ``None`` if it does not.
    :param reason: why the role is wanted.
    """

    wanted: str | None
    observed: str | None
    since: str = ""
    forced: str | None = None
    reason: str | None = None
    forced_s: float | None = None


class LatenessStatus(msgspec.Struct, kw_only=True):
    """How late the loop of the daemon was, in milliseconds.

    :param p50: median.
    :param p99: 99th percentile.
    :param max: maximum.
    """

    p50: float = 0.0
    p99: float = 0.0
    max: float = 0.0


class TimingStatus(msgspec.Struct, kw_only=True):
    """How well this host keeps time.

    :param ticks: number of measurements.
    :param late_ms: how late the loop was.
    :param void: rounds of probes that are void because this host was late: the sum of all
        paths.
    """

    ticks: int = 0
    late_ms: LatenessStatus = field(default_factory=LatenessStatus)
    void: int = 0


class ActionStatus(msgspec.Struct, kw_only=True):
    """An action.

    :param type: type of the action.
    :param phase: ``settled``, ``pending``, ``applying``, ``retrying`` or ``overridden``.
    :param observed: the role that it observes; ``None``: not known.
    :param failures: attempts that failed.
    :param error: why the last attempt failed; ``None`` once that is over.
    :param retry_s: seconds until the next attempt; ``None`` if none is due.
    :param facts: what the plugin reports of itself.
    """

    type: str = ""
    phase: str
    observed: str | None
    failures: int = 0
    error: str | None
    retry_s: float | None = None
    facts: Facts = field(default_factory=dict)


class NotifierStatus(msgspec.Struct, kw_only=True):
    """A notifier.

    :param delivered: events that were delivered.
    :param failed: events that were given up.
    :param dropped: events that were dropped because too many waited.
    :param waiting: events that wait for delivery.
    :param error: why the last delivery failed; ``None`` after one that succeeded.
    :param failed_at: when that was; ``None`` where there is no error.
    """

    delivered: int
    failed: int
    dropped: int
    waiting: int = 0
    error: str | None
    failed_at: str | None = None


class RespondStatus(msgspec.Struct, kw_only=True):
    """The echo responder: replies, and requests without one by the reason.

    :param answered: replies sent.
    :param denied: requests from an address that is not in ``allow``.
    :param low_port: requests from a port below 1024.
    :param oversize: requests that are too long.
    :param rate: requests above ``rate`` or ``total_rate``.
    :param error: replies that could not be sent.
    :param loop: requests that another responder sent, or that came back.
    :param silent: requests without a reply because this gateway must not be used.
    :param silence: why; empty while it replies.
    """

    answered: int = 0
    denied: int = 0
    low_port: int = 0
    oversize: int = 0
    rate: int = 0
    error: int = 0
    loop: int = 0
    silent: int = 0
    silence: str = ""


class CountsStatus(msgspec.Struct, kw_only=True):
    """Counters since the daemon started.

    :param events: number of events.
    :param role_changes: changes of the wanted role.
    :param conflicts: reports that another host holds or claims the shared address.
    :param action_failures: changes of role that failed, by action.
    :param reloaded: whether the last reload was accepted; ``None`` before the first one.
    """

    events: int = 0
    role_changes: int = 0
    conflicts: int = 0
    action_failures: dict[str, int] = field(default_factory=dict)
    reloaded: bool | None = None


class WitnessStatus(msgspec.Struct, kw_only=True):
    """A witness: a host on the LAN that is probed.

    :param age_s: seconds since its last reply; ``None``: none yet.
    :param replies: whether it counts as present.
    """

    age_s: float | None
    replies: bool = False


class FitnessStatus(msgspec.Struct, kw_only=True):
    """Whether this gateway can serve, its lines aside.

    :param fit: ``None`` while not known, which counts as fit.
    :param certain: it is unfit by a cause that can only be here.
    :param reason: why it is not fit; empty while it is.
    :param carrier: whether each device of the LAN has a carrier.
    :param forwarding: whether forwarding is on, by address family; ``None``: not known.
    :param address: whether this gateway's own address is on the LAN; ``None``: not watched.
    :param hears: whether enough witnesses reply; ``None``: not known.
    :param witnesses: the witnesses, by address.
    """

    fit: bool | None = None
    certain: bool = False
    reason: str = ""
    carrier: dict[str, bool] = field(default_factory=dict)
    forwarding: dict[str, bool | None] = field(default_factory=dict)
    address: bool | None = None
    hears: bool | None = None
    witnesses: dict[str, WitnessStatus] = field(default_factory=dict)


class RedundancyStatus(msgspec.Struct, kw_only=True):
    """Whether either gateway of this site can serve.

    :param lost: one of them could not for some seconds.
    :param since: when that last changed, or when the daemon started.
    :param causes: the causes, a sentence with the remedy each.
    """

    lost: bool = False
    since: str = ""
    causes: list[str] = field(default_factory=list)


class ConfigStatus(msgspec.Struct, kw_only=True):
    """The configuration that is in force.

    :param file: where it was read.
    :param digest: its digest (``havpn config digest``).
    :param differs: whether the file has changed since; the reader fills it in. ``None``: not known.
    """

    file: str
    digest: str
    differs: bool | None = None


class Status(msgspec.Struct, kw_only=True):
    """Everything that the daemon knows and does.

    :param node: name of this gateway (``node.name``).
    :param version: release of the daemon that wrote it.
    :param pid: process id of that daemon.
    :param written_at: when it was written, by the wall clock.
    :param age_s: seconds since then; the reader fills it in.
    :param written_uptime_s: the same moment in seconds since the boot, suspended time included.
    :param boot: identifier of that boot; empty if not known.
    :param state: ``running``, ``paused``, ``stopped``, or ``stale``: the daemon that wrote it
        no longer works.
    :param role: the role of this gateway.
    :param paths: the paths.
    :param timing: how late the loop of the daemon was.
    :param actions: the actions.
    :param notifiers: the notifiers.
    :param respond: the echo responder; ``None`` without ``[respond]``.
    :param pair: the pair; ``None`` without ``[pair]``.
    :param fitness: whether this gateway can serve, its lines aside.
    :param redundancy: whether either gateway of this site can serve.
    :param schema: version of this object; 0 where the release did not write one.
    :param holder: which gateway holds the shared address: ``here``, ``partner``, ``both``,
        ``nobody`` or ``elsewhere``; ``None``: not known.
    :param counts: counters since the start of the daemon.
    :param config: the configuration in force; ``None``: not known.
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
    fitness: FitnessStatus | None = None
    redundancy: RedundancyStatus | None = None
    schema: int = 0
    holder: str | None = None
    counts: CountsStatus = field(default_factory=CountsStatus)
    config: ConfigStatus | None = None

    @property
    def works(self) -> bool:
        """Whether the daemon is at work."""
        return self.state in ("running", "paused")


def encode(status: Status, paths: Mapping[str, msgspec.Raw] | None = None) -> bytes:
    """Write the status as JSON.

    :param paths: those of :func:`encode_path` in place of its own.
    :raises UnicodeEncodeError: if a text in it is no Unicode.
    """
    if paths is None:
        paths = {name: encode_path(path) for name, path in status.paths.items()}
    actions = {name: _flat(action) for name, action in status.actions.items()}
    pair = status.pair
    if pair is not None:
        pair = structs.replace(pair, links={name: _flat(link) for name, link in pair.links.items()})
    return msgspec.json.encode(structs.replace(status, paths=paths, actions=actions, pair=pair))


def encode_path(path: PathStatus) -> msgspec.Raw:
    """Write the part of one path, so that many need not be written at once.

    :raises UnicodeEncodeError: if a text in it is no Unicode.
    """
    probes = {name: _flat(probe) for name, probe in path.probes.items()}
    return msgspec.Raw(msgspec.json.encode(structs.replace(path, probes=probes)))


def _flat(one: ProbeStatus | ActionStatus | LinkStatus) -> Facts:
    """Put the facts of a plugin among the core's."""
    core = structs.asdict(one)
    facts: Facts = core.pop("facts")
    return facts | core if facts else core
