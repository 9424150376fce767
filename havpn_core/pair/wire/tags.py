"""Pure: fields in a row, each as tag, length and value, so that a later release may add some.

A tag has one byte, a length one byte. A reader takes the tags that it knows and passes over the
others, whatever their length. A tag that is known and comes twice has no one meaning: the whole
is malformed, as it is if it ends within a field.
"""

from collections.abc import Container, Iterable

_HEAD_BYTES = 2


def join(fields: Iterable[tuple[int, bytes]]) -> bytes:
    """Write fields in the given order; each value has at most 255 bytes."""
    return b"".join(bytes((tag, len(value))) + value for tag, value in fields)


def split(data: bytes, known: Container[int]) -> dict[int, bytes]:
    """Read the fields whose tags are known.

    :raises ValueError: if a field is cut off, or a known one comes twice.
    """
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        if at + _HEAD_BYTES > len(data):
            raise ValueError("a field without a length")
        tag, length = data[at : at + _HEAD_BYTES]
        at += _HEAD_BYTES + length
        if at > len(data):
            raise ValueError("a field that is cut off")
        if tag not in known:
            continue
        if tag in found:
            raise ValueError("a field that comes twice")
        found[tag] = data[at - length : at]
    return found
