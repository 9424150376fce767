"""Pure: the words that an option may have, for errors that list them."""

import difflib
import re
import types
import typing
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

_NO_CHOICE = re.compile(r"Invalid enum value (?P<value>.*?)(?P<at> \(at .*\))?\Z", re.DOTALL)
_INNER = (Annotated, list, tuple, set, frozenset, dict, typing.Union, types.UnionType)


def choices(hint: Any) -> tuple[str, ...]:
    """Give the words that a type allows, also within lists and tables; none if it is no choice.

    :param hint: the type of an option.
    """
    return tuple(dict.fromkeys(_words(hint)))


def _words(hint: Any) -> Iterator[str]:
    origin = get_origin(hint)
    if origin is Literal:
        yield from (str(value) for value in get_args(hint))
    elif isinstance(hint, type) and issubclass(hint, Enum):
        yield from (str(each.value) for each in hint)
    elif origin in _INNER:
        inner = get_args(hint)[:1] if origin is Annotated else get_args(hint)
        for each in inner:
            yield from _words(each)


def listed(message: str, hint: Any) -> str:
    """Put msgspec's complaint about a choice into words that list what may be written.

    :param message: the complaint; one about anything else is given back as it is.
    :param hint: the type of the option.
    """
    words, found = choices(hint), _NO_CHOICE.match(message)
    if not words:
        return message
    allowed = ", ".join(f'"{word}"' for word in words)
    if found is not None:
        near = suggestion(found["value"].strip("'"), words)
        return f"{found['value']} is none of {allowed}{near}{found['at'] or ''}"
    if message.startswith(("Expected a text, got", "Expected `str`, got")):
        return f"{message}: write one of {allowed}"
    return message


def suggestion(word: str, known: Iterable[str]) -> str:
    """Name the known word that was probably meant; empty if none is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
