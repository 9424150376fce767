"""Render all files of all gateways.

The same model and templates give the same texts: no clock, no random numbers, no host.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from havpn_core.errors import ConfigError
from havpn_core.plugging.rendering import RenderedFile
from havpn_core.site.model.model import Model
from havpn_core.site.rendering import (
    conntrackd,
    firewall,
    havpn,
    heartbeat,
    keys,
    pacemaker,
    swanctl,
    system,
)
from havpn_core.site.rendering.digest import marked
from havpn_core.site.rendering.sheet import Sheet
from havpn_core.site.rendering.templates import Templates

MAKERS: tuple[Callable[[Model, str], Iterable[Sheet]], ...] = (
    havpn.sheets,
    keys.sheets,
    swanctl.sheets,
    heartbeat.sheets,
    pacemaker.sheets,
    firewall.sheets,
    system.sheets,
    conntrackd.sheets,
)


def render(
    model: Model, templates: Mapping[str, str] | None = None
) -> dict[str, tuple[RenderedFile, ...]]:
    """Give the files of each gateway.

    Secrets are placeholders: ``{{secret:NAME}}``.

    :param templates: the text of each template by its name; ``None``: those of HA-VPN.
    :raises ConfigError: with all that keeps the model from being rendered.
    :raises HavpnError: naming the template that cannot be filled.
    """
    filled = Templates(templates)
    problems: list[str] = []
    found = {name: _gateway(model, name, filled, problems) for name in model.gateways}
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return found


def sheets(model: Model, gateway: str) -> Iterator[Sheet]:
    """Give what the files of a gateway are made of.

    :raises ValueError: if the model cannot be rendered so.
    """
    for maker in MAKERS:
        yield from maker(model, gateway)


def _gateway(
    model: Model, gateway: str, templates: Templates, problems: list[str]
) -> tuple[RenderedFile, ...]:
    files: list[RenderedFile] = []
    for maker in MAKERS:
        try:
            for sheet in maker(model, gateway):
                text = templates.fill(sheet.template, sheet.facts)
                files.append(RenderedFile(sheet.path, marked(text), sheet.mode))
        except ValueError as problem:
            problems.append(str(problem))
    return tuple(files)
