"""``havpn status``."""

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from havpn_core.cli.options import config_option, directories, json_option, run_dir_option
from havpn_core.errors import HavpnError

if TYPE_CHECKING:
    from rich.table import Table

    from havpn_core.daemon.state.path_status import PathStatus, ProbeStatus
    from havpn_core.daemon.state.status import FitnessStatus, LossStatus, PairStatus, Status

COLOURS = {"up": "green", "failing": "yellow", "down": "red", "recovering": "yellow"}
REFRESH_S = 0.5


@click.command()
@config_option
@run_dir_option
@json_option
@click.option("--watch", is_flag=True, help="Show a live table until interrupted.")
def status(file: Path, run_dir: Path | None, as_json: bool, watch: bool) -> None:
    """Show what the daemon knows and does, from the file that it leaves behind."""
    where, _ = directories(file, run_dir)
    if watch:
        _watch(where)
        return
    found, raw = _read(where)
    click.echo(json.dumps(raw, indent=2) if as_json else "\n".join(lines(found)))
    sys.exit(0 if found.works else 1)


def read(run_dir: Path) -> "Status":
    """Read the status file.

    :raises HavpnError: if there is none that makes sense.
    """
    return _read(run_dir)[0]


def _read(run_dir: Path) -> tuple["Status", dict[str, Any]]:
    from havpn_core.daemon.state.reading import read_whole
    from havpn_core.daemon.state.status import STATUS_FILE

    found = read_whole(run_dir)
    if found is None:
        raise HavpnError(
            f"{run_dir / STATUS_FILE} is not there: has the daemon ever run with this "
            "configuration? Name it with -c"
        )
    return found


def lines(status: "Status") -> list[str]:
    """Write the status for people."""
    found = _gateway(status)
    found.extend(_fitness(status.fitness) if status.fitness is not None else ())
    for name, path in status.paths.items():
        found.append(f"path {name}: {path.verdict} since {path.since}")
        found.extend(f"  {text}" for text in conditions(path))
        found.extend([f"  {path.calm.text}"] if path.calm else [])
        for key, probe in path.probes.items():
            found.append(f"  probe {key} ({probe.watches}): {_probe(probe)}")
        found.extend(f"  {text}" for text in road(path))
    for name, action in status.actions.items():
        error = f": {action.error}" if action.error else ""
        found.append(f"action {name}: {action.phase}, {action.observed}{error}")
    if status.respond is not None and status.respond.silence:
        found.append(f"respond: silent: {status.respond.silence}")
    if status.pair is not None:
        found.extend(_lines(status.pair))
        found.extend(f"pair: {text}" for text in status.pair.troubles)
    for name, notifier in status.notifiers.items():
        error = f": {notifier.error}" if notifier.error else ""
        counts = f"{notifier.delivered} delivered, {notifier.failed} failed"
        found.append(f"notifier {name}: {counts}, {notifier.dropped} dropped{error}")
    return found


def _gateway(status: "Status") -> list[str]:
    role = status.role
    first = f"{status.node}: {status.state}, role {role.wanted or 'not decided'}"
    if role.observed != role.wanted:
        first += f" (in force: {role.observed or 'unknown'})"
    found = [f"{first}; as of {status.age_s:.1f} s ago"]
    if status.state == "stale":
        found.append("THE DAEMON DOES NOT WORK: what follows is its last word")
    if role.wanted and role.reason:
        since = f" since {role.since}" if role.since else ""
        found.append(f"role {role.wanted}{since}: {role.reason}")
    return found


def _fitness(fitness: "FitnessStatus") -> list[str]:
    """Say in one line whether this gateway can serve; nothing where nothing is watched."""
    words = [f"carrier of {name}" for name, on in fitness.carrier.items() if on]
    words += [f"{family} forwarding" for family, on in fitness.forwarding.items() if on]
    words += ["own address"] if fitness.address else []
    if fitness.witnesses:
        replying = sum(each.replies for each in fitness.witnesses.values())
        words.append(f"{replying} of {len(fitness.witnesses)} witnesses")
    if fitness.fit is False:
        sure = " for certain" if fitness.certain else ""
        return [f"UNFIT{sure}: {fitness.reason}"]
    if fitness.fit is None:
        return ["fitness: unknown"] if words else []
    return [f"fit: {', '.join(words)}"]


