"""Pure: the tables that go into ``havpn.toml`` as they are: what they may say, and what not.

What follows from the file as a whole, such as whom a gateway lets in, mirrors what another gateway
has; written for one of them, it no longer would.
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from havpn_core.config.convert import to_struct
from havpn_core.serve.options import MetricsOptions, parse_endpoint
from havpn_core.site.model.model import Model
from havpn_core.site.model.problem import Problem, split
from havpn_core.site.verify.names import PATH

SECTIONS = ("node", "plugins", "path", "action", "notifier", "respond", "pair", "lan", "metrics")
RENDERED = frozenset(
    {
        "line",
        "tunnel",
        "road",
        "cross",
        "gateway",
        "cluster",
        "connections",
        "lan",
        "lan4",
        "lan6",
        "cable",
    }
)
"""Instances that are rendered; others are the user's own."""

OF_THE_DAEMON = "write what docs/configuration.md has for it"
_ENDS = "line.NAME.ends"
_LAN = "site.NAME.gateways"
BOUND: dict[tuple[str, ...], str] = {
    ("node", "name"): "name the gateway so in site.NAME.gateways",
    ("respond", "listen"): f"it follows from {_ENDS} and {_LAN}",
    ("respond", "allow"): f"it follows from {_ENDS} and {_LAN}",
    ("pair", "priority"): "write priority in site.NAME.gateways.NAME",
    ("pair", "key_file"): "leave it out: both gateways have the key where it is rendered",
    ("lan", "address"): f"write it in {_LAN}",
    ("lan", "device"): "write lan_device in site.NAME",
    ("action", "*", "type"): "write mode in site.NAME",
    ("action", "*", "addresses"): "write vips in site.NAME",
    ("action", "*", "device"): "write lan_device in site.NAME",
    ("pair", "link", "*", "type"): "name a link of your own otherwise",
    ("pair", "link", "*", "local"): f"write it in {_LAN}",
    ("pair", "link", "*", "peer"): f"write it in {_LAN}",
    ("pair", "link", "*", "port"): "leave it out: the partner and the firewall file have the usual",
    ("pair", "link", "*", "device"): "write serial or lan_device in site.NAME",
    ("path", "*", "profile"): "write profile at the top of the site file",
    ("path", "*", "probe", "*", "type"): "write line_probe at the top of the site file",
    ("path", "*", "probe", "*", "watches"): "name a probe of your own otherwise",
    ("path", "*", "probe", "*", "host"): f"write it in {_ENDS} or {_LAN}",
    ("path", "*", "probe", "*", "source"): f"write it in {_ENDS} or {_LAN}",
    ("path", "*", "probe", "*", "port"): "leave it out: the far end and its firewall file have the "
    "usual one",
    ("path", "*", "probe", "*", "key_file"): "leave it out: both ends have the key where it is "
    "rendered",
    ("path", "*", "probe", "*", "family"): f"it follows from {_ENDS}",
    ("path", "*", "probe", "*", "device"): "write wan_device in site.NAME",
    ("path", "*", "probe", "*", "size"): "write size in [tunnel]",
}  # fmt: skip
"""Keys that follow from the rest of the file, and where to write them instead."""


def problems(model: Model) -> Iterator[Problem]:
    """Give what is wrong."""
    yield from _bound("havpn", model.options.havpn)
    for gateway in model.gateways.values():
        key = f"site.{gateway.site}.gateways.{gateway.name}.havpn"
        yield from _bound(key, gateway.havpn)
    yield from _named(model)
    yield from _metrics(model)


def _bound(key: str, tables: Mapping[str, Any]) -> Iterator[Problem]:
    """Give what a table says that is not its own to say."""
    for section, table in tables.items():
        here = f"{key}.{section}"
        if section not in SECTIONS:
            yield Problem(
                here,
                "there is no such table in havpn.toml",
                f"write one of {', '.join(SECTIONS)}",
            )
        elif not isinstance(table, Mapping):
            yield Problem(here, f"{table!r} is no table", f"write [{here}]")
        else:
            yield from _within(here, (section,), table)


def _within(key: str, place: tuple[str, ...], table: Mapping[str, Any]) -> Iterator[Problem]:
    for name, value in table.items():
        here, at = f"{key}.{name}", (*place, name)
        if _own_instance(at, value):
            continue
        remedy = next((text for bound, text in BOUND.items() if _matches(at, bound)), "")
        if remedy:
            yield Problem(here, "is what the other gateways' files mirror", remedy)
        elif isinstance(value, Mapping):
            yield from _within(here, at, value)


def _own_instance(place: tuple[str, ...], value: Any) -> bool:
    """Whether a table is an instance that only the user has."""
    instance = {("path", 4), ("action", 2), ("pair", 3), ("notifier", 2)}
    if (place[0], len(place)) not in instance or not isinstance(value, Mapping):
        return False
    return "type" in value and place[-1] not in RENDERED


def _matches(place: tuple[str, ...], bound: tuple[str, ...]) -> bool:
    return len(place) == len(bound) and all(
        one in (other, "*") for one, other in zip(bound, place, strict=True)
    )


def _named(model: Model) -> Iterator[Problem]:
    """Look at the tables by name that each gateway gets."""
    for section in ("notifier", "renderer"):
        for name, table in getattr(model.options, section).items():
            key = f"{section}.{name}"
            if not PATH.match(name):
                yield Problem(
                    key,
                    f"{name!r} is no name",
                    "write small letters, digits and hyphens, beginning with a letter",
                )
            if section == "notifier" and "type" not in table:
                yield Problem(key, "has no type", 'write one, as type = "syslog"')


def _metrics(model: Model) -> Iterator[Problem]:
    """Look at ``[metrics]``, which all gateways get: no address is one of all but the general."""
    table, found = model.options.metrics, list[str]()
    made = to_struct(MetricsOptions, "metrics", table or {}, found)
    for text in found:
        yield split(text, OF_THE_DAEMON)
    for endpoint in made.listen if made else ():
        address = ip_address(parse_endpoint(endpoint)[0])
        if not (address.is_loopback or address.is_unspecified):
            yield Problem(
                "metrics.listen",
                f"{address} is the address of one host, and each gateway listens there",
                "write 127.0.0.1, [::1], 0.0.0.0 or [::] here, and another address in "
                "[site.NAME.gateways.NAME.havpn.metrics]",
            )
