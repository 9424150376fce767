"""Call what an action is able to do on the LAN of its addresses (``LanPresence``).

As in :mod:`~havpn_core.plugging.gate.calls`, what comes back is of known type and size.
"""

import re
from collections.abc import Callable
from itertools import islice
from typing import Any

from havpn_core.errors import HavpnError
from havpn_core.plugging.gate import coercion
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.inlet import Inlet
from havpn_core.plugging.wording import LONGEST_NAME, shown, words

MOST_OWNERS = 10_000
"""Repliers of one round that are looked at: a flood of them must not hide the true owner."""
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}\Z")


async def owners_seen(caller: Caller, timeout_s: float, deadline_s: float) -> tuple[str, ...]:
    """Give who on the LAN has one of the addresses.

    :raises HavpnError: if that is not known, or the call failed in any way.
    """
    return as_owners(await caller.call("owners_seen", timeout_s, deadline_s=deadline_s))


def lan_address(caller: Caller) -> bytes:
    """Give the link-layer address on the LAN, 6 bytes; none without one or without a carrier."""
    return mac_of(as_mac(caller.quietly("lan_address")))


def broadcast(caller: Caller, frame: bytes) -> None:
    """Send a frame to everybody on the LAN."""
    caller.quietly("broadcast", frame)


def tell_broadcasts(caller: Caller, take: Callable[[str, bytes], None]) -> None:
    """Have each frame handed on that arrives.

    :param take: called on the loop with the sender's link-layer address, empty if that is none,
        and the frame, from whichever thread the plugin tells them.
    """
    inlet = Inlet(_as_broadcast, lambda found: take(*found))

    def tell(*given: Any, **others: Any) -> None:
        inlet(given)

    caller.quietly("tell_broadcasts", tell)


def as_owners(value: Any) -> tuple[str, ...]:
    """Take the result of ``owners_seen``; a name that is none counts as somebody's all the same.

    :raises HavpnError: if it is no list of texts.
    """
    for base in (list, tuple, set, frozenset):
        if issubclass(type(value), base):
            items = list(islice(base.__iter__(value), MOST_OWNERS))
            return tuple(dict.fromkeys(_name(item) for item in items))
    raise HavpnError(f"owners_seen gave {shown(value)}, which is no list of texts")


def as_mac(value: Any) -> str:
    """Take a link-layer address, such as ``02:00:00:00:00:01``; empty if it is none."""
    if not issubclass(type(value), str):
        return ""
    text = words(value, LONGEST_NAME).lower()
    return text if _MAC.match(text) else ""


def mac_of(text: str) -> bytes:
    """Give the 6 bytes of a link-layer address; none of an empty text."""
    return bytes.fromhex(text.replace(":", ""))


def _name(value: Any) -> str:
    return as_mac(value) or (
        words(value, LONGEST_NAME) if issubclass(type(value), str) else "somebody"
    )


def _as_broadcast(given: tuple[Any, ...]) -> tuple[str, bytes]:
    sender, frame, *_ = (*given, None, None)
    return as_mac(sender), coercion.as_frame(frame)
