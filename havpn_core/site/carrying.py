"""What carries the rendered trees to the gateways: for Ansible, and as plain lines of a shell."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from havpn_core.plugging.rendering import RenderedFile
from havpn_core.site.model.model import Model
from havpn_core.site.model.options import Mode
from havpn_core.site.rendering.digest import marked
from havpn_core.site.rendering.templates import Templates
from havpn_core.site.tree import Entry

INVENTORY, PLAYBOOK, README = "inventory.ini", "site.yml", "README"
FILES = {INVENTORY: "inventory.ini.j2", PLAYBOOK: "site.yml.j2", README: "readme.j2"}
SERVICE_READS = re.compile(r"/etc/havpn/[^/]+\.key")
"""Files that the daemon reads, which is a user of its own where the package is installed."""


def entries(
    model: Model,
    rendered: Mapping[str, Sequence[RenderedFile]],
    templates: Mapping[str, str] | None = None,
) -> list[Entry]:
    """Give the files beside the trees.

    :raises HavpnError: naming a template that cannot be filled.
    """
    filled = Templates(templates)
    facts = _facts(model, rendered)
    return [
        Entry(PurePosixPath(name), marked(filled.fill(template, facts)), 0o644)
        for name, template in FILES.items()
    ]


def _facts(model: Model, rendered: Mapping[str, Sequence[RenderedFile]]) -> dict[str, Any]:
    files = {
        gateway: [
            {
                "path": file.path,
                "folder": str(PurePosixPath(file.path).parent),
                "mode": f"{file.mode:04o}",
                "private": not file.mode & 0o077,
                "service": bool(SERVICE_READS.fullmatch(file.path)),
            }
            for file in each
        ]
        for gateway, each in rendered.items()
    }
    sites = [
        {
            "name": site.name,
            "group": f"site_{re.sub('[^A-Za-z0-9_]', '_', site.name)}",
            "clustered": site.mode is Mode.PACEMAKER,
            "gateways": [
                {"name": gateway.name, "host": str(gateway.lan[0].ip) if gateway.lan else ""}
                for gateway in site.gateways.values()
            ],
        }
        for site in model.sites.values()
    ]
    return {"sites": sites, "files": files, "gateways": list(rendered)}
