"""The JSON Schema of the site file, with the words by which its options are described."""

import ast
import inspect
from itertools import pairwise

import msgspec

from havpn_core.config.schema import DIALECT, Schema, table_of
from havpn_core.serve.options import MetricsOptions
from havpn_core.site.model import options
from havpn_core.site.model.options import (
    FileOptions,
    GatewayOptions,
    LineOptions,
    RenderOptions,
    SiteOptions,
    TunnelOptions,
)

TITLE = "HA-VPN, the gateways of all sites"


def of_site() -> Schema:
    """Describe the whole file."""
    site = _described(SiteOptions)
    gateway = {"anyOf": [{"type": "string"}, _described(GatewayOptions)]}
    site["properties"]["gateways"] |= {
        "additionalProperties": gateway,
        "minProperties": 2,
        "maxProperties": 2,
    }
    line = _described(LineOptions)
    line["properties"]["ends"] |= {"minProperties": 2, "maxProperties": 2}
    whole = _described(FileOptions)
    whole["properties"] |= {
        "site": _tables(whole, "site", site, at_least=2),
        "line": _tables(whole, "line", line, at_least=1),
        "tunnel": _in_words(whole, "tunnel", _described(TunnelOptions)),
        "render": _in_words(whole, "render", _described(RenderOptions)),
        "metrics": _in_words(whole, "metrics", table_of(MetricsOptions)),
    }
    return {"$schema": DIALECT, "title": TITLE, **whole}


def _tables(whole: Schema, key: str, each: Schema, at_least: int) -> Schema:
    found = {"type": "object", "additionalProperties": each, "minProperties": at_least}
    return _in_words(whole, key, found)


def _in_words(whole: Schema, key: str, schema: Schema) -> Schema:
    return {"description": whole["properties"][key]["description"], **schema}


def _described(struct: type[msgspec.Struct]) -> Schema:
    """Describe one table."""
    schema, words = table_of(struct), words_of(struct)
    for name, text in words.items():
        schema["properties"][name] = {**schema["properties"][name], "description": text}
    return schema


def words_of(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Give what the source says of each option: the text below it."""
    module = ast.parse(inspect.getsource(options))
    body = next(
        each.body
        for each in module.body
        if isinstance(each, ast.ClassDef) and each.name == struct.__name__
    )
    found = {}
    for option, said in pairwise(body):
        if isinstance(option, ast.AnnAssign) and isinstance(said, ast.Expr):
            text = " ".join(str(ast.literal_eval(said.value)).split())
            found[ast.unparse(option.target)] = text.replace("``", "")
    return found
