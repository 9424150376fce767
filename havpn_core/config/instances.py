"""What a checked configuration consists of, as frozen values."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from havpn_core.config.options import LanOptions, NodeOptions, PathOptions, Watches
from havpn_core.echo.gate import RespondOptions
from havpn_core.pair.options import PairOptions
from havpn_core.plugging.descriptors import PluginType
from havpn_core.serve.options import MetricsOptions


@dataclass(frozen=True)
class Instance:
    """One configured probe, action, notifier or link.

    :param name: as ``path.vpn1.probe.echo``.
    :param kind: ``probe``, ``action``, ``notifier`` or ``link``.
    :param deadline_s: seconds that one call may take; 0 where the path or the link says it.
    :param lifetime_s: for how many seconds what an action of a pair holds outlives a daemon that
        died; ``None``: without end.
    :param watches: what a probe watches.
    :param beside: a mark of the files that belong to its options, as its type makes it.
    """

    name: str
    kind: str
    type: PluginType = field(compare=False)
    options: msgspec.Struct
    deadline_s: float
    lifetime_s: float | None = None
    watches: Watches = Watches.LINE
    beside: bytes = b""

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class PathConfig:
    """One monitored path.

    :param probes: those that watch the line or the tunnel; the verdict follows from them.
    :param road: those that watch the road.
    """

    name: str
    options: PathOptions
    probes: tuple[Instance, ...]
    road: tuple[Instance, ...] = ()

    @property
    def watches(self) -> dict[str, str]:
        """What each of ``probes`` watches, by its id."""
        return {probe.id: probe.watches.value for probe in self.probes}


@dataclass(frozen=True)
class PairConfig:
    """The pair and its links."""

    options: PairOptions
    links: tuple[Instance, ...]


@dataclass(frozen=True)
class Config:
    """A whole configuration that was found good.

    :param digest: of its tables, as :func:`~havpn_core.config.digest.digest_of` makes it.
    """

    file: Path
    node: NodeOptions
    enable: tuple[str, ...]
    paths: tuple[PathConfig, ...]
    actions: tuple[Instance, ...]
    notifiers: tuple[Instance, ...]
    respond: RespondOptions | None
    pair: PairConfig | None = None
    lan: LanOptions | None = None
    metrics: MetricsOptions | None = None
    digest: str = ""

    @property
    def lifetime_s(self) -> float | None:
        """Seconds after which the addresses of a dead daemon are gone; ``None``: never.

        The longest counts: before all are gone the gateway still serves with some of them.
        """
        owning = [a.lifetime_s for a in self.actions if getattr(a.type, "owns", False)]
        known = [lifetime_s for lifetime_s in owning if lifetime_s is not None]
        return max(known) if known and len(known) == len(owning) else None
