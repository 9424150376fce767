"""Pure: the files of keys that ``havpn.toml`` names."""

from collections.abc import Iterator

from havpn_core.site.model.model import Model
from havpn_core.site.model.options import LineProbe, Mode
from havpn_core.site.rendering.havpn import PAIR_KEY
from havpn_core.site.rendering.paths import key_of
from havpn_core.site.rendering.sheet import PRIVATE, Sheet, secret

TEMPLATE = "key.j2"


def sheets(model: Model, gateway: str) -> Iterator[Sheet]:
    """Give the key of the pair, and that of each stream."""
    site = model.site_of(gateway)
    if site.mode is Mode.PAIR:
        of = f"the pair of site {site.name}"
        facts = {"of": of, "secret": secret(f"pair-{site.name}")}
        yield Sheet(PAIR_KEY, TEMPLATE, facts, PRIVATE)
    if model.options.line_probe is LineProbe.STREAM:
        for line in model.lines_of(gateway):
            facts = {"of": f"line {line.name}", "secret": secret(f"line-{line.name}")}
            yield Sheet(key_of(line), TEMPLATE, facts, PRIVATE)
