"""``havpn man`` and ``havpn completion``."""

import click
from click.shell_completion import get_completion_class

from havpn_core.plugging.registry import Registry


@click.command()
@click.argument("page", type=click.Choice(["havpn.8", "havpn.toml.5"]), default="havpn.8")
def man(page: str) -> None:
    """Print a manual page as roff: havpn man havpn.toml.5 | man -l -"""
    from havpn_core.cli import reference

    if page == "havpn.8":
        click.echo(reference.manual_of_commands(), nl=False)
    else:
        click.echo(reference.manual_of_file(Registry.load()), nl=False)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a shell's completion: source <(havpn completion bash)"""
    from havpn_core.cli import havpn

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(havpn, {}, "havpn", "_HAVPN_COMPLETE").source())
