"""The files that the site file of a lab is rendered to, with keys that are none."""

from functools import cache

from havpn_core.site.rendering.whole import render
from havpn_core.site.secrets import filled, names_in
from havpn_core.testing.lab.hosts.places import Plan

KEY = "5a" * 32
"""Every secret of a lab."""


@cache
def files_of(plan: Plan) -> dict[str, dict[str, str]]:
    """Give the text of each file by its place, gateway by gateway.

    :raises HavpnError: without the package jinja2.
    """
    found = {}
    for gateway, files in render(plan.model).items():
        known = dict.fromkeys(names_in(file.text for file in files), KEY)
        found[gateway] = {file.path: filled(file.text, known) for file in files}
    return found
