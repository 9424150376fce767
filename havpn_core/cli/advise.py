"""``havpn advise``."""

import json
from pathlib import Path

import click

from havpn_core.cli.options import (
    Given,
    GivenText,
    config_option,
    json_option,
    path_of,
    path_option,
)
from havpn_core.config.instances import Config, PathConfig
from havpn_core.config.kinds import arrival_s
from havpn_core.config.read import load
from havpn_core.errors import ConfigError, HavpnError
from havpn_core.host.disk import files
from havpn_core.host.disk.damage import Damaged
from havpn_core.rules.target.record import Record


@click.command()
@config_option
@path_option("The path whose line to look at.")
@click.option("--trace", type=GivenText(), help="A line as havpn record wrote it, instead.")
@json_option
def advise(file: Path, name: str, trace: Given | None, as_json: bool) -> None:
    """Say what a line's past is, and what would keep which target of false switches on it.

    The past is what the daemon remembers of the path in state_dir, or with --trace what a recorded
    line would have taught it. Of a path whose only probe is a stream, it is said for its packets.
    Changes nothing.
    """
    from havpn_core.study import advice

    config, _ = load(file)
    path = path_of(config, file, name)
    options, pace_s = path.options, arrival_s(path)
    if trace is None:
        record, rtt_s = remembered(config, path), _rtt_s(config, name, advice.DEFAULT_RTT_S)
    else:
        try:
            record, rtt_s = advice.learned(options, trace.text, pace_s)
        except ValueError as problem:
            raise ConfigError([f"{trace.name}: {problem}"]) from None
    found = advice.advise(options, record, rtt_s, pace_s)
    click.echo(json.dumps(found.facts()) if as_json else "\n".join(found.lines()))


def remembered(config: Config, path: PathConfig) -> Record:
    """Read what the daemon remembers of a path's line.

    :raises HavpnError: if it remembers nothing.
    """
    from havpn_core.daemon.state.memory import MEMORY_FILE, decode

    file = Path(config.node.state_dir) / MEMORY_FILE
    content = files.read(file, owners=(*files.ours(), files.owner(file.parent)))
    try:
        record = None if content is None else decode(content)[0].records.get(path.name)
    except Damaged as problem:
        raise HavpnError(f"{file}: {problem}: give a --trace of havpn record instead") from None
    if record is None:
        raise HavpnError(
            f"{file} has nothing of path {path.name} yet: the daemon writes it every 10 minutes "
            "and when it ends; or give a --trace of havpn record"
        )
    return Record.from_builtins(record)


def _rtt_s(config: Config, name: str, default_s: float) -> float:
    """Give the round trip that the status shows now, in seconds, where there is one."""
    from havpn_core.daemon.state.reading import read_whole

    try:
        status = read_whole(Path(config.node.run_dir))
    except HavpnError:
        return default_s
    path = status[0].paths.get(name) if status is not None else None
    known = [probe.latency_ms for probe in path.probes.values()] if path is not None else []
    return max((ms / 1000 for ms in known if ms is not None), default=default_s)
