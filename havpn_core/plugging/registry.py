"""Find, load, isolate and record plugins.

One broken package must neither end the program nor silence its neighbours, and the operator
must be able to see what is wrong with it. So plugins are loaded one at a time, every hook
implementation is called alone, and what went wrong is kept in a record. Third-party packages
are imported only if the configuration enables them: installed is not active. The same holds for
single files in the folder of ``[plugins] folder``.
"""

import contextlib
import importlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import pluggy

from havpn_core.errors import ConfigError, Interrupted
from havpn_core.plugging import hookspecs
from havpn_core.plugging.descriptors import (
    ActionType,
    LinkType,
    NotifierType,
    PluginType,
    ProbeType,
)
from havpn_core.plugging.interrupt import apart, interruptible, named
from havpn_core.plugging.rendering import RendererType
from havpn_core.plugging.sources import files
from havpn_core.plugging.sources.record import PluginStatus, Record, of_file
from havpn_core.plugging.wording import describe

GROUP = "havpn"
"""The entry-point group of third-party plugins."""

BUILTIN = (
    "havpn_plugins.probes.udp_echo",
    "havpn_plugins.probes.tcp",
    "havpn_plugins.probes.icmp",
    "havpn_plugins.probes.arp",
    "havpn_plugins.probes.exec",
    "havpn_plugins.probes.ipsec",
    "havpn_plugins.probes.stream",
    "havpn_plugins.actions.heartbeat",
    "havpn_plugins.actions.exec",
    "havpn_plugins.actions.alias_arp",
    "havpn_plugins.actions.pacemaker",
    "havpn_plugins.actions.ocf",
    "havpn_plugins.actions.conntrackd",
    "havpn_plugins.notifiers.syslog",
    "havpn_plugins.notifiers.exec",
    "havpn_plugins.notifiers.webhook",
    "havpn_plugins.notifiers.smtp",
    "havpn_plugins.links.udp",
    "havpn_plugins.links.serial",
)
"""The bundled plugins; named here, not by entry points, so that no metadata can lose them."""

KINDS: dict[str, tuple[str, type[PluginType]]] = {
    "probe": ("havpn_register_probes", ProbeType),
    "action": ("havpn_register_actions", ActionType),
    "notifier": ("havpn_register_notifiers", NotifierType),
    "link": ("havpn_register_links", LinkType),
    "renderer": ("havpn_register_renderers", RendererType),
}
"""Each kind of plugin, the hook that supplies it and its descriptor."""


