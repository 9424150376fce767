"""The JSON Schema of the configuration file, with the types that are loaded.

Draft 2020-12, for editors: it knows every key that the loader knows and refuses all others. What
depends on two keys at once only the loader judges.
"""

from enum import Enum
from typing import Any

import msgspec

from havpn_core.config.describe import options_of
from havpn_core.config.options import (
    CallOptions,
    LanOptions,
    NodeOptions,
    PathOptions,
    ProbeOptions,
)
from havpn_core.durations import Duration
from havpn_core.echo.gate import RespondOptions
from havpn_core.pair.options import PairOptions
from havpn_core.plugging.registry import Registry
from havpn_core.plugging.sources.files import FOLDER
from havpn_core.rules.target.frequency import Frequency
from havpn_core.rules.target.grey import Share
from havpn_core.serve.options import MetricsOptions

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAMES: Schema = {"pattern": "^[a-z][a-z0-9-]*$"}
DURATION: Schema = {
    "description": 'as "50ms", "1.5s", "3m", "1h", "1d" or a number of seconds',
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)\s*$"},
        {"type": "number", "exclusiveMinimum": 0},
    ],
}
FREQUENCY: Schema = {
    "description": 'as "1/100h", "0.5/h" or "1/30d"',
    "type": "string",
    "pattern": r"^\s*\d+(\.\d+)?\s*/\s*(\d+(\.\d+)?)?\s*(s|m|h|d)\s*$",
}
SHARE: Schema = {
    "description": 'as "3%" or a number from 0 to 0.3',
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\d{1,2}(\.\d+)?\s*%\s*$"},
        {"type": "number", "minimum": 0, "maximum": 0.3},
    ],
}


def of_file(registry: Registry) -> Schema:
    """Describe the whole file."""
    path = table_of(PathOptions, optional=True)
    path["properties"]["probe"] = _named(_instances(registry, "probe"), at_least=1)
    path["required"] = ["probe"]
    pair = table_of(PairOptions)
    pair["properties"]["link"] = _named(_instances(registry, "link"), at_least=1)
    pair["required"] = [*pair.get("required", []), "link"]
    enable = {"type": "array", "items": {"type": "string"}}
    folder = {"type": "string", "pattern": "^/", "default": str(FOLDER)}
    sections = {
        "node": table_of(NodeOptions),
        "plugins": object_of({"enable": enable, "folder": folder}),
        "path": _named(path),
        "action": _named(_instances(registry, "action")),
        "notifier": _named(_instances(registry, "notifier")),
        "respond": table_of(RespondOptions),
        "pair": pair,
        "lan": table_of(LanOptions),
        "metrics": table_of(MetricsOptions),
    }
    return {"$schema": DIALECT, "title": "HA-VPN", **object_of(sections)}


def object_of(properties: Schema) -> Schema:
    """Describe a table of these keys and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _named(each: Schema, at_least: int = 0) -> Schema:
    found = {"type": "object", "propertyNames": NAMES, "additionalProperties": each}
    return found | ({"minProperties": at_least} if at_least else {})


def _instances(registry: Registry, kind: str) -> Schema:
    """Choose among a kind's types by ``type``: an editor then offers the options of that one."""
    types = [plugin_type for plugin_type, _ in registry.types(kind)]
    choices = []
    for plugin_type in types:
        table = table_of(plugin_type.config)
        table["properties"]["type"] = {"const": plugin_type.name}
        if kind in ("action", "notifier"):
            table["properties"] |= table_of(CallOptions)["properties"]
        if kind == "probe":
            table["properties"] |= table_of(ProbeOptions)["properties"]
        choices.append({"if": {"properties": {"type": {"const": plugin_type.name}}}, "then": table})
    names = {"enum": [each.name for each in types], "description": f"type of the {kind}"}
    known = {"type": "object", "properties": {"type": names}, "required": ["type"]}
    return known | {"allOf": choices}


def table_of(struct_type: type[msgspec.Struct], *, optional: bool = False) -> Schema:
    """Describe one struct.

    :param optional: its required fields have defaults elsewhere, as those of a profile.
    """
    properties = {}
    fields = msgspec.structs.fields(struct_type)
    for field, option in zip(fields, options_of(struct_type), strict=True):
        # One by one: of a whole struct msgspec cannot write the defaults that are durations.
        (schema,), named = msgspec.json.schema_components((field.type,), schema_hook=_of_own)
        schema = _in_place(schema, named)
        words = {"description": option.description} if option.description else {}
        properties[option.name] = _plain({**schema, **words}) | _default(field)
    required = [] if optional else [f.encode_name for f in fields if f.required]
    return object_of(properties) | ({"required": required} if required else {})


def _in_place(schema: Any, named: Schema) -> Any:
    """Put what msgspec defines by name, such as an enumeration, where it is used."""
    if isinstance(schema, list):
        return [_in_place(each, named) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        found = named[schema["$ref"].rpartition("/")[2]]
        return {k: v for k, v in found.items() if k not in ("title", "description")}
    return {key: _in_place(value, named) for key, value in schema.items()}


def _default(field: Any) -> Schema:
    value = field.default.value if isinstance(field.default, Enum) else field.default
    if value is None or value is msgspec.NODEFAULT or isinstance(value, msgspec.Struct):
        return {}
    return {"default": str(value) if isinstance(value, Duration | Frequency | Share) else value}


def _plain(schema: Any) -> Any:
    """Bring what msgspec writes into what a TOML file can hold: there is no null."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema if each != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    found = {key: _plain(value) for key, value in schema.items() if value is not None}
    if "pattern" in found and isinstance(found["pattern"], str):
        # ECMA-262 has no \A and \Z.
        found["pattern"] = found["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
    return found


def _of_own(wanted: type) -> Schema:
    if issubclass(wanted, Duration):
        return dict(DURATION)
    if issubclass(wanted, Frequency):
        return dict(FREQUENCY)
    if issubclass(wanted, Share):
        return dict(SHARE)
    raise NotImplementedError(f"options of type {wanted.__name__} are not supported")
