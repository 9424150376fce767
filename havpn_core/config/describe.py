"""What there is to configure, from the one place that says it: the option structs themselves."""

import ast
import inspect
import re
import types
import typing
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from havpn_core.durations import Duration
from havpn_core.plugging.descriptors import PluginType
from havpn_core.rules.target.frequency import Frequency
from havpn_core.rules.target.grey import Share

_FIELD = re.compile(r":param (\w+): (.*?)(?=\n\s*:|\n\s*\n|\Z)", re.S)


@dataclass(frozen=True)
class Option:
    """One key of a table.

    :param type: in words.
    :param default: as it would be written in the file; ``None`` if there is none.
    :param limits: what a value must keep to, in words; may be empty.
    """

    name: str
    type: str
    required: bool
    default: str | None
    description: str
    limits: str = ""


def options_of(struct_type: type[msgspec.Struct]) -> list[Option]:
    """List the options of a struct.

    A description comes from ``msgspec.Meta(description=…)``, from ``:param NAME:`` of the struct's
    docstring, or from the text below the field in the source.
    """
    documented = _documented(struct_type)
    hints = typing.get_type_hints(struct_type, include_extras=True)
    found = []
    for field in msgspec.structs.fields(struct_type):
        meta = _meta(hints[field.name])
        description = next((m.description for m in meta if m.description), "")
        found.append(
            Option(
                name=field.encode_name,
                type=_words(hints[field.name]),
                required=field.required,
                default=_default(field),
                description=description or documented.get(field.name, ""),
                limits=", ".join(filter(None, map(_limits, meta))),
            )
        )
    return found


def example(kind: str, plugin_type: PluginType) -> str:
    """Write a table of the file that uses a type, with its required options."""
    head = {
        "probe": "path.vpn1.probe.own",
        "action": "action.own",
        "notifier": "notifier.own",
        "link": "pair.link.own",
        "renderer": f"renderer.{plugin_type.name}",
    }[kind]
    lines = [f"[{head}]"]
    if kind != "renderer":  # of which a site file has one of a type
        lines.append(f'type = "{plugin_type.name}"')
    for option in options_of(plugin_type.config):
        if option.required:
            lines.append(f"{option.name} = {_sample(option)}")
    return "\n".join(lines)


def _sample(option: Option) -> str:
    known = {
        "host": '"192.0.2.6"',
        "port": "443",
        "command": '["/usr/local/bin/look", "192.0.2.6"]',
        "active": '["/usr/local/bin/take"]',
        "standby": '["/usr/local/bin/give"]',
        "agent": '"ocf:heartbeat:IPaddr2"',
        "addresses": '["10.1.255.254/16"]',
        "device": '"eth0"',
        "local": '"10.1.255.252"',
        "peer": '"10.1.255.253"',
        "from": '"gateway@example.com"',
        "to": '["operators@example.com"]',
    }
    by_type = {"text": '"..."', "whole number": "1", "number": "1.0", "duration": '"1s"'}
    return known.get(option.name) or by_type.get(option.type, "[]")


def _documented(struct_type: type) -> dict[str, str]:
    found: dict[str, str] = {}
    for base in reversed(struct_type.__mro__):
        text = inspect.cleandoc(base.__doc__ or "")
        said = dict(_FIELD.findall(text))
        if not said and msgspec.Struct in base.__mro__[1:]:
            said = _below(base)
        found |= {name: " ".join(words.split()) for name, words in said.items()}
    return {name: words.replace("``", "") for name, words in found.items()}


def _below(struct_type: type) -> dict[str, str]:
    """Give the texts that stand below the fields in the source; none without a source."""
    try:
        [body] = ast.parse(inspect.cleandoc("\n" + inspect.getsource(struct_type))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return {}
    found: dict[str, str] = {}
    for field, text in pairwise(getattr(body, "body", ())):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=said)):
                found[name] = str(said)
    return found


def _meta(hint: Any) -> list[msgspec.Meta]:
    """Give everything that is said of a type, of the members of a union, too."""
    found = []
    if get_origin(hint) is Annotated:
        inner, *said = get_args(hint)
        found += [each for each in said if isinstance(each, msgspec.Meta)] + _meta(inner)
    elif get_origin(hint) in (typing.Union, types.UnionType):
        for each in get_args(hint):
            found += _meta(each)
    return found


def _limits(meta: msgspec.Meta) -> str:
    words = {
        "ge": "at least {}",
        "gt": "more than {}",
        "le": "at most {}",
        "lt": "less than {}",
        "min_length": "length at least {}",
        "max_length": "length at most {}",
    }
    given = {name: getattr(meta, name) for name in words}
    return ", ".join(words[n].format(v) for n, v in given.items() if v is not None)


def _words(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        hint = arguments[0]
        origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        origin, arguments = Literal, tuple(each.value for each in hint)
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_words(each) for each in arguments if each is not type(None))
    if origin in (list, tuple, set, frozenset):
        return f"list of {_words(arguments[0])}"
    if origin is dict:
        return "table" if arguments[1] is Any else f"table of {_words(arguments[1])}"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return "table"
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    plain |= {Duration: "duration", Frequency: "frequency", Share: "share"}
    return plain.get(hint, getattr(hint, "__name__", "value"))


def _default(field: Any) -> str | None:
    if field.required:
        return None
    if field.default is msgspec.NODEFAULT:
        # A factory depends on the host, as its name; only empty lists and tables are the same.
        made = field.default_factory
        return {list: "[]", dict: "{}"}.get(made, "of this host")
    return _toml(field.default)


def _toml(value: Any) -> str:
    if value is None or isinstance(value, msgspec.Struct):
        return "not set" if value is None else "{}"
    if isinstance(value, Duration | Frequency | Share):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return _toml(value.value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)
