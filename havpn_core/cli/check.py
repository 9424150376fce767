"""``havpn check``."""

import sys
from pathlib import Path

import click

from havpn_core.cli.options import config_option
from havpn_core.config.demand import short_budgets
from havpn_core.config.instances import Config
from havpn_core.config.kinds import without_tunnel
from havpn_core.config.read import load
from havpn_core.config.roads import lone_roads
from havpn_core.doctor.devices import absent, not_forwarding
from havpn_core.doctor.needs import missing, unreadable
from havpn_core.timing.promised import in_threads, timing


@click.command()
@config_option
def check(file: Path) -> None:
    """Check a configuration and what it needs on this host, touching nothing."""
    config, registry = load(file)
    for path in config.paths:
        for line in timing(path, in_threads(config, path)):
            click.echo(line)
    lacking = [f"{key}: {text}" for key, text in absent(config)]
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
    return found + short_budgets(config) + lone_roads(config) + unreadable(config)
