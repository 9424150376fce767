"""The command ``havpn``; one module a command, each imported only when it is called."""

from typing import NoReturn

import click

from havpn_core.cli.ending import carry_out
from havpn_core.cli.lazy import Lazy
from havpn_core.version import __version__

COMMANDS = {
    "run": ("run", "run", "Run the daemon in the foreground."),
    "check": ("check", "check", "Check a configuration, touching nothing."),
    "doctor": ("doctor", "doctor", "Try what is configured, live, and name what is broken."),
    "status": ("status", "status", "Show what the daemon knows and does."),
    "events": ("events", "events", "Show the history of transitions and actions."),
    "site": ("sites", "site", "Make and compare the files of all gateways from one."),
    "plugin": ("plugin", "plugin", "List and check plugins."),
    "config": ("config", "config", "Describe the configuration file for editors."),
    "simulate": ("simulate", "simulate", "Replay samples on a virtual clock."),
    "advise": ("advise", "advise", "Show what settings the past of a line requires."),
    "record": ("record", "record", "Write down what a path's probes say."),
    "pause": ("manual", "pause", "Keep the role whatever happens; probing goes on."),
    "resume": ("manual", "resume", "End a pause."),
    "switch": ("manual", "switch", "Force a role, or end that."),
    "reload": ("manual", "reload", "Take a changed configuration over."),
    "keygen": ("keygen", "keygen", "Make the key of a pair."),
    "release": ("release", "release", "Give the addresses up, without a daemon."),
    "ocf": ("ocf", "ocf", "Install the resource agent where Pacemaker looks."),
    "alert": ("alert", "alert", "Send a Pacemaker event to the notifiers."),
    "man": ("help", "man", "Print a manual page."),
    "completion": ("help", "completion", "Print a shell's completion."),
    "demo": ("demo", "demo", "Build the two-site network here, cut a line and watch."),
}


@click.command(
    cls=Lazy,
    package=__name__,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "-V", "--version", prog_name="havpn")
def havpn() -> None:
    """Failover between pairs of IPsec gateways."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line; exit status 0 fine, 1 a problem was found, 2 wrong usage."""
    carry_out(havpn, "havpn", arguments)