def _lines(pair: "PairStatus") -> list[str]:
    """Say what both lines lose, and how long the role does not move for it."""
    theirs = None if pair.partner is None else pair.partner.loss
    if pair.loss is None and theirs is None:
        return []
    found = f"pair: line loses {_loss(pair.loss)}, the partner's {_loss(theirs)}"
    if pair.moved_for_loss_s is not None:
        found += f"; the role moved for that {pair.moved_for_loss_s:.0f} s ago"
    return [found]


def _loss(loss: "LossStatus | None") -> str:
    if loss is None:
        return "an unknown share"
    share, least, most = (100 * part for part in (loss.share, loss.at_least, loss.at_most))
    return f"{share:.1f} % ({least:.1f} to {most:.1f})"


def _probe(probe: "ProbeStatus") -> str:
    counts = f"{probe.ok} ok, {probe.fail} failed, {probe.error} errors"
    last = probe.detail if probe.latency_ms is None else f"{probe.latency_ms} ms"
    return f"{probe.outcome} {last} ({counts})"


def conditions(path: "PathStatus") -> list[str]:
    """Say what keeps a path from being trusted: poor quality, flaps, a far host that refuses."""
    found = [path.failing] if path.failing else []
    quality, flaps = path.quality, path.flaps
    if quality and quality.verdict == "poor":
        slow = "" if quality.latency_ms is None else f", latency {quality.latency_ms:.0f} ms"
        found.append(f"poor: loss {quality.loss or 0:.0%}{slow}")
    if quality and quality.grey and quality.verdict != "poor":
        found.append(f"grey: loss {quality.loss or 0:.0%}")
    if flaps and flaps.hold_s:
        found.append(f"flapping (penalty {flaps.penalty:.1f}): held for {flaps.hold_s:.0f} s")
    if path.refused_s is not None:
        found.append(f"far responder missing for {path.refused_s:.0f} s: the far host refuses")
    if path.late:
        found.append(f"{path.late} rounds void: this host was late itself")
    return found


def road(path: "PathStatus") -> list[str]:
    """Say what is known of the road of a path, and when each of its hosts last replied."""
    found = path.road
    if not found:
        return []
    first = f"road: {found.verdict}" if found.probing == "full" else "road: stands by"
    first += f"; {found.stance}" if found.stance else ""
    first += "" if found.trial_s is None else f"; trial in {found.trial_s:.0f} s"
    return [first] + [
        f"road probe {key}: {probe.outcome or 'not sent'} {probe.detail}".rstrip()
        + f", last reply {probe.replied_at or 'never'}"
        for key, probe in found.probes.items()
    ]


def table(status: "Status") -> "Table":
    """Draw the status for ``--watch``."""
    from rich.table import Table

    role = status.role
    drawn = Table(
        title=f"{status.node}  {status.state}  role {role.wanted}"
        f" (in force: {role.observed})  {status.age_s:.1f} s ago",
        title_style="bold" if status.state == "running" else "bold red",
    )
    for column in ("path", "verdict", "probe", "last", "latency", "ok", "fail", "error"):
        drawn.add_column(column)
    for name, path in status.paths.items():
        colour = COLOURS.get(path.verdict, "white")
        for key, probe in path.probes.items():
            drawn.add_row(
                name,
                f"[{colour}]{path.verdict}[/]",
                key,
                probe.outcome or "",
                "" if probe.latency_ms is None else f"{probe.latency_ms:.1f} ms",
                *(str(count) for count in (probe.ok, probe.fail, probe.error)),
            )
    return drawn


def _watch(run_dir: Path) -> None:
    from rich.live import Live

    # Ctrl-C is how it is meant to end, also while the first table is being drawn.
    with contextlib.suppress(KeyboardInterrupt):
        first = table(read(run_dir))
        with Live(first, refresh_per_second=4) as live:
            while True:
                time.sleep(REFRESH_S)
                live.update(table(read(run_dir)))
