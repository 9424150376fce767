"""The article's figure as a site file, and what is rendered of it."""

import copy
import tomllib
from importlib import resources
from pathlib import Path

from havpn_core.config.check import build
from havpn_core.plugging.registry import Registry
from havpn_core.site.reading import model_of
from havpn_core.site.rendering.whole import render

REGISTRY = Registry.load()
TEXT = (resources.files("havpn_core.site") / "templates" / "site.toml").read_text()
TABLES = tomllib.loads(TEXT)
MODES = ("pair", "heartbeat", "pacemaker")
GATEWAYS = ("gw-aa", "gw-ab", "gw-ba", "gw-bb")
HAVPN = "/etc/havpn/havpn.toml"


def tables(*sites, mode="pair", **more):
    """Give the tables of the figure.

    :param sites: changes of site a, and of site b.
    :param more: keys of the file.
    """
    found = copy.deepcopy(TABLES) | more
    for table, changes in zip(found["site"].values(), sites, strict=False):
        table.update(changes)
    for table in found["site"].values():
        table["mode"] = mode
    return found


def hub(**more):
    """Give a hub, site a, with two branches."""
    found = tables({}, {}, **more)
    found["site"]["c"] = {
        "networks": ["10.41.0.0/24"],
        "vips": ["10.41.0.254"],
        "gateways": {"gw-ca": "10.41.0.251", "gw-cb": "10.41.0.252"},
    }
    found["line"]["vpn3"] = {"ends": {"gw-aa": "192.0.2.2", "gw-ca": "192.0.2.10"}}
    found["line"]["vpn4"] = {"ends": {"gw-ab": "198.51.100.2", "gw-cb": "198.51.100.10"}}
    return found


def both_families(**more):
    """Give the figure with IPv6 and three networks beside."""
    a = {
        "networks": ["10.1.0.0/16", "2001:db8:a::/64", "172.20.0.0/24"],
        "vips": ["10.1.255.254", "2001:db8:a::fe"],
        "gateways": {
            "gw-aa": {"lan": ["10.1.255.252", "2001:db8:a::fc"]},
            "gw-ab": {"lan": ["10.1.255.253", "2001:db8:a::fd"]},
        },
    }
    b = {
        "networks": ["10.31.0.0/24", "2001:db8:b::/64"],
        "vips": ["10.31.0.254", "2001:db8:b::fe"],
        "gateways": {
            "gw-ba": {"lan": ["10.31.0.251", "2001:db8:b::fb"]},
            "gw-bb": {"lan": ["10.31.0.252", "2001:db8:b::fc"]},
        },
    }
    return tables(a, b, **more)


def files_of(raw, templates=None):
    """Render tables; gives the texts by gateway and path."""
    rendered = render(model_of(raw), templates)
    return {name: {file.path: file for file in files} for name, files in rendered.items()}


def configuration(text, file=HAVPN):
    """Check a rendered ``havpn.toml`` as the daemon does."""
    return build(tomllib.loads(text), REGISTRY, Path(file))
