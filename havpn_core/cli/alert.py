"""``havpn alert``."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import click

from havpn_core.cli.ending import carry_out
from havpn_core.config.instances import Config, Instance
from havpn_core.config.read import DEFAULT_FILE, load
from havpn_core.errors import HavpnError
from havpn_core.host.context import context
from havpn_core.pacemaker.alerts import event_of
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.building import build
from havpn_core.plugging.gate.calls import Caller

LONGEST_S = 20.0
"""Pacemaker ends an alert agent after 30 s."""


@click.command()
@click.option(
    "-c",
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help=f"Configuration file; default: the alert's recipient, or {DEFAULT_FILE}.",
)
def alert(file: Path | None) -> None:
    """Send a Pacemaker event to the notifiers; for the alerts of a cluster.

    Pacemaker runs an alert agent without arguments: name the command havpn-alert there.
    """
    try:
        event = event_of(os.environ)
    except KeyError:
        raise click.UsageError("CRM_alert_kind is not set: Pacemaker is to run this") from None
    if event is None:
        return
    recipient = dict(os.environ).get("CRM_alert_recipient", "")
    config, _ = load(file or Path(recipient if recipient.startswith("/") else DEFAULT_FILE))
    problems = asyncio.run(_notify_all(config, event))
    for text in problems:
        click.echo(text, err=True)
    sys.exit(1 if problems else 0)


async def _notify_all(config: Config, event: Event) -> list[str]:
    """Call all notifiers at once, so that a slow one delays nobody."""
    event = replace(event, node=event.node or config.node.name)
    results = await asyncio.gather(*(_notify(config, each, event) for each in config.notifiers))
    return [problem for problem in results if problem is not None]


async def _notify(config: Config, notifier: Instance, event: Event) -> str | None:
    limit = min(notifier.deadline_s, LONGEST_S)
    given = context(notifier.name, node=config.node.name, run_dir=config.node.run_dir)
    try:
        caller = build(notifier.type, notifier.options, given, notifier.name)
    except HavpnError as problem:
        return f"{notifier.name}: {problem}"
    try:
        why = await _deliver(caller, event, limit)
    except HavpnError as problem:
        return f"{notifier.name}: {problem}"
    finally:
        await caller.close()
    return f"{notifier.name}: {why}" if why else None


async def _deliver(caller: Caller, event: Event, limit_s: float) -> str | None:
    """Deliver an event, with further attempts where the notifier requests them.

    :returns: why that was in vain; ``None`` if it was not.
    """
    loop = asyncio.get_running_loop()
    until_s, pause_s = loop.time() + limit_s, 1.0
    while (left_s := until_s - loop.time()) > 0:
        again = await caller.notify((event,), left_s, left_s)
        if again is None:
            return None
        pause_s = max(pause_s, again.after_s)
        if loop.time() + pause_s >= until_s:
            return again.why
        await asyncio.sleep(pause_s)
        pause_s *= 2
    return "not delivered in time"


def main() -> None:
    """Run as Pacemaker's alert agent."""
    carry_out(alert, "havpn-alert")
