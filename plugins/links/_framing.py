"""Pure: find frames again in a stream of bytes that may be noise.

Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999) keeps the zero byte out of a
frame, so a zero always ends one: after any noise the next frame but one is whole again. A CRC of
16 bits keeps noise from being counted as forgery.
"""

import binascii

LONGEST = 512
"""What has not ended after so many bytes is noise."""


def encode(frame: bytes) -> bytes:
    """Make the bytes for the line, between two zeros: the first ends what noise began."""
    data = frame + binascii.crc_hqx(frame, 0xFFFF).to_bytes(2, "big")
    out = bytearray([0])
    for block in (data + b"\0").split(b"\0")[:-1]:
        rest = block
        while len(rest) >= 254:
            out += bytes([255]) + rest[:254]
            rest = rest[254:]
        out += bytes([len(rest) + 1]) + rest
    return bytes(out + b"\0")


def decode(stuffed: bytes) -> bytes | None:
    """Give the frame, or ``None`` if it is damaged."""
    data, at = bytearray(), 0
    while at < len(stuffed):
        length = stuffed[at]
        block = stuffed[at + 1 : at + length]
        if length == 0 or len(block) != length - 1:
            return None
        data += block
        at += length
        if length < 255:
            data.append(0)
    if len(data) < 3:
        return None
    frame, crc = bytes(data[:-3]), bytes(data[-3:-1])
    return frame if binascii.crc_hqx(frame, 0xFFFF).to_bytes(2, "big") == crc else None


class Deframer:
    """Takes bytes in as they come and gives the frames in them."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self.damaged = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Give the frames that these bytes complete."""
        self._rest += data
        *whole, rest = bytes(self._rest).split(b"\0")
        self._rest = bytearray(rest)
        if len(self._rest) > LONGEST:
            self._rest.clear()
            self.damaged += 1
        frames = []
        for stuffed in filter(None, whole):
            frame = decode(stuffed)
            if frame is None:
                self.damaged += 1
            else:
                frames.append(frame)
        return frames
