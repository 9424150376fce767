"""How long a path takes to be given up, and to be used again.

The longest times count: from a cut of the line that is silent, and from a heal that lasts.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from havpn_core.config.instances import Config, Instance, PathConfig
from havpn_core.config.kinds import arrival_s
from havpn_core.config.options import PathOptions
from havpn_core.config.profiles import PROFILES, worst_detection_s, worst_failback_s
from havpn_core.durations import Duration
from havpn_core.errors import HavpnError
from havpn_core.host.resolve import Resolver
from havpn_core.plugging.descriptors import Context
from havpn_core.plugging.gate.building import build
from havpn_core.plugging.gate.mode import type_is_async
from havpn_core.stream.arrivals import detection_s


@dataclass(frozen=True)
class Times:
    """The times of a path.

    :param detection_s: from the cut to ``down``.
    :param failback_s: from the heal to ``up``, flaps left aside.
    """

    detection_s: float
    failback_s: float


def times_of(path: PathConfig, threads: list[str]) -> Times:
    """Give the times of a path.

    :param threads: the ids of its probes that run in a thread.
    """
    options = path.options
    if (pace_s := arrival_s(path)) is not None:
        back_s = options.rise * pace_s + float(options.timeout)
        return Times(detection_s(options.fall, pace_s), back_s)
    serial = len(threads)
    overlapping = len(path.probes) - serial
    timeout = float(options.timeout)
    down_s = worst_detection_s(options, timeout, serial=serial, overlapping=overlapping)
    if not threads:
        down_s = worst_detection_s(options, timeout)
    return Times(down_s, worst_failback_s(options, serial=serial, overlapping=overlapping))


def timing(path: PathConfig, threads: list[str]) -> list[str]:
    """Say how long detection and failback of a path take.

    :param threads: the ids of its probes that run in a thread.
    """
    options, times = path.options, times_of(path, threads)
    if (pace_s := arrival_s(path)) is not None:
        return _timing_of_arrivals(path, pace_s, times)
    found = [f"path {path.name}: profile {options.profile}, a probe every {options.interval}"]
    best = Duration(worst_detection_s(options, float(options.timeout)))
    if threads:
        found.append(f"  detection within {Duration(round(times.detection_s, 3))}")
        found.append(
            f"  in a thread, one call at a time: {', '.join(threads)}; "
            f"with an async def check detection takes {best} at most"
        )
    else:
        found.append(f"  detection within {best}")
        if options.lateness == "adaptive":
            quick = Duration(round(worst_detection_s(options, float(options.slack) + 0.001), 3))
            found[-1] += f", within {quick} on a line of 1ms"
    found += calmly(options)
    found.append(f"  failback within {Duration(round(times.failback_s, 3))}")
    if options.damping:
        found[-1] += f", after repeated flaps within {options.flap_max_hold} more"
    return found


def calmly(options: PathOptions) -> list[str]:
    """Say what the target of false switches makes of the times, or why there is none."""
    if options.false_switches is not None:
        return [
            "  that is on a clean line; its loss and silent spells put it off by what "
            f'false_switches = "{options.false_switches}" needs, to {options.ceiling} of '
            "silence at the most"
        ]
    if "false_switches" in PROFILES[options.profile]:
        return [
            f"  fall = {options.fall} is written, so the line's own past changes nothing: without "
            "it loss and silent spells set it"
        ]
    return []


def _timing_of_arrivals(path: PathConfig, pace_s: float, times: Times) -> list[str]:
    """Say the same of a path that is not polled.

    :param pace_s: seconds within which arrivals follow each other.
    """
    options = path.options
    best = Duration(round(times.detection_s, 3))
    back = Duration(round(times.failback_s, 3))
    held = f", after repeated flaps within {options.flap_max_hold} more" if options.damping else ""
    return [
        f"path {path.name}: profile {options.profile}, an arrival every {Duration(pace_s)}",
        f"  detection within {best} and the way of a packet, on a calm line",
        *calmly(options),
        f"  failback within {back}{held}",
    ]


def in_threads(config: Config, path: PathConfig) -> list[str]:
    """Give the ids of a path's probes whose ``check`` is a plain ``def``.

    The type says it where ``build`` is a class or is annotated to return one. Otherwise an
    instance is built, and closed at once; where that fails the probe counts as plain, for the
    time that is promised then is the longer one.
    """
    found = []
    for probe in path.probes:
        overlaps = type_is_async(probe.type, "check")
        if overlaps is None:
            overlaps = asyncio.run(_instance_overlaps(config, probe))
        if not overlaps:
            found.append(probe.id)
    return found


async def _instance_overlaps(config: Config, probe: Instance) -> bool:
    context = Context(
        instance=probe.name,
        node=config.node.name,
        logger=logging.getLogger("havpn"),
        clock=time.monotonic,
        resolve=Resolver(time.monotonic).address,
        network_changes=lambda: 0,
        run_dir=Path(config.node.run_dir),
    )
    try:
        caller = build(probe.type, probe.options, context, probe.name)
    except HavpnError:
        return False
    overlaps = caller.overlaps
    await caller.close()
    return overlaps
