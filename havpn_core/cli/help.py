"""``havpn man`` and ``havpn completion``."""

import click
from click.shell_completion import get_completion_class

from havpn_core.plugging.registry import Registry


@click.command()
@click.argument("page", type=click.Choice(["havpn.8", "havpn.toml.5"]), default="havpn.8")
@click.pass_context
def man(context: click.Context, page: str) -> None:
    """Print a manual page as roff: havpn man havpn.toml.5 | man -l -"""
    from havpn_core.cli import reference

    if page == "havpn.8":
        click.echo(reference.manual_of_commands(_root(context)), nl=False)
    else:
        click.echo(reference.manual_of_file(Registry.load()), nl=False)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a shell's completion: source <(havpn completion bash)"""
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(_root(context), {}, "havpn", "_HAVPN_COMPLETE").source())


def _root(context: click.Context) -> click.Group:
    """Give the group of all commands, which is above this one and not to be imported here."""
    root = context.find_root().command
    assert isinstance(root, click.Group)
    return root
