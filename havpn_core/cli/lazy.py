"""Groups of commands that import the module of a command when it is needed, and not to list it."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class Lazy(click.Group):
    """A group whose commands are in a table.

    :param package: where the modules of the commands are.
    :param table: the commands in their order: the module, the name of the command in it, and what
        it does.
    """

    def __init__(
        self, *given: Any, package: str, table: Mapping[str, tuple[str, str, str]], **named: Any
    ) -> None:
        super().__init__(*given, **named)
        self._package, self._table = package, table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in self._table:
            return None
        module, name, _ = self._table[cmd_name]
        found = importlib.import_module(f"{self._package}.{module}")
        command: click.Command = getattr(found, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in self._table.items()])
