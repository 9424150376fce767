"""Read ``havpn.toml`` into typed, frozen structs, and say everything that is wrong at once.

Each problem names the key and what would be right. What a plugin's type accepts is checked by
the type's own struct; this module never looks into it.
"""

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from havpn_core.config.options import CallOptions, NodeOptions, PathOptions
from havpn_core.config.profiles import PROFILES
from havpn_core.durations import Duration
from havpn_core.echo.respond import RespondOptions
from havpn_core.errors import ConfigError
from havpn_core.host.trouble import why
from havpn_core.pair.options import PairConfig, PairOptions
from havpn_core.plugging.descriptors import NAME, PluginType
from havpn_core.plugging.registry import Registry
from havpn_core.plugging.wording import describe

DEFAULT_FILE = Path("/etc/havpn/havpn.toml")

S = TypeVar("S", bound=msgspec.Struct)
Table = Mapping[str, Any]


@dataclass(frozen=True)
class Instance:
    """One configured probe, action or notifier.

    :param name: as ``path.vpn1.probe.echo``.
    :param deadline_s: seconds that one call may take.
    """

    name: str
    kind: str
    type: PluginType = field(compare=False)
    options: msgspec.Struct
    deadline_s: float

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class PathConfig:
    """One monitored path."""

    name: str
    options: PathOptions
    probes: tuple[Instance, ...]


@dataclass(frozen=True)
class Config:
    """A whole configuration that was found good."""

    file: Path
    node: NodeOptions
    enable: tuple[str, ...]
    paths: tuple[PathConfig, ...]
    actions: tuple[Instance, ...]
    notifiers: tuple[Instance, ...]
    respond: RespondOptions | None
    pair: PairConfig | None = None


def load(file: Path) -> tuple[Config, Registry]:
    """Read and check a configuration, loading the plugins that it enables.

    :raises ConfigError: with every problem found.
    """
    raw = read(file)
    registry = Registry.load(enabled_plugins(raw))
    return build(raw, registry, file), registry


def read(file: Path) -> dict[str, Any]:
    """Read the file's tables.

    :raises ConfigError: if it cannot be read, may be written by others, or is no TOML.
    """
    try:
        mode = file.stat()
        raw = tomllib.loads(file.read_bytes().decode())
    except FileNotFoundError:
        raise ConfigError(
            [f"{file}: there is no such file: write one or name it with -c"]
        ) from None
    except OSError as problem:
        raise ConfigError([f"{file}: cannot be read: {why(problem)}"]) from None
    except UnicodeDecodeError as problem:
        raise ConfigError(
            [f"{file}: byte {problem.start} is no UTF-8: write the file as text in UTF-8"]
        ) from None
    except RecursionError:
        raise ConfigError([f"{file}: is nested too deeply: remove brackets"]) from None
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError([f"{file}: is no valid TOML: {problem}"]) from None
    if os.geteuid() == 0 and (mode.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or mode.st_uid != 0):
        raise ConfigError(
            [f"{file}: others than root may write it: run chown root and chmod go-w on it"]
        )
    return raw


def enabled_plugins(raw: Table) -> tuple[str, ...]:
    """Give ``[plugins] enable`` as far as it makes sense; :func:`build` reports the rest."""
    plugins = raw.get("plugins")
    names = plugins.get("enable", []) if isinstance(plugins, dict) else []
    return tuple(n for n in names if isinstance(n, str)) if isinstance(names, list) else ()


def build(raw: Table, registry: Registry, file: Path) -> Config:
    """Check all tables against the types that there are.

    :raises ConfigError: with every problem found.
    """
    builder = _Builder(registry)
    config = builder.config(raw, file)
    if builder.problems:
        raise ConfigError([f"{file}: {problem}" for problem in builder.problems])
    return config


def struct_of(struct_type: type[S], key: str, table: Table) -> S:
    """Convert one table, as a plugin's options.

    :param key: where it stands, for the errors.
    :raises ConfigError: with every problem found.
    """
    builder = _Builder(Registry())
    made = builder.struct(key, table, struct_type)
    if made is None:
        raise ConfigError(builder.problems)
    return made


