"""``havpn check``."""

import asyncio
import logging
import sys
import time
from pathlib import Path

import click

from havpn_core.cli.options import config_option
from havpn_core.config.demand import short_budgets
from havpn_core.config.instances import Config, Instance, PathConfig
from havpn_core.config.kinds import arrival_s, without_tunnel
from havpn_core.config.options import PathOptions
from havpn_core.config.profiles import PROFILES, worst_detection_s, worst_failback_s
from havpn_core.config.read import load
from havpn_core.config.roads import lone_roads
from havpn_core.doctor.devices import absent, not_forwarding
from havpn_core.doctor.needs import missing
from havpn_core.durations import Duration
from havpn_core.errors import HavpnError
from havpn_core.host.resolve import Resolver
from havpn_core.plugging.descriptors import Context
from havpn_core.plugging.gate.building import build
from havpn_core.plugging.gate.mode import type_is_async
from havpn_core.stream.arrivals import detection_s


@click.command()
@config_option
def check(file: Path) -> None:
    """Check a configuration and what it needs on this host, touching nothing."""
    config, registry = load(file)
    for path in config.paths:
        for line in timing(path, in_threads(config, path)):
            click.echo(line)
    lacking = absent(config)
    live = [*lacking, *not_forwarding(config)]
    for warning in [*warnings(config), *live, *registry.problems()]:
        click.echo(f"warning: {warning}")
    problems = missing(config)
    for problem in problems:
        click.echo(f"{file}: {problem}", err=True)
    click.echo(f"{file}: {concluded(len(problems), len(lacking))}")
    sys.exit(1 if problems else 0)


def concluded(problems: int, absent: int) -> str:
    """Say in a word whether the file is good; it is not while what it names is not here.

    :param problems: what keeps the daemon from starting.
    :param absent: devices and addresses that are not there now.
    """
    if problems:
        return f"{problems} problems"
    if absent:
        things = "1 device or address" if absent == 1 else f"{absent} devices and addresses"
        return f"valid, but {things} in it are not on this host now; havpn doctor tries the rest"
    return "good"


def timing(path: PathConfig, threads: list[str]) -> list[str]:
    """Say how long detection and failback of a path take.

    :param threads: the ids of its probes that run in a thread.
    """
    options = path.options
    if (pace_s := arrival_s(path)) is not None:
        return _timing_of_arrivals(path, pace_s)
    serial, timeout = len(threads), float(options.timeout)
    overlapping = len(path.probes) - serial
    found = [f"path {path.name}: profile {options.profile}, a probe every {options.interval}"]
    best = Duration(worst_detection_s(options, timeout))
    if threads:
        worst_s = worst_detection_s(options, timeout, serial=serial, overlapping=overlapping)
        found.append(f"  detection within {Duration(round(worst_s, 3))}")
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
    back_s = worst_failback_s(options, serial=serial, overlapping=overlapping)
    found.append(f"  failback within {Duration(round(back_s, 3))}")
    if options.damping:
        found[-1] += f", after repeated flaps within {options.flap_max_hold} more"
    return found


def calmly(options: PathOptions) -> list[str]:
    """Say what the target of false switches makes of the times, or why there is none."""
    if options.false_switches is not None:
        return [
            "  that is on a clean line; its loss and silent spells put it off by what "
            f'false_switches = "{options.false_switches}" asks for, to {options.ceiling} of '
            "silence at the most"
        ]
    if "false_switches" in PROFILES[options.profile]:
        return [
            f"  fall = {options.fall} is written, so the line's own past changes nothing: without "
            "it loss and silent spells set it"
        ]
    return []


def _timing_of_arrivals(path: PathConfig, pace_s: float) -> list[str]:
    """Say the same of a path that is not polled.

    :param pace_s: seconds within which arrivals follow each other.
    """
    options = path.options
    best = Duration(round(detection_s(options.fall, pace_s), 3))
    back = Duration(round(options.rise * pace_s + float(options.timeout), 3))
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


def warnings(config: Config) -> list[str]:
    """Say what is allowed but seldom meant."""
    found = [
        f"path.{path.name}.fall: one lost packet switches this gateway; write fall = 3 or more"
        for path in config.paths
        if path.options.fall == 1
    ]
    found += filter(None, map(without_tunnel, config.paths))
    if not config.paths:
        found.append("there is no [path.NAME]: nothing is watched")
    if config.pair is not None and not any(getattr(a.type, "owns", False) for a in config.actions):
        found.append(
            "[pair] without an action that holds the address itself: a daemon that dies leaves it "
            "behind while the partner takes it; use alias-arp"
        )
    if config.lan is not None and config.lan.witnesses == "auto" and config.pair is None:
        found.append(
            'lan.witnesses: "auto" only reports without [pair], as nobody else can say whether it '
            "is the LAN or this gateway: list witnesses"
        )
    if not config.actions:
        found.append("there is no [action.NAME]: this gateway watches but never switches")
    return found + short_budgets(config) + lone_roads(config)
