"""Pure: the words and forms that an option may have, for errors that name them."""

import difflib
import re
import types
import typing
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

_NO_CHOICE = re.compile(r"Invalid enum value (?P<value>.*?)(?P<at> \(at .*\))?\Z", re.DOTALL)
_NO_FORM = re.compile(r"Expected a text matching regex .*?(?P<at> \(at [^ ]*\))?\Z", re.DOTALL)
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


def formed(message: str, hint: Any, default: Any) -> str:
    """Put msgspec's complaint about the form of a text into words with an example.

    :param message: the complaint; one about anything else is given back as it is.
    :param hint: the type of the option, whose ``Meta`` may have an example.
    :param default: what the option is without a value, which has the form.
    """
    found = _NO_FORM.match(message)
    if found is None:
        return message
    metas = list(_metas(hint))
    given = [text for meta in metas for text in getattr(meta, "examples", None) or ()]
    forms = [meta.pattern for meta in metas if getattr(meta, "pattern", None)]
    if isinstance(default, str) or given:
        how = f'write a text such as "{default if isinstance(default, str) else given[0]}"'
    else:
        how = f"write a text of the form {' or '.join(forms)}"
    return f"{how}{found['at'] or ''}"


def _metas(hint: Any) -> Iterator[Any]:
    """Give what is annotated to a type and to those within it."""
    if get_origin(hint) in _INNER:
        yield from getattr(hint, "__metadata__", ())
        for each in get_args(hint):
            yield from _metas(each)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Name the known word that was probably meant; empty if none is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
