"""Pure: whether the daemon of a gateway runs with what is rendered for it, by its digest."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from havpn_core.config.digest import digest_of
from havpn_core.site.drift.difference import Difference, What

RELOAD = "run havpn reload there"
START = "run systemctl start havpn there, and look at its log"


def digest_of_file(text: str) -> str | None:
    """Give the digest of a ``havpn.toml``; ``None``: it is no TOML."""
    try:
        return digest_of(tomllib.loads(text))
    except (ValueError, RecursionError):
        return None


def differing_status(
    gateway: str, rendered: str, found: str | None, status: Mapping[str, Any], remedy: str
) -> Iterator[Difference]:
    """Compare what a daemon says of itself with what is rendered.

    :param rendered: ``havpn.toml`` as it is rendered.
    :param found: the file on the gateway; ``None``: it is not known.
    :param status: as ``havpn status --json`` prints it.
    :param remedy: what makes the file again as it is rendered.
    """
    node, state = status.get("node"), status.get("state")
    if node != _node(rendered, gateway):
        said = f"is that of {node}, and not of this gateway"
        yield Difference(gateway, "status", What.STATUS, said, "look at node.name, and at DIR")
        return
    if state not in ("running", "paused"):
        yield Difference(gateway, "status", What.STATUS, f"the daemon is {state}", START)
    runs = (status.get("config") or {}).get("digest")
    wanted = digest_of_file(rendered)
    if runs is None or runs == wanted:
        return
    if found is not None and digest_of_file(found) == wanted:
        said = f"the daemon runs with {runs}, and its file is {wanted} as rendered: not reloaded"
        yield Difference(gateway, "status", What.STATUS, said, RELOAD)
    else:
        said = f"the daemon runs with {runs}, and {wanted} is rendered"
        yield Difference(gateway, "status", What.STATUS, said, f"{remedy}, and {RELOAD}")


def run_dir_of(rendered: str, default: str) -> str:
    """Give where the daemon keeps its status, by its ``havpn.toml``."""
    found = _table(rendered).get("run_dir")
    return found if isinstance(found, str) else default


def _node(rendered: str, gateway: str) -> str:
    """Give the name of the node; without one in the file it is that of the host."""
    found = _table(rendered).get("name")
    return found if isinstance(found, str) else gateway


def _table(rendered: str) -> Mapping[str, Any]:
    try:
        node = tomllib.loads(rendered).get("node")
    except (ValueError, RecursionError):
        return {}
    return node if isinstance(node, Mapping) else {}