class Registry:
    """The plugins of this installation and the types that they supply."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._plugins = pluggy.PluginManager("havpn")
        self._plugins.add_hookspecs(hookspecs)
        self._types: dict[tuple[str, str], tuple[PluginType, Record]] = {}
        self._contested: dict[tuple[str, str], Record] = {}

    @classmethod
    def load(cls, enable: Iterable[str] = (), folder: Path | None = None) -> "Registry":
        """Load the bundled plugins and the enabled third-party ones; record the rest.

        :param folder: where single-file plugins are; ``None``: none are looked for.
        """
        registry = cls()
        wanted = list(enable)
        version = _own_version()
        for module in BUILTIN:
            name = module.removeprefix("havpn_plugins.")
            record = Record(name, version, "havpn", module, PluginStatus.AVAILABLE, bundled=True)
            registry.admit(record, partial(importlib.import_module, module))
        others = [(record, entry.load) for record, entry in _third_party()]
        names = {record.name: record.distribution for record, _ in others}
        names |= {name: "havpn itself" for _, name in registry._types}
        for plugin in files.files_in(folder) if folder is not None else ():
            others.append((of_file(plugin, names), partial(files.load, plugin)))
        for record, load in others:
            if record.status is PluginStatus.AVAILABLE and record.name in wanted:
                registry.admit(record, load)
            else:
                registry.records.append(record)
        return registry

    def get(self, kind: str, name: str) -> PluginType:
        """Give the type that the configuration calls ``name``.

        :raises ConfigError: if it is missing or supplied twice, saying what to do.
        """
        key = (kind, name)
        if key in self._contested:
            raise ConfigError([self._contested[key].error or "supplied twice"])
        if key not in self._types:
            raise ConfigError([self._explain_missing(kind, name)])
        return self._types[key][0]

    def types(self, kind: str) -> Iterator[tuple[PluginType, Record]]:
        """Go through the types of one kind by name."""
        for (type_kind, _), entry in sorted(self._types.items(), key=lambda item: item[0]):
            if type_kind == kind:
                yield entry

    def problems(self) -> list[str]:
        """Say what is wrong with enabled plugins."""
        return [
            f"plugin {record.name!r} ({record.source}) {record.status}: {record.error}"
            for record in self.records
            if record.error
        ] + [
            f"plugin {record.name!r}: {record.file} has changed since it was loaded: restart the "
            "daemon to take it over; until then it works with what it loaded"
            for record in self.records
            if record.changed
        ]

    def admit(self, record: Record, load: Callable[[], Any]) -> None:
        """Load one plugin; whatever it does wrong ends in its record, not here."""
        self.records.append(record)
        own = f"plugin {record.name!r} ({record.source})"
        slow = contextlib.nullcontext() if record.bundled else named(own)
        try:
            with interruptible(), apart(), slow:
                self._plugins.register(load(), name=record.module)
                self._plugins.check_pending()
                types = self._call_hooks(record)
                rival = self._clash(types)
        except Interrupted:
            raise
        except BaseException as problem:
            record.spoil(PluginStatus.FAILED, describe(problem))
            # pluggy up to 1.6 keeps the good half of a plugin that it refused.
            if self._plugins.has_plugin(record.module):
                self._plugins.unregister(name=record.module)
            return
        if rival:
            record.spoil(PluginStatus.DUPLICATE, rival)
            for kind, plugin_type in types:
                if (kind, plugin_type.name) in self._types:
                    self._contested[kind, plugin_type.name] = record
            self._plugins.unregister(name=record.module)
            return
        for kind, plugin_type in types:
            self._types[kind, plugin_type.name] = (plugin_type, record)
            record.provides[kind].append(plugin_type.name)
        record.status = PluginStatus.ACTIVE

    def _call_hooks(self, record: Record) -> list[tuple[str, PluginType]]:
        """Collect what this one plugin hands over."""
        found: list[tuple[str, PluginType]] = []
        for kind, (hook, descriptor) in KINDS.items():
            implementations = [
                each
                for each in getattr(self._plugins.hook, hook).get_hookimpls()
                if each.plugin_name == record.module
            ]
            plugin = self._plugins.get_plugin(record.module)
            if not implementations and callable(getattr(plugin, hook, None)):
                raise TypeError(f"{hook} is no hook yet: write @hookimpl above it")
            for implementation in implementations:
                for item in _iterate(hook, implementation.function()):
                    if not isinstance(item, descriptor):
                        raise TypeError(f"{hook} gave {item!r}, which is no {descriptor.__name__}")
                    found.append((kind, item))
        return found

    def _clash(self, types: list[tuple[str, PluginType]]) -> str | None:
        seen: set[tuple[str, str]] = set()
        for kind, plugin_type in types:
            key = (kind, plugin_type.name)
            if key in seen:
                return f"it supplies the {kind} type {plugin_type.name!r} twice"
            seen.add(key)
            if key in self._types:
                owner, newcomer = self._types[key][1], self.records[-1]
                return (
                    f"{kind} type {plugin_type.name!r} comes from both {owner.place} "
                    f"(plugin {owner.name}) and {newcomer.place} (plugin {newcomer.name}): "
                    "remove one of them from [plugins] enable"
                )
        return None

    def _explain_missing(self, kind: str, name: str) -> str:
        known = ", ".join(plugin_type.name for plugin_type, _ in self.types(kind))
        message = f"there is no {kind} type {name!r} (known: {known or 'none'})"
        broken = [r for r in self.records if r.status is PluginStatus.FAILED]
        idle = [r.name for r in self.records if r.status is PluginStatus.AVAILABLE]
        if broken:
            message += "; failed to load: " + "; ".join(f"{r.name}: {r.error}" for r in broken)
        if idle:
            message += (
                "; installed but not enabled: " + ", ".join(idle) + " (add to [plugins] enable)"
            )
        return message


def _third_party() -> Iterator[tuple[Record, metadata.EntryPoint]]:
    """Go through the installed entry points, importing nothing.

    The order is that of names, not of the file system, so that every host sees the same.
    """
    seen: dict[str, Record] = {}
    entries = sorted(
        metadata.entry_points(group=GROUP), key=lambda e: (e.name, e.dist.name if e.dist else "")
    )
    for entry in entries:
        distribution = entry.dist.name if entry.dist else "unknown"
        version = entry.dist.version if entry.dist else "unknown"
        record = Record(entry.name, version, distribution, entry.value, PluginStatus.AVAILABLE)
        if earlier := seen.get(entry.name):
            record.spoil(
                PluginStatus.DUPLICATE,
                f"{earlier.distribution} and {distribution} both install a plugin called "
                f"{entry.name!r}: uninstall one of them",
            )
        seen.setdefault(entry.name, record)
        yield record, entry


def _iterate(hook: str, result: Any) -> Iterator[Any]:
    if hasattr(result, "cr_await"):
        result.close()
        raise TypeError(f"{hook} is async; it must be a plain function")
    if not isinstance(result, Iterable):
        raise TypeError(f"{hook} gave {result!r}, which is no list or generator of types")
    yield from result


def _own_version() -> str:
    from havpn_core.version import __version__

    return __version__
