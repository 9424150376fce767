"""From the site file to the files of all gateways, with everything verified on the way."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from havpn_core.config.check import MISSING, build
from havpn_core.errors import ConfigError
from havpn_core.plugging.registry import Registry
from havpn_core.plugging.rendering import RenderedFile
from havpn_core.site import carrying, secrets
from havpn_core.site.file import tables_in
from havpn_core.site.model.model import Model
from havpn_core.site.plugged import registry_of, with_plugins
from havpn_core.site.rendering.havpn import FILE
from havpn_core.site.rendering.whole import render
from havpn_core.site.tree import Entry
from havpn_core.site.verified import verified

Rendered = Mapping[str, Sequence[RenderedFile]]


def model_from(file: Path) -> Model:
    """Read a site file and verify the model that it makes.

    :raises ConfigError: with every problem found.
    """
    found = verified(tables_in(file))
    _refuse(file, map(str, found.problems))
    assert found.model is not None
    return found.model


def rendered_from(file: Path, model: Model, templates: Mapping[str, str] | None = None) -> Rendered:
    """Render everything, and have each configuration checked as the daemon would.

    :param file: the site file, for the errors.
    :raises ConfigError: with every problem found.
    :raises HavpnError: naming a template that cannot be filled.
    """
    try:
        registry = registry_of(model)
        rendered = with_plugins(model, render(model, templates), registry)
    except ConfigError as problem:
        raise ConfigError([f"{file}: {each}" for each in problem.problems]) from None
    _refuse(file, _configurations(rendered, registry))
    return rendered


def entries_of(
    model: Model,
    rendered: Rendered,
    known: Mapping[str, str],
    templates: Mapping[str, str] | None = None,
) -> list[Entry]:
    """Give all files of the folder, with the secrets in their places.

    :param known: the secrets by their names.
    :raises HavpnError: for a secret that does not fit, or a template that cannot be filled.
    """
    found = [
        Entry(PurePosixPath(f"{gateway}{file.path}"), secrets.filled(file.text, known), file.mode)
        for gateway, files in rendered.items()
        for file in files
    ]
    return found + carrying.entries(model, rendered, templates)


def _refuse(file: Path, problems: Iterable[str]) -> None:
    """Raise all problems, each once."""
    found = [f"{file}: {each}" for each in dict.fromkeys(problems)]
    if found:
        raise ConfigError(found)


def _configurations(rendered: Rendered, registry: Registry) -> list[str]:
    """Say what the daemon of a gateway would refuse."""
    problems: list[str] = []
    for gateway, files in rendered.items():
        for file in files:
            if file.path == FILE:
                problems += _configuration(gateway, file.text, registry)
    return problems


def _configuration(gateway: str, text: str, registry: Registry) -> list[str]:
    place = Path(f"{gateway}{FILE}")
    try:
        raw = tomllib.loads(text)
    except ValueError as problem:
        return [f"{place}: is no valid TOML: {problem}: correct the template havpn.toml.j2"]
    try:
        build(raw, registry, place)
    except ConfigError as problem:
        # What is missing on this host need not be missing there.
        return [each for each in problem.problems if not each.endswith(MISSING)]
    return []
