"""The JSON Schema of the site file, with the words by which its options are described."""

from havpn_core.config.schema import DIALECT, Schema, table_of
from havpn_core.serve.options import MetricsOptions
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
    site = table_of(SiteOptions)
    gateway = {"anyOf": [{"type": "string"}, table_of(GatewayOptions)]}
    site["properties"]["gateways"] |= {
        "additionalProperties": gateway,
        "minProperties": 2,
        "maxProperties": 2,
    }
    line = table_of(LineOptions)
    line["properties"]["ends"] |= {"minProperties": 2, "maxProperties": 2}
    whole = table_of(FileOptions)
    whole["properties"] |= {
        "site": _tables(whole, "site", site, at_least=2),
        "line": _tables(whole, "line", line, at_least=1),
        "tunnel": _in_words(whole, "tunnel", table_of(TunnelOptions)),
        "render": _in_words(whole, "render", table_of(RenderOptions)),
        "metrics": _in_words(whole, "metrics", table_of(MetricsOptions)),
    }
    return {"$schema": DIALECT, "title": TITLE, **whole}


def _tables(whole: Schema, key: str, each: Schema, at_least: int) -> Schema:
    found = {"type": "object", "additionalProperties": each, "minProperties": at_least}
    return _in_words(whole, key, found)


def _in_words(whole: Schema, key: str, schema: Schema) -> Schema:
    return {"description": whole["properties"][key]["description"], **schema}
