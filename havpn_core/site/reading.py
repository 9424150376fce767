"""Pure: make the model of the tables of ``site.toml``, or name all that cannot be read."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

import msgspec

from havpn_core.config.convert import to_struct, unknown_keys
from havpn_core.errors import ConfigError
from havpn_core.site.model.model import (
    DYNAMIC,
    Address,
    End,
    Gateway,
    Interface,
    Line,
    Model,
    Network,
    Site,
)
from havpn_core.site.model.options import (
    FileOptions,
    GatewayOptions,
    LineOptions,
    RenderOptions,
    SiteOptions,
    TunnelOptions,
)

PRIORITIES = (150, 100)


def model_of(raw: Mapping[str, Any]) -> Model:
    """Make the model.

    :param raw: the tables of the file.
    :raises ConfigError: with every problem found.
    """
    problems: list[str] = []
    options = _options(raw, problems)
    sites = {name: _site(name, each, problems) for name, each in options.site.items()}
    lines = {}
    for name, each in options.line.items():
        if line := _line(name, each, problems):
            lines[name] = line
    _unique(sites, problems)
    known = {gateway for site in sites.values() for gateway in site.gateways}
    for line in lines.values():
        problems += [
            f"line.{line.name}.ends: there is no gateway {end.gateway}: write one of "
            f"{', '.join(sorted(known))}"
            for end in line.ends
            if end.gateway not in known
        ]
    if problems:
        raise ConfigError(problems)
    return Model(sites, lines, options)


def _options(raw: Mapping[str, Any], problems: list[str]) -> FileOptions:
    """Convert the tables one by one, so that one mistake does not hide the next."""
    tables: dict[str, type[msgspec.Struct]] = {"site": SiteOptions, "line": LineOptions}
    single: dict[str, type[msgspec.Struct]] = {"tunnel": TunnelOptions, "render": RenderOptions}
    made: dict[str, Any] = {}
    for key, kind in tables.items():
        given = raw.get(key)
        if not isinstance(given, dict) or not given:
            problems.append(f"{key}: there is none: write a table [{key}.NAME]")
            continue
        made[key] = {}
        for name, table in given.items():
            if isinstance(table, dict):
                whole = _with_gateways(name, table, problems) if key == "site" else table
                made[key][name] = to_struct(kind, f"{key}.{name}", whole, problems)
            else:
                problems.append(f"{key}.{name}: must be a table")
    for key, kind in single.items():
        if key in raw:
            if isinstance(raw[key], dict):
                made[key] = to_struct(kind, key, raw[key], problems)
            else:
                problems.append(f"{key}: must be a table")
    rest = {key: value for key, value in raw.items() if key not in tables and key not in single}
    file = to_struct(FileOptions, "file", {"site": {}, "line": {}, **rest}, problems)
    if problems or file is None:
        raise ConfigError([problem.removeprefix("file.") for problem in problems])
    return FileOptions(
        **{name: getattr(file, name) for name in file.__struct_fields__ if name not in made},
        **made,
    )


def _with_gateways(site: str, table: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    """Convert the gateways of a site that are tables, with every problem in them."""
    given = table.get("gateways")
    if not isinstance(given, dict):
        return table
    made: dict[str, Any] = {}
    for name, each in given.items():
        key = f"site.{site}.gateways.{name}"
        if isinstance(each, dict):
            converted = to_struct(GatewayOptions, key, each, problems)
            made[name] = converted if converted is not None else str(each.get("lan", ""))
        else:
            made[name] = each
    return {**table, "gateways": made}


def _site(name: str, options: SiteOptions, problems: list[str]) -> Site:
    key = f"site.{name}"
    networks = tuple(
        network
        for text in options.networks
        if (network := _network(f"{key}.networks", text, problems))
    )
    vips = tuple(
        vip for text in options.vips if (vip := _interface(f"{key}.vips", text, networks, problems))
    )
    if len(options.gateways) != 2:
        problems.append(
            f"{key}.gateways: a site has two, and not {len(options.gateways)}: name both"
        )
    gateways = {
        each: _gateway(f"{key}.gateways.{each}", (name, options, index), networks, problems)
        for index, each in enumerate(options.gateways)
    }
    return Site(name, networks, vips, gateways, options)


def _gateway(
    key: str,
    place: tuple[str, SiteOptions, int],
    networks: tuple[Network, ...],
    problems: list[str],
) -> Gateway:
    site, site_options, index = place
    name = key.rpartition(".")[2]
    given = site_options.gateways[name]
    options = given if isinstance(given, GatewayOptions) else GatewayOptions(lan=given)
    texts = [options.lan] if isinstance(options.lan, str) else options.lan
    lan = tuple(i for t in texts if (i := _interface(key, t, networks, problems)))
    if not texts:
        problems.append(f"{key}.lan: is empty: write its own address on the LAN")
    return Gateway(
        name=name,
        site=site,
        lan=lan,
        lan_device=options.lan_device or site_options.lan_device,
        wan_device=options.wan_device or site_options.wan_device,
        serial=options.serial or site_options.serial,
        first=index == 0,
        priority=options.priority or PRIORITIES[min(index, 1)],
        certificate=options.certificate,
        havpn=options.havpn,
    )


def _line(name: str, options: LineOptions, problems: list[str]) -> Line | None:
    key = f"line.{name}.ends"
    if len(options.ends) != 2:
        problems.append(f"{key}: a line has two ends, and not {len(options.ends)}: name both")
        return None
    problems += unknown_keys(f"line.{name}.routers.", options.routers, options.ends)
    first, second = (
        _end(f"{key}.{gateway}", text, options.routers.get(gateway, ""), problems)
        for gateway, text in options.ends.items()
    )
    return Line(name, (first, second), options)


def _end(key: str, text: str, router: str, problems: list[str]) -> End:
    gateway = key.rpartition(".")[2]
    via = _address(key.replace(".ends.", ".routers."), router, problems) if router else None
    if text == DYNAMIC:
        return End(gateway, None, "", via)
    if _is_name(text):
        return End(gateway, None, text, via)
    return End(gateway, _address(key, text, problems), "", via)


def _is_name(text: str) -> bool:
    """Whether it is a name of DNS and no address that is miswritten."""
    return any(letter.isalpha() for letter in text) and ":" not in text and "/" not in text


def _address(key: str, text: str, problems: list[str]) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        problems.append(f"{key}: {text!r} is no address: write it as 192.0.2.1 or 2001:db8::1")
        return None


def _network(key: str, text: str, problems: list[str]) -> Network | None:
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        problems.append(f"{key}: {text!r} is no network: write it as 10.1.0.0/16")
    else:
        problems.append(f"{key}: {text} has bits of a host: write {meant}")
    return None


def _interface(
    key: str, text: str, networks: tuple[Network, ...], problems: list[str]
) -> Interface | None:
    """Give an address with the length of the network that it is in, or with its own."""
    try:
        given = ip_interface(text)
    except ValueError:
        problems.append(f"{key}: {text!r} is no address: write it as 10.1.255.254")
        return None
    if "/" in text:
        return given
    around = [n for n in networks if n.version == given.version and given.ip in n]
    length = max((n.prefixlen for n in around), default=given.max_prefixlen)
    return ip_interface(f"{given.ip}/{length}")


def _unique(sites: Mapping[str, Site], problems: list[str]) -> None:
    seen: dict[str, str] = {}
    for site in sites.values():
        for gateway in site.gateways:
            if gateway in seen:
                problems.append(
                    f"site.{site.name}.gateways: {gateway} is at site {seen[gateway]}, too: "
                    "give each gateway a name of its own"
                )
            seen[gateway] = site.name
