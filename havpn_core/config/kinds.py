"""What the probes of a path watch, and what follows from that for its configuration."""

import math
from collections.abc import Iterable
from dataclasses import replace

from havpn_core.config.instances import Instance, PathConfig
from havpn_core.config.options import PathOptions, Watches
from havpn_core.plugging.descriptors import ProbeType
from havpn_core.rules.vote import Kinds


def watching(instance: Instance) -> Instance:
    """Give a probe with the defaults that its type has for what it watches.

    Raises whatever the type's own function raises: a :class:`ValueError` if the options make no
    sense there.
    """
    kind = instance.type
    if not isinstance(kind, ProbeType):
        return instance
    options = kind.watching(instance.options, instance.watches.value)
    return replace(instance, options=options) if type(options) is kind.config else instance


def paced(instance: Instance, interval_s: float) -> Instance:
    """Give a probe with the defaults that its type has at the path's interval.

    With them goes the mark of what lies beside the configuration.
    Raises whatever the type's own function raises.
    """
    kind = instance.type
    if not isinstance(kind, ProbeType):
        return instance
    options = kind.paced(instance.options, interval_s)
    options = options if type(options) is kind.config else instance.options
    beside = kind.beside(options)
    return replace(instance, options=options, beside=beside if type(beside) is bytes else b"")


def arrival_s(path: PathConfig) -> float | None:
    """Give within how many seconds arrivals follow each other at a path that is not polled.

    :returns: ``None`` for a path that is polled: one whose only probe reports arrivals is not.
    """
    return arrivals_of(path.probes[0]) if len(path.probes) == 1 else None


def arrivals_of(probe: Instance) -> float | None:
    """Give the same of one probe; ``None`` for one that is polled, whatever it reports besides."""
    if not isinstance(probe.type, ProbeType):
        return None
    try:
        found = probe.type.arrival_s(probe.options)
    except BaseException:  # it is the plugin's
        return None
    return float(found) if isinstance(found, int | float) and 0 < found < math.inf else None


def sorted_by_kind(name: str, options: PathOptions, every: Iterable[Instance]) -> PathConfig:
    """Make a path of all its probes."""
    probes = tuple(every)
    road = tuple(probe for probe in probes if probe.watches is Watches.ROAD)
    others = tuple(probe for probe in probes if probe.watches is not Watches.ROAD)
    return PathConfig(name, options, others, road)


def impossible(path: PathConfig) -> list[str]:
    """Say what no path can do with such probes, each with its key."""
    key = f"path.{path.name}"
    if path.road and not path.probes:
        return [
            f'{key}.probe: all probes have watches = "road", which say nothing of the path: add '
            f'one with watches = "tunnel", such as [{key}.probe.tunnel] with type = "udp-echo" and '
            "far gateway's own LAN address as host"
        ]
    require, watches = path.options.require, path.watches
    several, found = len(set(watches.values())) > 1, []
    for kind, number in Kinds.of(tuple(watches.values())).short(require):
        text = f"{key}.require: {require} of {number} probes can never be OK: "
        if several:
            keys = [f"{key}.probe.{name}.watches" for name, each in watches.items() if each == kind]
            text += f'each kind needs so many, and only {", ".join(keys)} is "{kind}": '
        found.append(f"{text}write at most {number}")
    return found


def without_tunnel(path: PathConfig) -> str | None:
    """Warn of a path that no probe watches through the tunnel."""
    if not path.probes or Watches.TUNNEL.value in path.watches.values():
        return None
    key = f"path.{path.name}"
    return (
        f"{key}: no probe watches the tunnel: while the line is well, nobody notices that it is "
        f'dead; add [{key}.probe.tunnel] with type = "udp-echo", watches = "tunnel", the far '
        "gateway's own LAN address as host and this gateway's as source"
    )
