"""``havpn site schema``."""

import json

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of the site file; for editors."""
    from havpn_core.site.schema import of_site

    click.echo(json.dumps(of_site(), indent=2))
