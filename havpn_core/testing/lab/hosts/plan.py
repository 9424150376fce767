"""The plan of the article's figure, as data, which a lab has unless it gets another."""

import tomllib
from importlib import resources
from typing import Any

from havpn_core.site.reading import model_of
from havpn_core.site.rendering.havpn import merged
from havpn_core.testing.lab.hosts.places import Direction, Gateway, Plan, Site
from havpn_core.testing.lab.hosts.planning import SERIAL_DEVICE, plan_of

__all__ = [
    "END_HOSTS",
    "FIGURE",
    "GATEWAYS",
    "HOSTS",
    "PROVIDERS",
    "SERIAL_DEVICE",
    "SITES",
    "SITE_A",
    "SITE_B",
    "TABLES",
    "Direction",
    "Gateway",
    "Plan",
    "Site",
    "far_site",
    "partner_of",
    "plan_of",
    "site_name",
    "site_of",
]

NEW = resources.files("havpn_core.site") / "templates" / "site.toml"
"""What ``havpn site new`` writes: the article's figure."""
OVER = resources.files("havpn_core.testing.lab") / "figure.toml"


def _tables() -> dict[str, Any]:
    new, over = (tomllib.loads(each.read_text(encoding="utf-8")) for each in (NEW, OVER))
    return merged(new, over)


TABLES = _tables()
FIGURE = plan_of(model_of(TABLES))
SITES, GATEWAYS, PROVIDERS = FIGURE.sites, FIGURE.gateways, FIGURE.providers
SITE_A, SITE_B = FIGURE.near, FIGURE.far
END_HOSTS, HOSTS = FIGURE.end_hosts, FIGURE.hosts
site_of, site_name = FIGURE.site_of, FIGURE.site_name
partner_of, far_site = FIGURE.partner_of, FIGURE.far_site
