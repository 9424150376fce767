"""Check the tables of a file against the types that there are, and say every problem at once.

What a plugin's type accepts is checked by the type's own struct; this module never looks into it.
"""

import importlib.util
import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from havpn_core.config.choices import suggestion
from havpn_core.config.convert import Table, to_struct, unknown_keys
from havpn_core.config.digest import digest_of
from havpn_core.config.instances import Config, Instance, PairConfig, PathConfig
from havpn_core.config.kinds import impossible, paced, sorted_by_kind, watching
from havpn_core.config.lan import lan_problems
from havpn_core.config.options import (
    CallOptions,
    LanOptions,
    NodeOptions,
    PathOptions,
    ProbeOptions,
    Watches,
)
from havpn_core.config.profiles import with_profile
from havpn_core.durations import Duration
from havpn_core.echo.gate import RespondOptions
from havpn_core.errors import ConfigError
from havpn_core.pair.options import PairOptions
from havpn_core.plugging.descriptors import NAME, ActionType, LinkType
from havpn_core.plugging.registry import Registry
from havpn_core.plugging.sources.record import PluginStatus
from havpn_core.plugging.wording import describe
from havpn_core.serve.options import MetricsOptions

S = TypeVar("S", bound=msgspec.Struct)
SECTIONS = (
    "node", "plugins", "path", "action", "notifier", "respond", "pair", "lan", "metrics",
)  # fmt: skip
MISSING = (
    "metrics: needs the package prometheus-client, which is not installed: install the extra, such "
    "as pip install 'havpn[metrics]', or Debian's python3-prometheus-client, or remove the table"
)


def build(raw: Table, registry: Registry, file: Path) -> Config:
    """Check all tables against the types that there are.

    :raises ConfigError: with every problem found.
    """
    builder = _Builder(registry)
    config = builder.config(raw, file)
    if builder.problems:
        raise ConfigError([f"{file}: {problem}" for problem in builder.problems])
    return config


