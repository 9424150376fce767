"""Pure: make the model of the tables of ``site.toml``, and name all that cannot be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from havpn_core.config.convert import to_struct, unknown_keys
from havpn_core.errors import ConfigError
from havpn_core.site import values
from havpn_core.site.model.model import DYNAMIC, End, Gateway, Line, Model, Network, Site
from havpn_core.site.model.options import (
    FileOptions,
    GatewayOptions,
    LineOptions,
    RenderOptions,
    SiteOptions,
    TunnelOptions,
)

S = TypeVar("S", bound=msgspec.Struct)
PRIORITIES = (150, 100)
TABLES: dict[str, type[msgspec.Struct]] = {"site": SiteOptions, "line": LineOptions}
SINGLE: dict[str, type[msgspec.Struct]] = {"tunnel": TunnelOptions, "render": RenderOptions}


@dataclass
class Reading:
    """What happened to a file.

    :ivar model: as far as it could be made; ``None`` if too much is missing.
    :ivar problems: each with its key and the remedy.
    :ivar spoilt: the tables in which a value was left out; what else is wrong with them may follow
        from that.
    """

    model: Model | None = None
    problems: list[str] = field(default_factory=list)
    spoilt: set[str] = field(default_factory=set)
    broken: bool = False


def model_of(raw: Mapping[str, Any]) -> Model:
    """Make the model.

    :param raw: the tables of the file.
    :raises ConfigError: with every problem found.
    """
    found = read_model(raw)
    if found.problems or found.model is None:
        raise ConfigError(found.problems)
    return found.model


def read_model(raw: Mapping[str, Any]) -> Reading:
    """Make the model as far as that can be done, and say all that is wrong on the way.

    :param raw: the tables of the file.
    """
    into = Reading()
    options = _options(raw, into)
    sites = {name: _site(name, each, into) for name, each in options.site.items()}
    lines = {}
    for name, each in options.line.items():
        if line := _line(name, each, into):
            lines[name] = line
    _unique(sites, into)
    known = {gateway for site in sites.values() for gateway in site.gateways}
    unknown = [(line, end) for line in lines.values() for end in line.ends]
    unknown = [(line, end) for line, end in unknown if end.gateway not in known]
    if not into.broken:
        into.problems += [
            f"line.{line.name}.ends: there is no gateway {end.gateway}: write one of "
            f"{', '.join(sorted(known))}"
            for line, end in unknown
        ]
    if not (unknown or into.broken):
        into.model = Model(sites, lines, options)
    return into


def _options(raw: Mapping[str, Any], into: Reading) -> FileOptions:
    """Convert the tables one by one, so that one mistake does not hide the next."""
    made: dict[str, Any] = {key: {} for key in TABLES}
    for key, kind in TABLES.items():
        given = raw.get(key)
        if not isinstance(given, dict) or not given:
            into.problems.append(f"{key}: there is none: write a table [{key}.NAME]")
            into.broken = True
            continue
        for name, table in given.items():
            whole = _with_gateways(name, table, into) if key == "site" else table
            if (one := _struct(kind, f"{key}.{name}", whole, into)) is not None:
                made[key][name] = one
    for key, single in SINGLE.items():
        if key in raw and (one := _struct(single, key, raw[key], into)) is not None:
            made[key] = one
    rest = {key: value for key, value in raw.items() if key not in TABLES and key not in SINGLE}
    file = _struct(FileOptions, "", {"site": {}, "line": {}, **rest}, into)
    if file is None:
        return FileOptions(site={}, line={})
    return msgspec.structs.replace(file, **made)


def _struct(kind: type[S], key: str, table: Any, into: Reading) -> S | None:
    """Convert a table; what is wrong in it is said and left out, so that the rest is seen.

    :param key: where it stands; empty for the whole file.
    """
    if not isinstance(table, dict):
        into.problems.append(f"{key}: write a table, such as [{key}]")
        into.broken = True
        return None
    found: list[str] = []
    made = to_struct(kind, key or "file", table, found)
    if made is not None:
        return made
    left = f"{key or 'file'}."
    kept = {
        n: each for n, each in table.items() if not any(f.startswith(f"{left}{n}:") for f in found)
    }
    into.problems += found if key else [each.removeprefix(left) for each in found]
    into.spoilt.add(key)
    made = to_struct(kind, key, kept, [])
    into.broken |= made is None
    return made


def _with_gateways(site: str, table: Any, into: Reading) -> Any:
    """Convert the gateways of a site that are tables, with every problem in them."""
    given = table.get("gateways") if isinstance(table, dict) else None
    if not isinstance(given, dict):
        return table
    made: dict[str, Any] = {}
    for name, each in given.items():
        if isinstance(each, dict):
            converted = _struct(GatewayOptions, f"site.{site}.gateways.{name}", each, into)
            if converted is None:
                into.spoilt.add(f"site.{site}")
            made[name] = converted or ""
        else:
            made[name] = each
    return {**table, "gateways": made}


def _site(name: str, options: SiteOptions, into: Reading) -> Site:
    key, before = f"site.{name}", len(into.problems)
    read = [values.network(f"{key}.networks", text, into.problems) for text in options.networks]
    networks = tuple(each for each in read if each is not None)
    into.broken |= None in read
    vips = tuple(
        vip
        for text in options.vips
        if (vip := values.interface(f"{key}.vips", text, networks, into.problems))
    )
    if len(options.gateways) != 2:
        into.problems.append(
            f"{key}.gateways: a site has two, and not {len(options.gateways)}: name both"
        )
        into.broken = True
    gateways = {
        each: _gateway((each, name, index), options, networks, into)
        for index, each in enumerate(options.gateways)
    }
    if len(into.problems) > before:
        into.spoilt.add(key)
    return Site(name, networks, vips, gateways, options)


def _gateway(
    place: tuple[str, str, int],
    site_options: SiteOptions,
    networks: tuple[Network, ...],
    into: Reading,
) -> Gateway:
    name, site, index = place
    key = f"site.{site}.gateways.{name}"
    given = site_options.gateways[name]
    options = given if isinstance(given, GatewayOptions) else GatewayOptions(lan=given)
    texts = [options.lan] if isinstance(options.lan, str) else options.lan
    read = [values.interface(key, t, networks, into.problems) for t in texts]
    if not texts:
        into.problems.append(f"{key}.lan: is empty: write its own address on the LAN")
    usual = PRIORITIES[min(index, 1)]
    return Gateway(
        name=name,
        site=site,
        lan=tuple(each for each in read if each is not None),
        lan_device=options.lan_device or site_options.lan_device,
        wan_device=options.wan_device or site_options.wan_device,
        serial=options.serial or site_options.serial,
        first=index == 0,
        priority=usual if options.priority is None else options.priority,
        certificate=options.certificate,
        havpn=options.havpn,
    )


def _line(name: str, options: LineOptions, into: Reading) -> Line | None:
    key, before = f"line.{name}", len(into.problems)
    if len(options.ends) != 2:
        into.problems.append(
            f"{key}.ends: a line has two ends, and not {len(options.ends)}: name both"
        )
        into.broken = True
        return None
    into.problems += unknown_keys(f"{key}.routers.", options.routers, options.ends)
    first, second = (_end(key, gateway, options, into) for gateway in options.ends)
    if len(into.problems) > before:
        into.spoilt.add(key)
    return Line(name, (first, second), options)


def _end(key: str, gateway: str, options: LineOptions, into: Reading) -> End:
    text, router = options.ends[gateway], options.routers.get(gateway)
    via = None
    if router is not None:
        via = values.address(f"{key}.routers.{gateway}", router, into.problems)
    if text == DYNAMIC:
        return End(gateway, None, "", via)
    if values.is_name(text):
        return End(gateway, None, text, via)
    return End(gateway, values.address(f"{key}.ends.{gateway}", text, into.problems), "", via)


def _unique(sites: Mapping[str, Site], into: Reading) -> None:
    seen: dict[str, str] = {}
    for site in sites.values():
        for gateway in site.gateways:
            if gateway in seen:
                into.problems.append(
                    f"site.{site.name}.gateways: {gateway} is at site {seen[gateway]}, too: "
                    "give each gateway a name of its own"
                )
                into.broken = True
            seen[gateway] = site.name
