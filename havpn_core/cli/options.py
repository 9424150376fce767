"""Options that several commands take."""

from pathlib import Path

import click

from havpn_core.config.options import NodeOptions
from havpn_core.config.read import DEFAULT_FILE
from havpn_core.errors import ConfigError

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


def directories(file: Path, run_dir: Path | None) -> tuple[Path, Path]:
    """Find ``run_dir`` and ``state_dir``, even if the configuration cannot be used."""
    from havpn_core.config import read

    node = NodeOptions()
    found = {"run_dir": node.run_dir, "state_dir": node.state_dir}
    try:
        table = read.read(file).get("node")
    except ConfigError:
        table = None
    if isinstance(table, dict):
        found |= {k: v for k, v in table.items() if k in found and isinstance(v, str)}
    return run_dir or Path(found["run_dir"]), Path(found["state_dir"])
