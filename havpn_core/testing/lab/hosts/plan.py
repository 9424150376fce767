"""The plan of the article's figure, as data, which a lab has unless it gets another."""

import tomllib
from pathlib import Path

from havpn_core.site.reading import model_of
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

FILE = Path(__file__).parents[1] / "figure.toml"
FIGURE = plan_of(model_of(tomllib.loads(FILE.read_text(encoding="utf-8"))))
SITES, GATEWAYS, PROVIDERS = FIGURE.sites, FIGURE.gateways, FIGURE.providers
SITE_A, SITE_B = FIGURE.near, FIGURE.far
END_HOSTS, HOSTS = FIGURE.end_hosts, FIGURE.hosts
site_of, site_name = FIGURE.site_of, FIGURE.site_name
partner_of, far_site = FIGURE.partner_of, FIGURE.far_site
