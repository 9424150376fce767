"""Pure: what Pacemaker's commands say of the other nodes."""

import re
from collections.abc import Iterable, Mapping

_WORD = re.compile(r'\b(\w+)="([^"]*)"')
_NODE = re.compile(r"<node\s[^>]*>")


def values_of(text: str) -> dict[str, str]:
    """Read the output of ``attrd_updater -Q -A``: the value of each node that has one."""
    lines = (dict(_WORD.findall(line)) for line in text.splitlines())
    return {each["host"]: each["value"] for each in lines if each.get("host") and "value" in each}


def nodes_of(xml: str) -> dict[str, bool]:
    """Read ``crm_mon --output-as=xml``: whether each node may have resources now."""
    found = [dict(_WORD.findall(tag)) for tag in _NODE.findall(xml)]
    return {each["name"]: _may_serve(each) for each in found if "online" in each and "name" in each}


def _may_serve(node: Mapping[str, str]) -> bool:
    no = ("standby", "standby_onfail", "maintenance", "pending", "unclean", "shutdown")
    return node["online"] == "true" and not any(node.get(word) == "true" for word in no)


def turn_of(own: str, serving: Iterable[str], preferred: str) -> int:
    """Give how many of the other nodes that serve go before this one.

    All nodes must come to the same order: the preferred one is the first, then go the names.

    :param preferred: may be empty.
    """

    def rank(name: str) -> tuple[bool, str]:
        return (name != preferred, name)

    return sum(rank(name) < rank(own) for name in serving if name != own)
