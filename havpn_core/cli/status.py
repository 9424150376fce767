"""``havpn status``."""

import contextlib
import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from havpn_core.cli.options import config_option, directories, json_option, run_dir_option
from havpn_core.errors import HavpnError

if TYPE_CHECKING:
    from havpn_core.daemon.state.status import Status
    from havpn_core.showing.rows import Row

REFRESH_S = 0.5
EVENTS = 3
FIGURES = re.compile(r"[\d.]+(?: (?:s|min|h|d|ms|us)\b)?")
"""What changes all the time: ages and measurements."""
CHECK = "--check"


class WrongUsage(click.UsageError):
    """Wrong options of a plugin of Nagios, which shows the first line of standard output."""

    exit_code = 3

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line of the plugin, and the usage beside it as usual."""
        from havpn_core.showing.health import Level
        from havpn_core.showing.nagios import said

        click.echo(said(Level.UNKNOWN, self.format_message()))
        super().show(file)


class StatusCommand(click.Command):
    """Ends as a plugin of Nagios does, UNKNOWN, where its options are wrong and one is --check."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options."""
        checks = CHECK in args
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as problem:
            if checks:
                raise WrongUsage(problem.format_message(), problem.ctx or ctx) from None
            raise


@click.command(cls=StatusCommand)
@config_option
@run_dir_option
@json_option
@click.option("--watch", is_flag=True, help="Show it live until interrupted.")
@click.option("--site", "whole_site", is_flag=True, help="Show what is known of all four gateways.")
@click.option(
    CHECK,
    is_flag=True,
    help="Print one line with performance data and exit with 0 (OK), 1 (WARNING), 2 (CRITICAL) or "
    "3 (UNKNOWN), as plugins of Nagios and Icinga do.",
)
def status(
    file: Path, run_dir: Path | None, *, as_json: bool, watch: bool, whole_site: bool, check: bool
) -> None:
    """Show what the daemon knows and does, from the file that it leaves behind.

    What wants to be seen has a mark: ! for a warning, !! for what is bad.
    """
    if check and (as_json or watch or whole_site):
        raise WrongUsage("--check prints its own line: leave --json, --watch and --site out")
    if watch and as_json:
        raise click.UsageError("--watch draws on a terminal: leave --json out")
    if check:
        _check(file, run_dir)
    where, state_dir = directories(file, run_dir)
    if as_json:
        click.echo(_json(where, whole_site))
    else:

        def rows() -> "list[Row]":
            return _site(where) if whole_site else _rows(where, state_dir)

        _watch(rows) if watch else _print(rows())


def read(run_dir: Path) -> "Status":
    """Read the status file.

    :raises HavpnError: if there is none that makes sense.
    """
    return _read(run_dir)[0]


def _read(run_dir: Path) -> tuple["Status", dict[str, Any]]:
    from havpn_core.config.read import differs
    from havpn_core.daemon.state.reading import read_whole
    from havpn_core.daemon.state.status import STATUS_FILE

    found = read_whole(run_dir)
    if found is None:
        raise HavpnError(
            f"{run_dir / STATUS_FILE} is not there: has the daemon ever run with this "
            "configuration? Name it with -c"
        )
    status, raw = found
    if status.config is not None and status.works:
        status.config.differs = differs(Path(status.config.file), status.config.digest)
        raw["config"]["differs"] = status.config.differs
    return status, raw


def _check(file: Path, run_dir: Path | None) -> NoReturn:
    """Print the line and end with its level; nothing but that, whatever happens."""
    from havpn_core.showing.health import Level
    from havpn_core.showing.nagios import check_line, said

    try:
        level, line = check_line(read(directories(file, run_dir)[0]))
    except HavpnError as problem:
        level, line = Level.UNKNOWN, said(Level.UNKNOWN, str(problem))
    click.echo(line)
    sys.exit(level)


def _json(run_dir: Path, whole_site: bool) -> str:
    from msgspec import to_builtins

    from havpn_core.showing.site import site

    found, raw = _read(run_dir)
    return json.dumps(to_builtins(site(found)) if whole_site else raw, indent=2)


def _rows(run_dir: Path, state_dir: Path) -> "list[Row]":
    from havpn_core.daemon.state.latest import last_events
    from havpn_core.showing.glance import rows
    from havpn_core.showing.rows import Mood, Row

    found = read(run_dir)
    try:
        return rows(found, last_events(state_dir, EVENTS))
    except HavpnError as problem:  # the status is good without the history
        return [*rows(found), Row("events", str(problem), Mood.WARNING)]


def _site(run_dir: Path) -> "list[Row]":
    from havpn_core.showing.site import site, site_rows

    return site_rows(site(read(run_dir)))


def _print(rows: "list[Row]") -> None:
    """Print in colours on a terminal that has some, else without."""
    from havpn_core.showing.rows import plain

    width = shutil.get_terminal_size().columns
    if not sys.stdout.isatty():
        click.echo(plain(rows, width))
        return
    from rich.console import Console

    from havpn_core.showing.coloured import coloured

    Console(highlight=False).print(coloured(rows, width), soft_wrap=True)


def _follow(rows: "Callable[[], list[Row]]", width: int) -> NoReturn:
    """Print where nothing can be drawn over: again as soon as more than figures has changed."""
    from havpn_core.showing.rows import plain

    before = None
    while True:
        found = rows()
        words = [(row.label, row.mood, FIGURES.sub("", row.text)) for row in found]
        if words != before:
            click.echo(plain(found, width) + "\n")
            sys.stdout.flush()
        before = words
        time.sleep(REFRESH_S)


def _watch(rows: "Callable[[], list[Row]]") -> None:
    from rich.console import Console
    from rich.live import Live

    from havpn_core.showing.coloured import coloured

    console = Console(highlight=False)
    # Ctrl-C is how it is meant to end, also while the first one is being drawn.
    with contextlib.suppress(KeyboardInterrupt):
        if not console.is_terminal or console.is_dumb_terminal:
            _follow(rows, console.width)
        first = coloured(rows(), console.width)
        with Live(first, console=console, auto_refresh=False) as live:
            while True:
                time.sleep(REFRESH_S)
                live.update(coloured(rows(), console.width), refresh=True)