class _Builder:
    """Goes through the tables and collects problems."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.problems: list[str] = []

    def config(self, raw: Table, file: Path) -> Config:
        """Check the whole file."""
        self._unknown("", raw, SECTIONS)
        node = self._struct("node", self._table("node", raw.get("node", {})), NodeOptions)
        paths = [self._path(f"path.{n}", n, t) for n, t in self._named("path", raw)]
        found = Config(
            file=file,
            node=node or NodeOptions(),
            enable=self._enable(self._table("plugins", raw.get("plugins", {}))),
            paths=tuple(path for path in paths if path),
            actions=self._actions(raw),
            notifiers=self._instances("notifier", raw, default_s=10.0),
            respond=self._optional("respond", raw, RespondOptions),
            pair=self._pair(raw),
            lan=self._optional("lan", raw, LanOptions),
            metrics=self._optional("metrics", raw, MetricsOptions),
            digest=digest_of(raw),
        )
        if "metrics" in raw and importlib.util.find_spec("prometheus_client") is None:
            self.problems.append(MISSING)
        self.problems.extend(lan_problems(found))
        return found

    def _optional(self, section: str, raw: Table, struct_type: type[S]) -> S | None:
        if section not in raw:
            return None
        return self._struct(section, self._table(section, raw[section]), struct_type)

    def _actions(self, raw: Table) -> tuple[Instance, ...]:
        found = self._instances("action", raw, default_s=60.0)
        return tuple(map(self._paired, found)) if "pair" in raw else found

    def _paired(self, action: Instance) -> Instance:
        """Give an action with the defaults that its type has in a pair."""
        kind = action.type
        if not isinstance(kind, ActionType):
            return action
        try:
            options = kind.paired(action.options)
            options = options if type(options) is kind.config else action.options
            lifetime_s = kind.lifetime_s(options)
        except BaseException as problem:  # it is the plugin's
            self.problems.append(f"{action.name}: {describe(problem)}")
            return action
        bounded = isinstance(lifetime_s, int | float) and 0 < lifetime_s < math.inf
        return replace(action, options=options, lifetime_s=lifetime_s if bounded else None)

    def _pair(self, raw: Table) -> PairConfig | None:
        if "pair" not in raw:
            return None
        table = self._table("pair", raw["pair"])
        own = {k: v for k, v in table.items() if k != "link"}
        options = self._struct("pair", own, PairOptions)
        links = self._instances("link", table, default_s=0.0, under="pair.")
        if not table.get("link"):
            self.problems.append(
                'pair.link: a pair needs a link: add [pair.link.lan] with type = "udp"'
            )
        if options is not None and "interval" not in own:
            options = self._unhurried(options, links)
        return PairConfig(options, links) if options else None

    def _unhurried(self, options: PairOptions, links: tuple[Instance, ...]) -> PairOptions:
        """Give the options of a pair with an interval that its slowest link carries."""
        try:
            paces = [
                each.type.pace_s(each.options) for each in links if type(each.type) is LinkType
            ]
            interval = Duration(max(options.interval, *paces, 0.0))
            return msgspec.structs.replace(options, interval=interval)
        except ValueError as problem:
            self.problems.append(f"pair.{problem}")
        except BaseException as problem:  # it is the plugin's
            self.problems.append(f"pair.link: {describe(problem)}")
        return options

    def _enable(self, table: Table) -> tuple[str, ...]:
        self._unknown("plugins.", table, ("enable", "folder"))
        folder, names = table.get("folder", "/"), table.get("enable", [])
        if not isinstance(folder, str) or not folder.startswith("/"):
            self.problems.append(
                'plugins.folder: write a folder from the root, as folder = "/etc/havpn/plugins.d"'
            )
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self.problems.append('plugins.enable: write a list of names, as enable = ["foo"]')
            return ()
        known = {record.name: record for record in self.registry.records if not record.bundled}
        for name in names:
            if name not in known:
                self.problems.append(
                    f"plugins.enable: no plugin {name!r} is installed"
                    f"{suggestion(name, known)}: install its package, put {name}.py into "
                    "plugins.folder, or remove it from the list"
                )
        self.problems += [
            f"plugins.enable: {record.error}"
            for record in self.registry.records
            if record.name in names and record.file and record.status is PluginStatus.DUPLICATE
        ]
        return tuple(names)

    def _path(self, key: str, name: str, table: Table) -> PathConfig | None:
        own = {k: v for k, v in table.items() if k != "probe"}
        options = self._struct(key, with_profile(own), PathOptions)
        every = self._instances("probe", table, default_s=0.0, under=f"{key}.")
        if "probe" not in table or not table["probe"]:
            self.problems.append(
                f'{key}.probe: a path needs a probe: add [{key}.probe.echo] with type = "udp-echo"'
            )
        if options is None:
            return None
        path = sorted_by_kind(name, options, map(partial(self._paced, options), every))
        self.problems += impossible(path)
        return path

    def _paced(self, options: PathOptions, probe: Instance) -> Instance:
        try:
            return paced(probe, float(options.interval))
        except BaseException as problem:  # it is the plugin's
            self.problems.append(f"{probe.name}: {describe(problem)}")
            return probe

    def _instances(
        self, kind: str, raw: Table, *, default_s: float, under: str = ""
    ) -> tuple[Instance, ...]:
        found = []
        for name, table in self._named(kind, raw, under):
            instance = self._instance(kind, f"{under}{kind}.{name}", table, default_s)
            if instance is not None:
                found.append(instance)
        return tuple(found)

    def _instance(self, kind: str, key: str, table: Table, default_s: float) -> Instance | None:
        wanted = table.get("type")
        if not isinstance(wanted, str):
            known = ", ".join(t.name for t, _ in self.registry.types(kind))
            self.problems.append(f"{key}.type: name the {kind} type, one of: {known}")
            return None
        try:
            plugin_type = self.registry.get(kind, wanted)
        except ConfigError as problem:
            self.problems.append(f"{key}.type: {problem}")
            return None
        shared = {"probe": ProbeOptions, "link": None}.get(kind, CallOptions)
        names = shared.__struct_fields__ if shared else ()
        common = {k: v for k, v in table.items() if k in names}
        own = {k: v for k, v in table.items() if k != "type" and k not in common}
        try:
            options = self._struct(key, own, plugin_type.config)
        except BaseException as problem:  # the struct is the plugin's, and so is what it raises
            self.problems.append(f"{key}: {describe(problem)}")
            return None
        taken = self._struct(key, common, shared) if shared else ProbeOptions()
        if options is None or taken is None:
            return None
        deadline_s = float(getattr(taken, "deadline", None) or default_s)
        watches = getattr(taken, "watches", Watches.LINE)
        made = Instance(key, kind, plugin_type, options, deadline_s, watches=watches)
        try:
            return watching(made)
        except BaseException as problem:  # it is the plugin's
            self.problems.append(f"{key}: {describe(problem)}")
            return None

    def _named(self, section: str, raw: Table, under: str = "") -> list[tuple[str, Table]]:
        tables = self._table(f"{under}{section}", raw.get(section, {}))
        for name in tables:
            if not NAME.match(name):
                self.problems.append(
                    f"{under}{section}.{name}: a name has small letters, digits and hyphens and "
                    "begins with a letter"
                )
        return [
            (name, self._table(f"{under}{section}.{name}", table))
            for name, table in tables.items()
            if NAME.match(name)
        ]

    def _table(self, key: str, value: Any) -> Table:
        if isinstance(value, dict):
            return value
        self.problems.append(f"{key}: write a table, such as [{key}]")
        return {}

    def _unknown(self, prefix: str, table: Table, known: tuple[str, ...]) -> None:
        self.problems += unknown_keys(prefix, table, known)

    def _struct(self, key: str, table: Table, struct_type: type[S]) -> S | None:
        return to_struct(struct_type, key, table, self.problems)


def pace_s(link: Instance) -> float:
    """Give the least seconds from one frame to the next that a link carries.

    :raises Exception: whatever its type raises.
    """
    return link.type.pace_s(link.options) if isinstance(link.type, LinkType) else 0.0
