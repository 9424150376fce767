"""``havpn simulate``."""

import json
from pathlib import Path
from typing import TextIO

import click

from havpn_core.cli.options import config_option, json_option
from havpn_core.config import load
from havpn_core.errors import ConfigError
from havpn_core.simulate import parse_samples, replay


@click.command()
@config_option
@click.option("--path", "name", required=True, help="The path whose rules to use.")
@click.option(
    "--samples",
    type=click.File("r"),
    required=True,
    help="File (or -) of one character a sample: . OK, x FAIL, ? ERROR.",
)
@json_option
def simulate(file: Path, name: str, samples: TextIO, as_json: bool) -> None:
    """Replay samples on a virtual clock and print every change of verdict."""
    config, _ = load(file)
    paths = {path.name: path for path in config.paths}
    if name not in paths:
        raise ConfigError([f"{file}: there is no path {name!r} (known: {', '.join(paths)})"])
    try:
        outcomes = parse_samples(samples.read())
    except ValueError as problem:
        raise ConfigError([f"{samples.name}: {problem}"]) from None
    for change in replay(paths[name].options, outcomes):
        role = change.role.value if change.role else None
        if as_json:
            found: dict[str, object] = {"sample": change.sample, "time_s": change.time_s}
            found |= {"from": change.before.value, "to": change.after.value, "role": role}
            click.echo(json.dumps(found))
        else:
            click.echo(
                f"{change.time_s:10.3f} s  sample {change.sample}: "
                f"{change.before.value} -> {change.after.value}, role {role}"
            )
