"""Everything that is wrong with a site file, at once: its values, the model, and what follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from havpn_core.config.instances import Config
from havpn_core.site.configured import configured
from havpn_core.site.model.model import Model
from havpn_core.site.model.problem import Problem, split
from havpn_core.site.reading import read_model
from havpn_core.site.verify.whole import seldom_meant, verify

HANDED_ON = tuple(f"{table}." for table in ("havpn", "metrics", "notifier", "plugins", "renderer"))


@dataclass(frozen=True)
class Verified:
    """What was found.

    :param model: as far as the file can be read.
    :param problems: sorted, without repetitions; none where the file can be rendered.
    :param cautions: what is allowed but seldom meant.
    :param configs: the configuration that each gateway gets, where its tables are good.
    """

    model: Model | None
    problems: list[Problem]
    cautions: list[Problem] = field(default_factory=list)
    configs: dict[str, Config] = field(default_factory=dict)


def verified(raw: Mapping[str, Any]) -> Verified:
    """Find all that is wrong; nothing is touched.

    :param raw: the tables of the file.
    """
    reading = read_model(raw)
    read = [split(text) for text in reading.problems]
    if reading.model is None:
        return Verified(None, sorted(set(read)))
    # What is wrong with a table may follow from a value that was left out.
    found = [p for p in verify(reading.model) if not _in(p.key, reading.spoilt - {""})]
    configs: dict[str, Config] = {}
    if not found and not read:
        # With what is wrong so far, the rest would be said in keys that nobody has written.
        configs, found = configured(reading.model)
    else:
        found += _of_tables(reading.model)
    return Verified(reading.model, sorted({*read, *found}), seldom_meant(reading.model), configs)


def _of_tables(model: Model) -> list[Problem]:
    """Give what is wrong in the tables that the site file hands on, whatever else is."""
    found = [p for p in configured(model)[1] if not p.key.startswith("havpn.toml of ")]
    return [p for p in found if ".havpn." in p.key or p.key.startswith(HANDED_ON)]


def _in(key: str, tables: set[str]) -> bool:
    return any(key == table or key.startswith(f"{table}.") for table in tables)
