"""Pure: values of a frame as numbers of a fixed size, each under a tag of its own.

What is written never fails: a number beyond its range is written as the nearest in it, and what
is no value of its kind is left out. What is read is strict: :exc:`ValueError` for a wrong length
or a number that stands for nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from havpn_core.pair.wire.tags import join, split


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    :param tag: 0 to 255; never used again for something else.
    :param name: of the value.
    :param size: in bytes.
    :param number: turns the value into a number of that size, or ``None`` to leave it out.
    :param value: turns the number into the value; raises :exc:`ValueError` if it stands for none.
    """

    tag: int
    name: str
    size: int
    number: Callable[[Any], int | None]
    value: Callable[[int], Any]


def whole(tag: int, name: str, size: int, least: int = 0) -> Field:
    """Make a field of a whole number, ``least`` or more."""

    def value(number: int) -> int:
        if number < least:
            raise ValueError(f"{name} is less than {least}")
        return number

    return Field(tag, name, size, lambda number: _fitted(number, least, size), value)


def word(tag: int, name: str, words: Sequence[Any]) -> Field:
    """Make a field of one of a row of words; later releases may add some at the end."""

    def value(number: int) -> Any:
        if number >= len(words):
            raise ValueError(f"{name} is a word that there is not")
        return words[number]

    return Field(tag, name, 1, words.index, value)


def octets(tag: int, name: str, size: int) -> Field:
    """Make a field of so many bytes as they are."""
    return Field(
        tag,
        name,
        size,
        lambda data: int.from_bytes(data, "big") if len(data) == size else None,
        lambda number: number.to_bytes(size, "big"),
    )


def tenths(tag: int, name: str, size: int) -> Field:
    """Make a field of a time gone by in seconds, sent in tenths; what is no number is 0."""
    most = 256**size - 1
    return Field(
        tag,
        name,
        size,
        # In this order what is no number is 0.
        lambda seconds: round(min(max(0, seconds) * 10, most)),
        lambda number: number / 10,
    )


def flags_of(said: object, names: Sequence[str]) -> int:
    """Give attributes that hold or not as the bits of a number, the first one the lowest."""
    return sum(getattr(said, name) << bit for bit, name in enumerate(names))


def flags_in(number: int, names: Sequence[str]) -> dict[str, Any]:
    """Read them; bits that have no name are passed over."""
    return {name: bool(number >> bit & 1) for bit, name in enumerate(names)}


def write_fields(fields: Sequence[Field], values: Mapping[str, Any]) -> bytes:
    """Write the values that are given, in the order of the fields."""
    numbers = [
        (field, field.number(values[field.name])) for field in fields if field.name in values
    ]
    return join(
        (field.tag, number.to_bytes(field.size, "big"))
        for field, number in numbers
        if number is not None
    )


def read_fields(fields: Sequence[Field], data: bytes) -> dict[str, Any]:
    """Read the values that are there.

    :raises ValueError: if the fields are malformed.
    """
    known = {field.tag: field for field in fields}
    found = {}
    for tag, octet in split(data, known).items():
        field = known[tag]
        if len(octet) != field.size:
            raise ValueError(f"{field.name} has {len(octet)} bytes, not {field.size}")
        found[field.name] = field.value(int.from_bytes(octet, "big"))
    return found


def _fitted(number: int, least: int, size: int) -> int:
    largest: int = 256**size - 1
    return min(max(number, least), largest)
