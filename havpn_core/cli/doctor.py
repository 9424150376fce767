"""``havpn doctor``."""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

import click

from havpn_core.cli.check import warnings
from havpn_core.cli.options import config_option, directories, json_option, run_dir_option
from havpn_core.cli.run import stray
from havpn_core.config.read import load
from havpn_core.plugging.wording import one_line

LONGEST_LINE = 2000


@click.command()
@config_option
@run_dir_option
@json_option
def doctor(file: Path, run_dir: Path | None, as_json: bool) -> None:
    """Try what is configured, live, and name each broken thing with its remedy.

    It changes nothing, applies no action, and disturbs no daemon that runs. The exit status is 1
    where something is broken; a warning alone is none.
    """
    from havpn_core.doctor.case import examine
    from havpn_core.doctor.finding import Finding, exit_status, report, summary
    from havpn_core.doctor.runner import run

    config, registry = load(file)
    case = examine(config, directories(file, run_dir)[0])
    found = [
        Finding.warning(*_parted(text), "see docs/configuration.md")
        for text in [*warnings(config), *registry.problems()]
    ]

    async def work() -> None:
        with contextlib.redirect_stdout(sys.stderr):  # what plugins print is no finding
            found.extend(await run(case))
        if as_json:
            node, running = config.node.name, case.running
            click.echo(json.dumps(report(str(file), node, found, running=running), indent=2))
        else:
            for each in found:
                click.echo(one_line(each.line, LONGEST_LINE))
            click.echo(f"{file}: {summary(found)}")
        sys.stdout.flush()
        if await stray():  # of a plugin: the loop would wait for it for ever
            os._exit(exit_status(found))

    asyncio.run(work())
    sys.exit(exit_status(found))


def _parted(text: str) -> tuple[str, str]:
    """Part the key from a warning that begins with one."""
    key, between, rest = text.partition(": ")
    return (key, rest) if between and " " not in key else ("configuration", text)
