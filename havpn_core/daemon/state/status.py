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

    :param wanted: what the daemon wants, ``active`` or ``standby``; ``None``: not decided.
    :param observed: what is in force as far as the actions can see; ``None``: not known.
    :param since: when the wanted role changed.
    :param forced: the role that a person wants, if any.
    :param forced_s: seconds until that ends by itself; ``None`` if it does not.
    :param reason: why the wanted role is wanted.
    """

    wanted: str | None
    observed: str | None
    since: str = ""
    forced: str | None = None
    reason: str | None = None
    forced_s: float | None = None


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
    """An action: what it does, what it observes, and what is wrong with it.

    :param error: why it failed last; ``None`` once that is over.
    :param retry_s: seconds until it is tried again; ``None`` while it waits for no such time.
    """

    type: str = ""
    phase: str
    observed: str | None
    failures: int = 0
    error: str | None
    retry_s: float | None = None
    facts: Facts = field(default_factory=dict)


class NotifierStatus(msgspec.Struct, kw_only=True):
    """A notifier: what became of the events, and why the last one was not delivered.

    :param failed: events that were given up.
    :param dropped: events that gave way to later ones while too many waited.
    :param waiting: events that wait, as for another attempt.
    :param error: ``None`` once another one was delivered.
    :param failed_at: when that was, RFC 3339; ``None`` where there is no error.
    """

    delivered: int
    failed: int
    dropped: int
    waiting: int = 0
    error: str | None
    failed_at: str | None = None


class RespondStatus(msgspec.Struct, kw_only=True):
    """The echo responder: replies, and probes without one by the reason.

    :param silent: requests that got none because this gateway is not to be used.
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
    """Events since the daemon started.

    :param events: all of them.
    :param role_changes: how often the wanted role became another one.
    :param conflicts: how often it was reported that another host has or claims the shared address.
    :param action_failures: changes of role that failed, by action.
    :param reloaded: whether the last reload was taken over; ``None`` before the first one.
    """

    events: int = 0
    role_changes: int = 0
    conflicts: int = 0
    action_failures: dict[str, int] = field(default_factory=dict)
    reloaded: bool | None = None


class WitnessStatus(msgspec.Struct, kw_only=True):
    """A host on the LAN that is probed: the seconds since its last reply, if there was one."""

    age_s: float | None
    replies: bool = False


class FitnessStatus(msgspec.Struct, kw_only=True):
    """Whether this gateway can serve, its lines aside.

    :param fit: ``None`` while that is not known, which counts as fit.
    :param certain: it is unfit by something that nobody else can be the cause of.
    :param reason: why it is not fit, empty while it is.
    :param carrier: whether each device of the LAN has one.
    :param forwarding: whether it is on, by family; ``None``: not known.
    :param address: whether this gateway's own address is on the LAN; ``None``: not watched.
    :param hears: enough witnesses reply; ``None`` while nothing is known of any.
    :param witnesses: by address.
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
    """Whether either gateway of this site could serve now.

    :param lost: it could not for some seconds, and the event ``redundancy: lost`` said so.
    :param since: when that was last reported to have changed, or when the daemon started.
    :param causes: why not, a sentence with the remedy each; what just began is among them.
    """

    lost: bool = False
    since: str = ""
    causes: list[str] = field(default_factory=list)


class ConfigStatus(msgspec.Struct, kw_only=True):
    """The configuration that is in force.

    :param file: where it was read.
    :param digest: what names it, as :func:`~havpn_core.config.digest.digest_of` makes it.
    :param differs: whether the file says something else now, for whoever reads the status to fill
        in; ``None``: not known.
    """

    file: str
    digest: str
    differs: bool | None = None


class Status(msgspec.Struct, kw_only=True):
    """Everything.

    :param written_at: RFC 3339, by the wall clock.
    :param age_s: seconds since then; 0 as it is written, for whoever reads it to fill in.
    :param written_uptime_s: the same moment in seconds since the boot, suspended ones included.
    :param boot: the name of that boot, empty if it is not known.
    :param state: ``running``, ``paused``, ``stopped``, or ``stale`` for who reads what a daemon
        left that does not work any more.
    :param schema: :data:`SCHEMA` of the release that wrote it; 0 where that did not say.
    :param holder: who has the shared address as far as is known here, a word of
        :mod:`~havpn_core.pair.health.holder`; ``None``: not known.
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
