"""Build the instances of a configuration that are not at work already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CoroutineType
from typing import Any

from havpn_core.config.read import Config, Instance, PathConfig
from havpn_core.errors import CallFailed, ConfigError, HavpnError
from havpn_core.plugging import coercion
from havpn_core.plugging.calls import Caller
from havpn_core.plugging.descriptors import Context, PluginType
from havpn_core.plugging.wording import describe


@dataclass
class Built:
    """What was built anew.

    :param paths: the probes of each new or changed path, by path and probe.
    :param instances: actions and notifiers by their full name.
    """

    paths: dict[str, dict[str, Caller]] = field(default_factory=dict)
    instances: dict[str, Caller] = field(default_factory=dict)


def build_new(
    config: Config,
    context: Callable[[str], Context],
    paths: Mapping[str, PathConfig],
    instances: Mapping[str, Instance],
) -> Built:
    """Build what differs from what is at work; nothing is started or stopped by it.

    :param paths: the paths at work.
    :param instances: the actions and notifiers at work.
    :raises ConfigError: naming every instance that could not be built.
    """
    built, problems = Built(), []

    def make(instance: Instance, into: dict[str, Caller], name: str) -> None:
        try:
            into[name] = build(
                instance.type, instance.options, context(instance.name), instance.name
            )
        except HavpnError as problem:
            problems.append(f"{config.file}: {instance.name}: {problem}")

    for path in config.paths:
        if not same(paths.get(path.name), path):
            probes = built.paths.setdefault(path.name, {})
            for probe in path.probes:
                make(probe, probes, probe.id)
    for instance in (*config.actions, *config.notifiers):
        if not same(instances.get(instance.name), instance):
            make(instance, built.instances, instance.name)
    if problems:
        raise ConfigError(problems)
    return built


def build(plugin_type: PluginType, options: Any, context: Context, name: str) -> Caller:
    """Make an instance.

    :param name: as for :class:`Caller`.
    :raises CallFailed: if that went wrong in any way.
    """
    try:
        made = plugin_type.build(options, context)
    except BaseException as problem:
        raise CallFailed(describe(problem)) from None
    if issubclass(type(made), CoroutineType):
        made.close()
        raise CallFailed("its build is async; it must be a plain function")
    return Caller(made, name)


def lacks(plugin_type: PluginType, options: Any) -> list[str]:
    """Say what an instance would miss on this host, in the type's own sentences."""
    try:
        return coercion.as_lines(plugin_type.missing(options))
    except BaseException as problem:
        return [f"what it needs cannot be told: {describe(problem)}"]


def same(before: Any, after: Any) -> bool:
    """Whether two configurations are alike; a plugin's options may fail to compare themselves."""
    try:
        return bool(before == after)
    except BaseException:
        return False
