"""Pure: how a frame of the partner heartbeat begins, in each version of the protocol.

Big-endian. Version 1: version 1, key 1, incarnation 8, nonce 8, echo 8, sequence 4; version 2 has
8 bytes for the key. What follows is the content and, at the end, the signature of all before.
"""

import struct

import msgspec

NONCE_BYTES = 8
_HALVES = struct.Struct("!II")
_HALF = 2**32

_LAYOUTS = {1: struct.Struct("!B1sQ8s8sI"), 2: struct.Struct("!B8sQ8s8sI")}
VERSIONS = tuple(_LAYOUTS)

Run = tuple[int, int]
"""What tells one run of a gateway from all others: its incarnation, and the mark of its nonces."""


class Head(msgspec.Struct, frozen=True):
    """The head of a frame.

    :param version: of the protocol.
    :param key_id: which key signs the frame.
    :param incarnation: number of the sender's run.
    :param nonce: the newest nonce of the sender.
    :param echo: the newest nonce that the sender knows of the receiver; zeros if none.
    :param sequence: number of the frame within the run, from 1.
    """

    version: int
    key_id: bytes
    incarnation: int
    nonce: bytes
    echo: bytes
    sequence: int

    @property
    def run(self) -> Run:
        """The run of the sender."""
        return self.incarnation, mark(self.nonce)

    def pack(self) -> bytes:
        """Turn the head into bytes."""
        return _LAYOUTS[self.version].pack(
            self.version, self.key_id, self.incarnation, self.nonce, self.echo, self.sequence
        )


def head_bytes(version: int) -> int:
    """Give the length of the head of a version, in bytes."""
    return _LAYOUTS[version].size


def read_head(frame: bytes) -> Head:
    """Read the head of a frame that is long enough and of a version in :data:`VERSIONS`."""
    return Head(*_LAYOUTS[frame[0]].unpack_from(frame))


def mark(nonce: bytes) -> int:
    """Give what all nonces of one run have in common, and those of two runs but by rare chance."""
    first, second = _halves(nonce)
    return (first + second) % _HALF


def following(nonce: bytes) -> bytes:
    """Give the next nonce of a run: none that was before, with the same mark."""
    first, second = _halves(nonce)
    return _HALVES.pack((first + 1) % _HALF, (second - 1) % _HALF)


def _halves(nonce: bytes) -> tuple[int, int]:
    first, second = _HALVES.unpack(nonce)
    return first, second
