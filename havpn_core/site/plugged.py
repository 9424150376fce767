"""Files that plugins add to those of the gateways."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from havpn_core.config.convert import to_struct
from havpn_core.config.read import enabled_plugins, plugin_folder
from havpn_core.errors import CallFailed, ConfigError
from havpn_core.host.context import context
from havpn_core.plugging.gate.rendered import files_by
from havpn_core.plugging.registry import Registry
from havpn_core.plugging.rendering import RenderedFile
from havpn_core.plugging.sources.record import PluginStatus
from havpn_core.plugging.wording import describe
from havpn_core.site.model.model import Model
from havpn_core.site.rendering.digest import marked

KIND = "renderer"
RUN_DIR = "/run/havpn"
OURS = "HA-VPN itself"
Rendered = Mapping[str, Sequence[RenderedFile]]


def registry_of(model: Model) -> Registry:
    """Load the plugins that a site file enables, for its gateways and for rendering.

    :raises ConfigError: naming those that cannot be used.
    """
    raw = {"plugins": model.options.plugins}
    wanted = (*enabled_plugins(raw), *model.options.render.plugins)
    registry = Registry.load(wanted, plugin_folder(raw))
    known = {record.name: record for record in registry.records if not record.bundled}
    problems = [
        f"render.plugins: no plugin {name!r} is installed: install its package or remove it"
        for name in model.options.render.plugins
        if name not in known
    ]
    problems += [
        f"render.plugins: plugin {name!r} is {known[name].status}: {known[name].error}"
        for name in model.options.render.plugins
        if name in known and known[name].status is not PluginStatus.ACTIVE
    ]
    if problems:
        raise ConfigError(problems)
    return registry


def with_plugins(model: Model, rendered: Rendered, registry: Registry) -> Rendered:
    """Add the files of all renderers that the site file names.

    :raises ConfigError: with all that is wrong, each naming the renderer.
    """
    problems: list[str] = []
    found = {gateway: list(files) for gateway, files in rendered.items()}
    owners = {(gateway, file.path): OURS for gateway, files in rendered.items() for file in files}
    for name, table in model.options.renderer.items():
        for gateway, files in _of_one(model, name, table, registry, problems).items():
            for file in files:
                owner = owners.setdefault((gateway, file.path), f"renderer.{name}")
                if owner != f"renderer.{name}":
                    problems.append(
                        f"renderer.{name}: {gateway}: {file.path} is rendered by {owner}, too: "
                        "have it write another file"
                    )
                found[gateway].append(replace(file, text=marked(file.text, file.comment)))
    if problems:
        raise ConfigError(problems)
    return {gateway: tuple(files) for gateway, files in found.items()}


def _of_one(
    model: Model, name: str, table: dict[str, Any], registry: Registry, problems: list[str]
) -> Mapping[str, Sequence[RenderedFile]]:
    """Give the files of one renderer; none if it cannot be used."""
    key = f"{KIND}.{name}"
    try:
        kind = registry.get(KIND, name)
        options = to_struct(kind.config, key, table, problems)
    except ConfigError as problem:
        problems += [f"{key}: {each}" for each in problem.problems]
        return {}
    except BaseException as problem:  # the struct is the plugin's, and so is what it raises
        problems.append(f"{key}: {describe(problem)}")
        return {}
    if options is None:
        return {}
    plugin = next(record for each, record in registry.types(KIND) if each is kind)
    try:
        made = context(key, node="", run_dir=RUN_DIR)
        return files_by(kind, options, made, model)
    except CallFailed as problem:
        problems.append(f"{key} (plugin {plugin.name}): {problem}")
        return {}
