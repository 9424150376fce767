"""Pure: convert a table of the file into a struct of options, and collect everything wrong in it.

Each problem names the key and what would be right.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from havpn_core.config.choices import formed, listed, suggestion
from havpn_core.durations import Duration
from havpn_core.errors import ConfigError
from havpn_core.rules.target.frequency import Frequency
from havpn_core.rules.target.grey import Share

S = TypeVar("S", bound=msgspec.Struct)
Table = Mapping[str, Any]


def struct_of(struct_type: type[S], key: str, table: Table) -> S:
    """Convert one table, as a plugin's options.

    :param key: where it stands, for the errors.
    :raises ConfigError: with every problem found.
    """
    problems: list[str] = []
    made = to_struct(struct_type, key, table, problems)
    if made is None:
        raise ConfigError(problems)
    return made


def to_struct(struct_type: type[S], key: str, table: Table, problems: list[str]) -> S | None:
    """Convert field by field, so that one mistake does not hide the next.

    :param key: where the table stands, for the problems.
    :param problems: gets what is found; ``None`` is returned if anything is.
    """
    fields = {f.encode_name: f for f in msgspec.structs.fields(struct_type)}
    found = unknown_keys(f"{key}.", table, fields)
    values = {}
    for name, option in fields.items():
        if name in table:
            try:
                values[option.name] = msgspec.convert(
                    table[name], option.type, dec_hook=decode_hook
                )
            except (msgspec.ValidationError, ValueError) as problem:
                text = listed(_plain(str(problem)), option.type)
                text = formed(text, option.type, option.default)
                found.append(f"{key}.{name}: {text}")
        elif option.required:
            found.append(f"{key}.{name}: is missing and has no default")
    if not found:
        try:
            return struct_type(**values)
        except (ValueError, TypeError) as problem:
            found.append(f"{key}: {problem}")
    problems += found
    return None


def unknown_keys(prefix: str, table: Table, known: Iterable[str]) -> list[str]:
    """Name the keys that there are not, with the one that was probably meant.

    :param prefix: where the table stands, such as ``path.vpn1.``.
    """
    names = tuple(known)
    return [
        f"{prefix}{key}: there is no such key{suggestion(key, names)} (known: {', '.join(names)})"
        for key in table
        if key not in names
    ]


def decode_hook(wanted: type, value: Any) -> Any:
    """Convert the types of ours that msgspec does not know."""
    if issubclass(wanted, Duration):
        return Duration.parse(value)
    if issubclass(wanted, Frequency):
        return Frequency.parse(value)
    if issubclass(wanted, Share):
        return Share.parse(value)
    raise NotImplementedError(f"options of type {wanted.__name__} are not supported")


def _plain(message: str) -> str:
    """Put msgspec's message into the words of a configuration file."""
    message = re.sub(r" - at `\$(.*)`", r" (at \1)", message)
    return re.sub(r"`([\w |]+)`", _in_words, message)


def _in_words(found: re.Match[str]) -> str:
    """Name types as people call them; what is none stays as it is."""
    words = {"str": "a text", "int": "a whole number", "float": "a number", "null": ""}
    words |= {"bool": "true or false", "array": "a list", "object": "a table"}
    names = found[1].split(" | ")
    if not set(names) <= set(words):
        return found[0]
    return " or ".join(filter(None, map(words.get, names))) or "nothing"
