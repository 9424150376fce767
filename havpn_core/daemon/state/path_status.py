"""Pure: what the daemon knows of its paths, as values of :mod:`~havpn_core.daemon.state.status`."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, field

Facts = dict[str, Any]
"""What an instance of a plugin says of itself, as JSON has it."""


class DurationsStatus(msgspec.Struct, kw_only=True):
    """How long replies took.

    :param sum_s: their sum in seconds.
    :param counts: number of replies by bucket: the first is up to 50 us, each next one up to
        twice as long; trailing zeros are left out.
    """

    sum_s: float
    counts: list[int]


class ProbeStatus(msgspec.Struct, kw_only=True):
    """A probe.

    :param outcome: outcome of the last sample: ``OK``, ``FAIL``, ``ERROR`` or ``REFUSED``;
        ``None``: none yet.
    :param detail: cause of that outcome, in words.
    :param latency_ms: round-trip time of the last reply in milliseconds.
    :param ok: samples that were OK.
    :param fail: samples that failed.
    :param error: samples that could not test.
    :param refused: samples that the far host refused, where that is no failure.
    :param overdue_ms: milliseconds after which a reply is late.
    :param mode: ``loop``, where probes may overlap, or ``thread``, one at a time.
    :param watches: ``line``, ``tunnel`` or ``road``.
    :param durations: how long its replies took; ``None`` while none was timed.
    :param facts: what the plugin reports of itself.
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

    :param outcome: outcome of the last vote of its probes; ``None``: none yet.
    :param failed: its consecutive failures.
    """

    outcome: str | None
    failed: int = 0


class QualityStatus(msgspec.Struct, kw_only=True):
    """The quality of a path over its window.

    :param verdict: ``good`` or ``poor``.
    :param loss: share lost.
    :param latency_ms: mean round-trip time in milliseconds.
    :param samples: number of samples in the window.
    :param grey: the loss is above ``grey``; this only ranks the line.
    """

    verdict: str
    loss: float | None
    latency_ms: float | None
    samples: int = 0
    grey: bool = False


class FlapStatus(msgspec.Struct, kw_only=True):
    """The flap damping of a path.

    :param penalty: the penalty; each fall adds 1.
    :param hold_s: seconds for which the way back is still held.
    """

    penalty: float
    hold_s: float


class CalmStatus(msgspec.Struct, kw_only=True):
    """When a path with ``false_switches`` is given up, and why.

    :param fall: consecutive lost probes that it takes now, at least.
    :param floor_ms: least silence in milliseconds; 0 where ``fall`` determines it.
    :param silence_ms: milliseconds of silence after which it is given up.
    :param loss: share of the probes of this line that were lost.
    :param loss_reckoned: the upper bound of that share, with which ``fall`` is computed.
    :param spells: the longest silent spell on record that ended, in seconds; 0: none.
    :param jitter_ms: mean difference of successive round trips in milliseconds.
    :param per_h: false switches an hour that are expected.
    :param target_per_h: false switches an hour that are accepted.
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
    """A probe of the road.

    :param outcome: outcome of the last sample; ``None``: none yet.
    :param detail: cause of that outcome, in words.
    :param latency_ms: round-trip time of the last reply in milliseconds.
    :param replied_at: when the host last replied.
    """

    outcome: str | None = None
    detail: str = ""
    latency_ms: float | None = None
    replied_at: str | None = None


class RoadStatus(msgspec.Struct, kw_only=True):
    """The road of a path.

    :param verdict: ``ok`` while one of its hosts replies, ``failed`` if none does, or
        ``unknown``.
    :param probing: how its probes run: ``full``, ``slow``, or ``none`` on a standby.
    :param stance: what this gateway does about the road; ``None``: nothing.
    :param trial_s: seconds until a gateway that left the role for the road tries it again.
    :param probes: the probes of the road.
    """

    verdict: str
    probing: str = "none"
    stance: str | None = None
    trial_s: float | None = None
    probes: dict[str, RoadProbeStatus] = field(default_factory=dict)


class PathStatus(msgspec.Struct, kw_only=True):
    """A path.

    :param verdict: ``unknown``, ``up``, ``failing``, ``down`` or ``recovering``.
    :param since: when the verdict changed.
    :param streak: consecutive equal samples that count towards another verdict.
    :param late: rounds of probes that are void because this host was late.
    :param flickers: lost probes that the next ones showed to be no failure of the path.
    :param detection_ms: milliseconds within which a silent line is detected.
    :param refused_s: seconds since which the far host refuses; ``None`` if it does not.
    :param failing: which kind of its probes fails, in words; ``None`` while none does, and
        where all of them watch the line.
    :param kinds: what its probes watch, ``line`` or ``tunnel``.
    :param quality: where a window is kept.
    :param flaps: where flaps are damped.
    :param calm: where it has a target of false switches.
    :param road: where it has probes of the road.
    :param probes: its probes.
    :param fall: consecutive failures that take it down, as in force now.
    :param rise: consecutive successes that bring it up again.
    :param interval_ms: milliseconds from one probe to the next.
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
