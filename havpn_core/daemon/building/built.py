"""Build the instances of a configuration that are not at work already, and compare the two."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from havpn_core.config.instances import Config, Instance, PathConfig
from havpn_core.errors import HavpnError
from havpn_core.pair.run import PairRun
from havpn_core.plugging.descriptors import Context
from havpn_core.plugging.gate.blocking import LoopWatch
from havpn_core.plugging.gate.building import build, same
from havpn_core.plugging.gate.calls import Caller


@dataclass
class Built:
    """What was built again and is not at work yet.

    :param paths: the probes of each new or changed path, by path and probe.
    :param roads: the probes of the roads of the same paths, by path and probe.
    :param instances: actions and notifiers by their full name.
    :param keys: those of the pair, where there is one.
    :param pair: a new pair; ``None`` if there is none, or the one at work stays.
    :param same_pair: the pair at work stays.
    :param problems: what could not be built, with key and reason.
    """

    paths: dict[str, dict[str, Caller]] = field(default_factory=dict)
    roads: dict[str, dict[str, Caller]] = field(default_factory=dict)
    instances: dict[str, Caller] = field(default_factory=dict)
    keys: tuple[bytes, ...] = ()
    pair: PairRun | None = None
    same_pair: bool = False
    problems: list[str] = field(default_factory=list)

    async def close(self) -> None:
        """Close everything, as it is not to be used."""
        if self.pair is not None:
            self.pair.close()
        callers = [*self.instances.values()]
        for probes in (*self.paths.values(), *self.roads.values()):
            callers += probes.values()
        await asyncio.gather(*(caller.close() for caller in callers))


def build_new(
    config: Config,
    context: Callable[[str], Context],
    paths: Mapping[str, PathConfig],
    instances: Mapping[str, Instance],
    watch: LoopWatch | None = None,
) -> Built:
    """Build what differs from what is at work; nothing is started or stopped by it.

    :param paths: the paths at work.
    :param instances: the actions and notifiers at work.
    :param watch: as for :class:`Caller`.
    :returns: what was built, and in ``problems`` every instance that could not be.
    """
    built = Built()

    def make(instance: Instance, into: dict[str, Caller], name: str) -> None:
        try:
            into[name] = build(
                instance.type, instance.options, context(instance.name), instance.name, watch
            )
        except HavpnError as problem:
            built.problems.append(f"{config.file}: {instance.name}: {problem}")

    for path in config.paths:
        if not alike(paths.get(path.name), path):
            probes = built.paths.setdefault(path.name, {})
            for probe in path.probes:
                make(probe, probes, probe.id)
            road = built.roads.setdefault(path.name, {})
            for probe in path.road:
                make(probe, road, probe.id)
    for instance in (*config.actions, *config.notifiers):
        if not alike(instances.get(instance.name), instance):
            make(instance, built.instances, instance.name)
    return built


def alike(before: Any, after: Any) -> bool:
    """Whether two pieces of a configuration make the same.

    Two types may take options of one struct, so the types count, too; by their names, as a
    reload may bring new objects for the same types.
    """
    return _types(before) == _types(after) and same(before, after)


def _types(piece: Any) -> list[str]:
    if isinstance(piece, Instance):
        return [piece.type.name]
    inner = (
        *getattr(piece, "probes", ()),
        *getattr(piece, "road", ()),
        *getattr(piece, "links", ()),
    )
    return [instance.type.name for instance in inner]


def difference(before: Config, after: Config, built: Built) -> str:
    """Say what a reload brought: which parts are new, changed and gone; empty if none are.

    :param built: what was built for it.
    """
    old, new = _parts(before), _parts(after)
    rebuilt = {f"path {name}" for name in built.paths} | {*built.instances}
    rebuilt |= {name for name, piece in new.items() if not alike(old.get(name), piece)}
    words = {
        "new": [name for name in new if name not in old],
        "changed": [name for name in new if name in old and name in rebuilt],
        "gone": [name for name in old if name not in new],
    }
    return "; ".join(f"{word}: {', '.join(names)}" for word, names in words.items() if names)


def _parts(config: Config) -> dict[str, Any]:
    found: dict[str, Any] = {f"path {path.name}": path for path in config.paths}
    found |= {each.name: each for each in (*config.actions, *config.notifiers)}
    sections = {"pair": config.pair, "respond": config.respond, "lan": config.lan}
    return {"node": config.node} | found | {n: part for n, part in sections.items() if part}
