"""The configuration that each gateway gets, checked as the gateway itself would check it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from havpn_core.config.check import MISSING, build
from havpn_core.config.instances import Config
from havpn_core.config.read import enabled_plugins, plugin_folder
from havpn_core.errors import ConfigError
from havpn_core.plugging.registry import Registry
from havpn_core.site.mirrors import mirrored
from havpn_core.site.model.model import Model
from havpn_core.site.model.problem import Problem, split
from havpn_core.site.plugged import registry_of, with_plugins
from havpn_core.site.rendering.havpn import OWN, tables_of
from havpn_core.site.verify.overrides import OF_THE_DAEMON

WHOLE = ("metrics", "notifier", "plugins")
"""Tables of the site file that all gateways get as they are."""


def configured(model: Model) -> tuple[dict[str, Config], list[Problem]]:
    """Give the configuration of each gateway whose tables are good, and what is wrong with others.

    That the metrics need a package which this host lacks is nothing: it is no gateway.
    """
    found: list[Problem] = []
    tables: dict[str, dict[str, Any]] = {}
    for gateway in model.gateways:
        try:
            tables[gateway] = tables_of(model, gateway)
        except ValueError as problem:
            found.append(split(str(problem)))
        except StopIteration:
            continue  # what has no counterpart is said of the model
    configs: dict[str, Config] = {}
    registries: dict[tuple[tuple[str, ...], Path], Registry] = {}
    for gateway, table in tables.items():
        wanted = (enabled_plugins(table), plugin_folder(table))
        registry = registries.get(wanted) or Registry.load(*wanted)
        registries[wanted] = registry
        try:
            configs[gateway] = build(table, registry, Path(gateway))
        except ConfigError as problem:
            said = [text.removeprefix(f"{gateway}: ") for text in problem.problems]
            found += [_problem(model, gateway, text) for text in said if text != MISSING]
    found += [*mirrored(model, tables), *_nowhere(model, tables), *_renderers(model)]
    return configs, sorted(set(found))


def _nowhere(model: Model, tables: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Find what is written for all gateways and counts for none."""
    whole = model.options.havpn
    if "pair" in whole and not any("pair" in table for table in tables.values()):
        yield Problem("havpn.pair", "no site has a pair", 'write mode = "pair", or leave it out')
    for section in OWN:
        given = whole.get(section)
        having = [table.get(section) for table in tables.values()]
        known = {name for each in having if isinstance(each, Mapping) for name in each}
        for name in given if isinstance(given, Mapping) else ():
            if name not in known:
                yield Problem(
                    f"havpn.{section}.{name}",
                    f"no gateway has such {'a' if section == 'path' else 'an'} {section}",
                    f"write one of {', '.join(sorted(known))}",
                )


def _renderers(model: Model) -> list[Problem]:
    """Say what is wrong with the renderers of plugins; each is tried, and nothing is written."""
    if not model.options.renderer and not model.options.render.plugins:
        return []
    try:
        with_plugins(model, dict.fromkeys(model.gateways, ()), registry_of(model))
    except ConfigError as problem:
        return [split(text) for text in problem.problems]
    return []


def _problem(model: Model, gateway: str, text: str) -> Problem:
    """Say in the keys of the site file what is wrong in a gateway's ``havpn.toml``."""
    problem = split(text, OF_THE_DAEMON)
    own, whole = model.gateways[gateway], model.options.havpn
    parts = problem.key.split(".")
    if _has(own.havpn, parts):
        key = f"site.{own.site}.gateways.{gateway}.havpn.{problem.key}"
    elif _has(whole, parts):
        key = f"havpn.{problem.key}"
    elif parts[0] in WHOLE:
        key = problem.key
    else:
        key = f"havpn.toml of {gateway}, {problem.key}"
    return Problem(key, problem.text, problem.remedy)


def _has(tables: Mapping[str, Any], parts: Iterable[str]) -> bool:
    """Whether tables say something of a key, or of a table that it is in."""
    at: Any = tables
    for depth, part in enumerate(parts):
        if not isinstance(at, Mapping):
            return True
        if part not in at:
            return depth > 1
        at = at[part]
    return True
