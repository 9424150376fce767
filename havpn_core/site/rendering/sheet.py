"""Pure: what goes into a template, and where the file that it makes belongs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface
from typing import Any

from havpn_core.site.model.model import Address, Interface

PRIVATE = 0o600
FOLDER = "/etc/havpn"


@dataclass(frozen=True)
class Sheet:
    """One file of a gateway before its template is filled.

    :param path: where it belongs on the gateway.
    :param template: the name of its template.
    :param facts: what the template refers to.
    """

    path: str
    template: str
    facts: Mapping[str, Any]
    mode: int = 0o644


def secret(name: str) -> str:
    """Give what stands for a secret until the tree is written."""
    return f"{{{{secret:{name}}}}}"


def together(near: Sequence[Interface], far: Sequence[Interface]) -> Iterator[tuple[Address, ...]]:
    """Give an address of each of two hosts, of the same family, for each family of both."""
    for own in near:
        for other in far:
            if isinstance(own, IPv4Interface) == isinstance(other, IPv4Interface):
                yield own.ip, other.ip
                break


def first_together(
    near: Sequence[Interface], far: Sequence[Interface], key: str
) -> tuple[Address, ...]:
    """Give the first of :func:`together`.

    :param key: where the near one's addresses stand.
    :raises ValueError: if they have no family in common.
    """
    for both in together(near, far):
        return both
    raise ValueError(
        f"{key}: {_listed(near)} and {_listed(far)} have no family in common: "
        "give both gateways a LAN address of the same family"
    )


def _listed(addresses: Sequence[Interface]) -> str:
    return ", ".join(str(each.ip) for each in addresses) or "nothing"
