"""Pure: ``havpn.toml`` of a gateway, as tables."""

from collections.abc import Iterator, Mapping
from typing import Any

from havpn_core.site.model.model import Gateway, Model, Site
from havpn_core.site.model.options import Mode
from havpn_core.site.rendering.paths import CLUSTER_PATH, paths_of, responder_of
from havpn_core.site.rendering.sheet import FOLDER, Sheet, together

FILE = f"{FOLDER}/havpn.toml"
PAIR_KEY = f"{FOLDER}/pair.key"
OWN = {"path": "probe", "action": "type"}
"""What a table has that stands for itself, and is not put over one that is rendered."""
ATTRIBUTE = "havpn-"
"""What the agent ``ocf:havpn:link`` writes for a path has before the path's name."""


def sheets(model: Model, gateway: str) -> Iterator[Sheet]:
    """Give the file."""
    facts = {"gateway": gateway, "tables": tables_of(model, gateway)}
    yield Sheet(FILE, "havpn.toml.j2", facts)


def tables_of(model: Model, gateway: str) -> dict[str, Any]:
    """Give all tables, with those that the site file puts over them."""
    own, site = model.gateways[gateway], model.site_of(gateway)
    paths = paths_of(model, gateway)
    made: dict[str, Any] = {"node": {"name": gateway}}
    if model.options.plugins:
        made["plugins"] = model.options.plugins
    made |= {"path": paths, "lan": _lan(own, site), "respond": responder_of(model, gateway)}
    made["action"] = _actions(model, own, site)
    if site.mode is Mode.PAIR:
        made["pair"] = _pair(own, site)
    if model.options.metrics is not None:
        made["metrics"] = model.options.metrics
    made["notifier"] = model.options.notifier or {"log": {"type": "syslog"}}
    return merged(merged(made, counting(model.options.havpn, made)), own.havpn)


def counting(whole: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """Give what of the tables for all gateways counts for one.

    A path of the other line does not, nor ``[pair]`` where a cluster moves the VIPs: there is
    nothing to put it over.

    :param made: what the gateway has.
    """
    found = dict(whole)
    pair = found.get("pair")
    if "pair" not in made and isinstance(pair, Mapping) and "link" not in pair:
        del found["pair"]
    for section, own in OWN.items():
        if isinstance(tables := found.get(section), Mapping):
            known = made.get(section, {})
            found[section] = {
                name: table
                for name, table in tables.items()
                if name in known or not isinstance(table, Mapping) or own in table
            }
    return found


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Put tables over others: a table into a table, and anything else in place of what is there."""
    found = dict(under)
    for key, value in over.items():
        known = found.get(key)
        both = isinstance(value, Mapping) and isinstance(known, Mapping)
        found[key] = merged(known, value) if both and known is not None else value
    return found


def _lan(own: Gateway, site: Site) -> dict[str, Any]:
    found: dict[str, Any] = {"device": own.lan_device}
    if own.lan:
        found["address"] = str(own.lan[0].ip)
    witnesses = site.options.witnesses
    # Without a partner to compare with, witnesses that are found would report only.
    if witnesses and (site.mode is Mode.PAIR or witnesses != "auto"):
        found["witnesses"] = witnesses
    return found


def _actions(model: Model, own: Gateway, site: Site) -> dict[str, Any]:
    if site.mode is Mode.HEARTBEAT:
        return {"gateway": {"type": "heartbeat"}}
    if site.mode is Mode.PACEMAKER:
        return {
            "cluster": {
                "type": "pacemaker",
                "attribute": f"{ATTRIBUTE}{CLUSTER_PATH}",
                "preferred": next(iter(site.gateways)),
            }
        }
    addresses = [str(vip) for vip in site.vips]
    found = {"gateway": {"type": "alias-arp", "device": own.lan_device, "addresses": addresses}}
    if model.options.render.conntrackd:
        found["connections"] = {"type": "conntrackd"}
    return found


def _pair(own: Gateway, site: Site) -> dict[str, Any]:
    partner = site.partner_of(own.name)
    links: dict[str, Any] = {}
    for local, peer in together(own.lan, partner.lan):
        links["lan" if not links else f"lan{local.version}"] = {
            "type": "udp",
            "local": str(local),
            "peer": str(peer),
        }
        break  # one network: two links over it fail together
    if own.serial and partner.serial:
        links["cable"] = {"type": "serial", "device": own.serial}
    return {
        "priority": own.priority,
        "key_file": PAIR_KEY,
        "preempt": site.options.preempt,
        "link": links,
    }
