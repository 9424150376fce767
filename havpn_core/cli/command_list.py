"""Write the page of all commands.

``python -m havpn_core.cli.command_list > docs/commands.md`` brings it up to date.
"""

import inspect
from collections.abc import Iterator

import click

from havpn_core.cli import havpn

HEAD = """# Commands

Made by `python -m havpn_core.cli.command_list`.

Exit codes: 0 fine, 1 a problem was found, 2 wrong usage; `havpn status --check` exits with 0 to 3,
like plugins of Nagios. Each error is one sentence with its remedy on standard error. Each command
has `-h`; `havpn man havpn.8` prints the manual page.
"""


def markdown() -> str:
    """Write what each command does and takes, in the order of ``havpn --help``."""
    lines = HEAD.splitlines()
    for path, command, context in _commands(
        havpn, click.Context(havpn, info_name="havpn"), "havpn"
    ):
        usage = " ".join(command.collect_usage_pieces(context))
        lines += ["", f"## `{path}`", "", "```text", f"{path} {usage}", "```", ""]
        lines += [*_paragraphs(command.help or ""), *_options(command, context)]
    return "\n".join(lines) + "\n"


def _commands(
    group: click.Group, context: click.Context, path: str
) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _commands(command, inner, f"{path} {name}")
        else:
            yield f"{path} {name}", command, inner


def _paragraphs(text: str) -> Iterator[str]:
    for number, part in enumerate(inspect.cleandoc(text).split("\n\n")):
        if number:
            yield ""
        yield " ".join(part.split())


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = [parameter.get_help_record(context) for parameter in command.params]
    found = [record for record in records if record is not None and record[1]]
    if not found:
        return
    yield from ("", "| option | meaning |", "| --- | --- |")
    for names, meaning in found:
        yield f"| `{_cell(names)}` | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(markdown(), end="")
