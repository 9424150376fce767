"""Pure: programs of classic BPF that keep out of a socket what it is not for.

A line is code, jump if true, jump if false, constant. Offsets of a packet socket count from the
Ethernet header: 6 is the sender's link-layer address there.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from .announce import ADVERTISEMENT

Instruction = tuple[int, int, int, int]

_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE, _JUMP_EQUAL, _RETURN = 0x20, 0x28, 0x30, 0x15, 0x06
_END: list[Instruction] = [(_RETURN, 0, 0, 0), (_RETURN, 0, 0, 0xFFFF)]
"""The last two lines refuse and accept."""


def arp_filter(own: bytes, addresses: Sequence[IPv4Address]) -> list[Instruction]:
    """Let in others' ARP frames that claim our addresses.

    22 is the sender's link-layer address in ARP, 28 its IPv4 address.
    """
    return [
        (_LOAD_WORD, 0, 0, 22),
        (_JUMP_EQUAL, 0, 2, int.from_bytes(own[:4])),
        (_LOAD_HALF, 0, 0, 26),
        (_JUMP_EQUAL, len(addresses) + 1, 0, int.from_bytes(own[4:])),
        (_LOAD_WORD, 0, 0, 28),
        *_one_of([int(address) for address in addresses]),
    ]


def advertisement_filter(addresses: Sequence[IPv6Address]) -> list[Instruction]:
    """Let in ICMPv6 advertisements of addresses that end as ours do."""
    return [
        (_LOAD_BYTE, 0, 0, 0),
        (_JUMP_EQUAL, 0, len(addresses) + 1, ADVERTISEMENT),
        (_LOAD_WORD, 0, 0, 20),
        *_one_of([int.from_bytes(address.packed[12:]) for address in addresses]),
    ]


def broadcast_filter(own: bytes) -> list[Instruction]:
    """Let in others' frames to everybody, of whatever EtherType the socket is bound to."""
    return [
        (_LOAD_WORD, 0, 0, 0),
        (_JUMP_EQUAL, 0, 6, 0xFFFFFFFF),
        (_LOAD_HALF, 0, 0, 4),
        (_JUMP_EQUAL, 0, 4, 0xFFFF),
        (_LOAD_WORD, 0, 0, 6),
        (_JUMP_EQUAL, 0, 3, int.from_bytes(own[:4])),
        (_LOAD_HALF, 0, 0, 10),
        (_JUMP_EQUAL, 0, 1, int.from_bytes(own[4:])),
        *_END,
    ]


def _one_of(values: list[int]) -> list[Instruction]:
    """Compare what was loaded with each."""
    tests = [(_JUMP_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [*tests, *_END]
