"""Pure: the Internet checksum."""

import struct


def checksum(data: bytes) -> int:
    """Give the Internet checksum of some bytes (RFC 1071); an odd one counts as followed by 0."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
