"""Options that several commands take."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from havpn_core.config.instances import Config, PathConfig
from havpn_core.config.read import DEFAULT_FILE
from havpn_core.errors import ConfigError
from havpn_core.host.disk import files
from havpn_core.host.disk.trouble import FileTrouble

config_option = click.option(
    "-c",
    "--config",
    "file",
    type=click.Path(path_type=Path),
    default=DEFAULT_FILE,
    show_default=True,
    help="Configuration file.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
run_dir_option = click.option(
    "--run-dir",
    type=click.Path(path_type=Path),
    help="Where the daemon keeps its status; default: what the configuration says.",
)


def path_names(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Complete the name of a path of the configuration that is named before it, or by default.

    A file that cannot be read has none: a shell shows no errors.
    """
    from havpn_core.config import read

    try:
        table = read.read(Path(context.params.get("file") or DEFAULT_FILE)).get("path")
    except ConfigError:
        return []
    return sorted(n for n in table if n.startswith(begun)) if isinstance(table, dict) else []


def path_option(what: str) -> Callable[[Any], Any]:
    """Make the option ``--path``.

    :param what: its help.
    """
    return click.option("--path", "name", required=True, shell_complete=path_names, help=what)


def path_of(config: Config, file: Path, name: str) -> PathConfig:
    """Give a path of a configuration by its name.

    :param file: what the configuration was read from.
    :raises ConfigError: if there is none; it names those that there are.
    """
    paths = {path.name: path for path in config.paths}
    if name not in paths:
        raise ConfigError([f"{file}: there is no path {name!r} (known: {', '.join(paths)})"])
    return paths[name]


class GivenText(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A text file that is read whole, ``-`` for standard input."""

    name = "file"

    def convert(self, value: Any, param: Any, ctx: Any) -> "Given":
        """Read it, or end with a usage error."""
        if isinstance(value, Given):
            return value
        name = "standard input" if value == "-" else value
        try:
            content = sys.stdin.buffer.read() if value == "-" else files.read_given(Path(value))
        except FileTrouble as problem:
            self.fail(str(problem), param, ctx)
        if content is None:
            self.fail(f"{name}: there is no such file", param, ctx)
        try:
            return Given(name, content.decode())
        except UnicodeDecodeError as problem:
            self.fail(f"{name}: byte {problem.start} is no UTF-8: name a text file", param, ctx)


@dataclass(frozen=True)
class Given:
    """A text and what it came from."""

    name: str
    text: str


def directories(file: Path, run_dir: Path | None, *, always: bool = False) -> tuple[Path, Path]:
    """Find ``run_dir`` and ``state_dir``, even if the configuration cannot be used.

    :param always: whatever is named; for what must be possible in any case.
    :raises ConfigError: if one that is named cannot be read and ``run_dir`` is not given: what
        holds by default may belong to another daemon.
    """
    from havpn_core.config import read
    from havpn_core.config.options import NodeOptions

    node = NodeOptions()
    found = {"run_dir": node.run_dir, "state_dir": node.state_dir}
    try:
        table = read.read(file).get("node", {})
        given = {k: v for k, v in table.items() if k in found} if isinstance(table, dict) else {}
        if bad := [key for key, value in given.items() if not isinstance(value, str)]:
            raise ConfigError([f"{file}: node.{key}: write a text" for key in bad])
        found |= given
    except ConfigError:
        if run_dir is None and file != DEFAULT_FILE and not always:
            raise
    return run_dir or Path(found["run_dir"]), Path(found["state_dir"])
