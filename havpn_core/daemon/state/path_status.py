"""Pure: what the daemon knows of its paths, as values of :mod:`~havpn_core.daemon.state.status`."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, field

Facts = dict[str, Any]
"""What an instance of a plugin says of itself, as JSON has it."""


class DurationsStatus(msgspec.Struct, kw_only=True):
    """How long replies took: their sum in seconds, and how many took how long.

    :param counts: the first is of those up to 50 us, each next one of those up to twice that of
        the one before; trailing zeros are left out.
    """

    sum_s: float
    counts: list[int]


class ProbeStatus(msgspec.Struct, kw_only=True):
    """A probe: its last sample, how many samples had which outcome, and when a reply is late.

    :param watches: ``line``, ``tunnel`` or ``road``.
    :param refused: samples that the far host refused, where that is no failure (``refused``).
    :param overdue_ms: milliseconds after which a reply is late.
    :param mode: ``loop``, where probes may overlap, or ``thread``, one at a time.
    :param durations: of its replies; ``None`` while none was timed.
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
    watches: str = "line"
    durations: DurationsStatus | None = None
    facts: Facts = field(default_factory=dict)


class KindStatus(msgspec.Struct, kw_only=True):
    """What a path knows of one kind that it watches.

    :param outcome: of the last vote of its probes; ``None``: none yet.
    :param failed: its failures in a row.
    """

    outcome: str | None
    failed: int = 0


class QualityStatus(msgspec.Struct, kw_only=True):
    """The loss (0 to 1) and the round-trip time of a path over its window of samples.

    :param verdict: ``good`` or ``poor``.
    :param grey: it loses more than ``grey`` allows, which only ranks it.
    """

    verdict: str
    loss: float | None
    latency_ms: float | None
    samples: int = 0
    grey: bool = False


class FlapStatus(msgspec.Struct, kw_only=True):
    """The flap penalty of a path, and for how many seconds it is held down by it."""

    penalty: float
    hold_s: float


class CalmStatus(msgspec.Struct, kw_only=True):
    """When a path with ``false_switches`` is given up, and why.

    :param fall: lost probes in a row that it takes now, at least.
    :param floor_ms: milliseconds of silence that it takes at least; 0 where ``fall`` says it.
    :param silence_ms: milliseconds of silence after which it is given up.
    :param loss: share of the line's probes that were lost, 0 to 1, and what was reckoned with.
    :param spells: the longest silent spells remembered that ended, in seconds; 0: none.
    :param jitter_ms: mean difference of successive round trips.
    :param per_h: false switches an hour that remain by what is known, and those that are borne.
    :param kept: whether the target is kept.
    :param text: all of it in a sentence.
    """

    fall: int
    floor_ms: float
    silence_ms: float
    loss: float
    loss_reckoned: float
    spells: float
    jitter_ms: float
    per_h: float
    target_per_h: float
    kept: bool
    text: str


class RoadProbeStatus(msgspec.Struct, kw_only=True):
    """A probe of the road: what it last found, and when its host last replied."""

    outcome: str | None = None
    detail: str = ""
    latency_ms: float | None = None
    replied_at: str | None = None


class RoadStatus(msgspec.Struct, kw_only=True):
    """The road of a path.

    :param verdict: ``ok`` while one of its hosts replies, ``failed`` if none does, or ``unknown``.
    :param probing: how its probes run: ``full``, ``slow``, or ``none`` on a standby.
    :param stance: what this gateway does about the road; ``None`` while nothing.
    :param trial_s: seconds until a gateway that left the role for the road tries it again.
    """

    verdict: str
    probing: str = "none"
    stance: str | None = None
    trial_s: float | None = None
    probes: dict[str, RoadProbeStatus] = field(default_factory=dict)


class PathStatus(msgspec.Struct, kw_only=True):
    """A path.

    :param streak: equal samples in a row that count towards another verdict.
    :param late: rounds of probes that are void, because this host was late itself.
    :param flickers: lost probes that the next ones showed to be no failure of the path.
    :param detection_ms: milliseconds within which a silent line is noticed.
    :param fall: failures in a row that take it down, as it is in force now.
    :param rise: successes in a row that bring it up again.
    :param interval_ms: milliseconds from one probe to the next.
    :param refused_s: seconds since which the far host refuses; ``None`` if it does not.
    :param failing: which kind of its probes fails, in words; ``None`` while none does, and where
        all of them watch the line.
    :param kinds: what its probes watch, ``line`` or ``tunnel``, and how that does.
    :param quality: where a window is kept.
    :param flaps: where flaps are damped.
    :param calm: where it has a target of false switches.
    :param road: where it has probes of the road.
    """

    verdict: str
    since: str
    streak: int = 0
    late: int = 0
    flickers: int = 0
    detection_ms: float | None = None
    refused_s: float | None = None
    failing: str | None = None
    kinds: dict[str, KindStatus] = field(default_factory=dict)
    quality: QualityStatus | UnsetType = UNSET
    flaps: FlapStatus | UnsetType = UNSET
    calm: CalmStatus | UnsetType = UNSET
    road: RoadStatus | UnsetType = UNSET
    probes: dict[str, ProbeStatus]
    fall: int | None = None
    rise: int | None = None
    interval_ms: float | None = None
