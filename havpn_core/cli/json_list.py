"""Write the page of the JSON that the commands print, from the structs themselves.

``python -m havpn_core.cli.json_list > docs/json.md`` brings it up to date.
"""

import types
import typing
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec

from havpn_core.config.describe import options_of
from havpn_core.daemon.state.status import SCHEMA, Status

HEAD = f"""# JSON

Made by `python -m havpn_core.cli.json_list`.

Programs read the JSON, never the text: the text may change in any release. A release adds keys
and leaves those that exist. `schema` of the status (now {SCHEMA}) grows when a key is removed or
changes its meaning. Ignore keys and words that are not known.

Times ending in `_s` are seconds, `_ms` milliseconds; `_at` and `since` are RFC 3339 in UTC; shares
are 0 to 1. `null` means not known, or not at the moment.
"""
PRINTED = (
    (
        "`havpn status --json`",
        "one object, [below](#status); `GET /status` of [`[metrics]`](metrics.md) gives the same",
    ),
    (
        "`havpn status --site --json`",
        "`schema`, `node`, `state` and `gateways`: a list of `place`, `name`, `role`, `fit`, "
        "`line`, `remarks`, `known_by`, `age_s`",
    ),
    ("`havpn events --json`", "one object a line, oldest first: [events](events.md)"),
    (
        "`havpn doctor --json`",
        "`schema`, the counts and `findings`: a list of `check`, `subject`, `level`, `text`, "
        "`remedy`",
    ),
    ("`havpn plugin list --json`", "a list of plugins"),
    ("`havpn plugin show NAME --json`", "a list of types with their options"),
    ("`havpn config schema`", "the JSON Schema of the configuration file"),
    (
        "`havpn simulate --json`",
        "for each simulation `hours`, `switches`, `backup_share` and `detection_s` (`p50`, "
        "`p99`); with a stream also `far_switches`",
    ),
    (
        "`havpn advise --json`",
        "`probes`, `loss`, `loss_upper`, `spells_s`, `jitter_ms`, `written_per_h` and `targets`: "
        "a list of `false_switches`, `fall`, `silence_s`, `detection_s`, `per_h`, `kept`",
    ),
)
"""What each command prints."""


def markdown() -> str:
    """Write the page."""
    lines = [*HEAD.splitlines(), "", "| command | prints |", "| --- | --- |"]
    lines += [f"| {command} | {what} |" for command, what in PRINTED]
    for struct in structs_of(Status):
        lines += ["", f"## {title(struct)}", "", about(struct), ""]
        lines += ["| key | type | meaning |", "| --- | --- | --- |"]
        for option in options_of(struct):
            if option.name != "facts":
                hint = typing.get_type_hints(struct)[option.name]
                lines.append(f"| `{option.name}` | {words(hint)} | {_cell(option.description)} |")
            else:
                lines.append("| ... | | what the plugin itself says, beside these keys |")
    return "\n".join(lines) + "\n"


def structs_of(root: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """List a struct and those within it, each once, the outer ones first."""
    found = [root]
    for struct in found:
        for hint in typing.get_type_hints(struct).values():
            found += [each for each in _inner(hint) if each not in found]
    return found


def title(struct: type) -> str:
    """Give the heading of a struct, ``PathStatus`` as ``Path``."""
    name = struct.__name__
    return name if name == "Status" else name.removesuffix("Status")


def about(struct: type) -> str:
    """Give the first sentence of a struct's docstring."""
    text = (struct.__doc__ or "").partition("\n\n")[0].partition("\n    :param")[0]
    return _cell(text.replace("``", "`"))


def words(hint: Any) -> str:
    """Say what a value is, with a link to the table of an object."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (typing.Union, types.UnionType):
        named = [words(each) for each in arguments if each is not msgspec.UnsetType]
        return " or ".join(named)
    if origin is dict:
        return f"object by name: {words(arguments[1])}" if arguments[1] is not Any else "object"
    if origin is list:
        return f"list of {words(arguments[0])}"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return f"[{title(hint)}](#{title(hint).lower()})"
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return plain.get(hint, "null")


def _inner(hint: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for each in get_args(hint):
        yield from _inner(each)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("None", "`null`").replace("|", "\\|")


if __name__ == "__main__":
    print(markdown(), end="")
