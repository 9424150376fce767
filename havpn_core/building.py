"""Build the instances of a configuration that are not at work already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from havpn_core.calls import Caller, describe
from havpn_core.config import Config, Instance, PathConfig
from havpn_core.errors import ConfigError
from havpn_core.plugin import Context


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
            made = instance.type.build(instance.options, context(instance.name))
        except Exception as problem:
            problems.append(f"{config.file}: {instance.name}: {describe(problem)}")
        else:
            into[name] = Caller(made, instance.name)

    for path in config.paths:
        if paths.get(path.name) != path:
            probes = built.paths.setdefault(path.name, {})
            for probe in path.probes:
                make(probe, probes, probe.id)
    for instance in (*config.actions, *config.notifiers):
        if instances.get(instance.name) != instance:
            make(instance, built.instances, instance.name)
    if problems:
        raise ConfigError(problems)
    return built
