"""The files that the site file of a lab is rendered to, with keys that are none."""

from functools import cache

from havpn_core.site.model.options import Mode
from havpn_core.site.rendering.whole import render
from havpn_core.site.secrets import filled, names_in
from havpn_core.testing.lab.hosts.places import Plan

KEY = "5a" * 32
"""Every secret of a lab."""


@cache
def files_of(plan: Plan, mode: Mode | None = None) -> dict[str, dict[str, str]]:
    """Give the text of each file by its place, gateway by gateway.

    :param mode: of all sites, in place of what the site file says.
    :raises HavpnError: without the package jinja2.
    """
    found = {}
    meant = plan if mode is None else plan.in_mode(mode)
    for gateway, files in render(meant.model).items():
        known = dict.fromkeys(names_in(file.text for file in files), KEY)
        found[gateway] = {file.path: filled(file.text, known) for file in files}
    return found