class _Builder:
    """Goes through the tables and collects problems."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.problems: list[str] = []

    def config(self, raw: Table, file: Path) -> Config:
        """Check the whole file."""
        sections = ("node", "plugins", "path", "action", "notifier", "respond", "pair")
        self._unknown("", raw, sections)
        respond = raw.get("respond")
        node = self.struct("node", self._table("node", raw.get("node", {})), NodeOptions)
        paths = [self._path(f"path.{n}", n, t) for n, t in self._named("path", raw)]
        return Config(
            file=file,
            node=node or NodeOptions(),
            enable=self._enable(self._table("plugins", raw.get("plugins", {}))),
            paths=tuple(path for path in paths if path),
            actions=self._instances("action", raw, default_s=60.0),
            notifiers=self._instances("notifier", raw, default_s=10.0),
            respond=self.struct("respond", self._table("respond", respond), RespondOptions)
            if respond is not None
            else None,
            pair=self._pair(raw),
        )

    def _pair(self, raw: Table) -> PairConfig | None:
        if "pair" not in raw:
            return None
        table = self._table("pair", raw["pair"])
        own = {k: v for k, v in table.items() if k != "link"}
        options = self.struct("pair", own, PairOptions)
        links = self._instances("link", table, default_s=0.0, under="pair.")
        if not table.get("link"):
            self.problems.append(
                'pair.link: a pair needs a link: add [pair.link.lan] with type = "udp"'
            )
        return PairConfig(options, links) if options else None

    def _enable(self, table: Table) -> tuple[str, ...]:
        self._unknown("plugins.", table, ("enable",))
        names = table.get("enable", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self.problems.append('plugins.enable: write a list of names, as enable = ["foo"]')
            return ()
        known = {record.name: record for record in self.registry.records if not record.bundled}
        for name in names:
            if name not in known:
                self.problems.append(
                    f"plugins.enable: no plugin {name!r} is installed"
                    f"{_suggest(name, known)}: install its package or remove it from the list"
                )
        return tuple(names)

    def _path(self, key: str, name: str, table: Table) -> PathConfig | None:
        own = {k: v for k, v in table.items() if k != "probe"}
        profile = own.get("profile", "balanced")
        defaults = PROFILES.get(profile, {}) if isinstance(profile, str) else {}
        options = self.struct(key, {**(defaults or PROFILES["balanced"]), **own}, PathOptions)
        probes = self._instances("probe", table, default_s=0.0, under=f"{key}.")
        if "probe" not in table or not table["probe"]:
            self.problems.append(
                f'{key}.probe: a path needs a probe: add [{key}.probe.echo] with type = "udp-echo"'
            )
        if options is None:
            return None
        if probes and options.require > len(probes):
            self.problems.append(
                f"{key}.require: {options.require} of {len(probes)} probes can never be OK: "
                f"write at most {len(probes)}"
            )
        return PathConfig(name, options, probes)

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
        common = (
            {} if kind in ("probe", "link") else {k: v for k, v in table.items() if k == "deadline"}
        )
        own = {k: v for k, v in table.items() if k != "type" and k not in common}
        try:
            options = self.struct(key, own, plugin_type.config)
        except BaseException as problem:  # the struct is the plugin's, and so is what it raises
            self.problems.append(f"{key}: {describe(problem)}")
            return None
        call = self.struct(key, common, CallOptions)
        if options is None or call is None:
            return None
        return Instance(key, kind, plugin_type, options, float(call.deadline or default_s))

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
        self.problems.append(f"{key}: write a table, as [{key}]")
        return {}

    def _unknown(self, prefix: str, table: Table, known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                self.problems.append(
                    f"{prefix}{key}: there is no such key{_suggest(key, known)}"
                    f" (known: {', '.join(known)})"
                )

    def struct(self, key: str, table: Table, struct_type: type[S]) -> S | None:
        """Convert field by field, so that one mistake does not hide the next."""
        fields = {f.encode_name: f for f in msgspec.structs.fields(struct_type)}
        before = len(self.problems)
        self._unknown(f"{key}.", table, tuple(fields))
        values = {}
        for name, option in fields.items():
            if name in table:
                try:
                    values[option.name] = msgspec.convert(
                        table[name], option.type, dec_hook=decode_hook
                    )
                except (msgspec.ValidationError, ValueError) as problem:
                    self.problems.append(f"{key}.{name}: {_plain(str(problem))}")
            elif option.required:
                self.problems.append(f"{key}.{name}: is missing and has no default")
        if len(self.problems) > before:
            return None
        try:
            return struct_type(**values)
        except (ValueError, TypeError) as problem:
            self.problems.append(f"{key}: {problem}")
            return None


def decode_hook(wanted: type, value: Any) -> Any:
    """Convert the types of ours that msgspec does not know."""
    if issubclass(wanted, Duration):
        return Duration.parse(value)
    raise NotImplementedError(f"options of type {wanted.__name__} are not supported")


def _plain(message: str) -> str:
    """Put msgspec's message into the words of a configuration file."""
    message = re.sub(r" - at `\$(.*)`", r" (at \1)", message)
    words = {"`str`": "a text", "`int`": "a whole number", "`float`": "a number"}
    words |= {"`bool`": "true or false", "`array`": "a list", "`object`": "a table"}
    for code, word in words.items():
        message = message.replace(code, word)
    return message


def _suggest(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
