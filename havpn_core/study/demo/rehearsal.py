"""A user's own site made fit to be rehearsed in namespaces: what is changed for that, and why."""

import copy
import secrets
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from havpn_core.config.instances import Config
from havpn_core.config.profiles import worst_failback_s
from havpn_core.errors import ConfigError
from havpn_core.plugging.rendering import RenderedFile
from havpn_core.site.configured import configured
from havpn_core.site.file import tables_in
from havpn_core.site.model.model import Model
from havpn_core.site.model.options import Mode
from havpn_core.site.model.problem import Problem
from havpn_core.site.reading import model_of
from havpn_core.site.rendering.toml import toml_of
from havpn_core.site.rendering.whole import render
from havpn_core.site.secrets import filled, names_in
from havpn_core.site.verified import verified
from havpn_core.study.demo.clusters import lacking
from havpn_core.testing.lab.daemons.supervisor import CONFIG
from havpn_core.testing.lab.hosts.plan import Plan, plan_of

FOLDER = "/etc/havpn/"
# Of the machine, or of somebody who would be told of a failover that never was.
NOT_REHEARSED = ("node", "notifier", "metrics")


@dataclass(frozen=True)
class Rehearsal:
    """A site that can be built here.

    :param plan: who has which address.
    :param texts: the files below ``/etc/havpn`` of each gateway, secrets included.
    :param notes: what differs from the user's gateways, and why.
    :param paths: the path of each gateway.
    :param back_s: how long the slower site needs at the most from a heal until it is back.
    :param returning: the sites whose preferred gateway takes the role back by itself.
    """

    plan: Plan
    texts: Mapping[str, Mapping[str, str]]
    notes: tuple[str, ...]
    paths: Mapping[str, str]
    back_s: float
    returning: frozenset[str]


def rehearsal_of(file: Path) -> Rehearsal:
    """Read a site file and make of it what can be rehearsed.

    :raises ConfigError: with every problem of the file, or of what it is rendered to.
    """
    raw = tables_in(file)
    try:
        return _made(raw)
    except ConfigError as problem:
        raise ConfigError([f"{file}: {text}" for text in problem.problems]) from None


def _made(raw: dict[str, Any]) -> Rehearsal:
    given = verified(raw)
    _refuse(given.problems)
    plan = plan_of(model_of(fitted(raw)))
    configs, problems = configured(plan.model)
    _refuse(problems)
    rendered = render(plan.model)
    names = names_in(each.text for gateway in rendered.values() for each in gateway)
    known = {name: secrets.token_hex(32) for name in names}
    texts = {name: _texts(each, known) for name, each in rendered.items()}
    returning = {
        plan.site_name(name) for name, config in configs.items() if _returns(plan, name, config)
    }
    return Rehearsal(
        plan=plan,
        texts=texts,
        notes=tuple(_notes(model_of(raw), raw)),
        paths={name: config.paths[0].name for name, config in configs.items()},
        back_s=max(map(_back_s, configs.values())),
        returning=frozenset(returning),
    )


def _refuse(problems: Iterable[Problem]) -> None:
    if found := [str(problem) for problem in problems]:
        raise ConfigError(found)


def fitted(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give the tables without what belongs to the user's machines alone."""
    found = copy.deepcopy(dict(raw))
    for site in found["site"].values():
        if lacking(_mode(site)):
            site["mode"] = Mode.PAIR.value
        for gateway in site["gateways"].values():
            if isinstance(gateway, dict):
                _stripped(gateway.get("havpn", {}))
    _stripped(found)
    _stripped(found.get("havpn", {}))
    # There is no conntrackd in the laboratory, and crmsh takes the cluster's block over.
    found["render"] = {**found.get("render", {}), "conntrackd": False, "cluster": "crmsh"}
    return found


def _mode(site: Mapping[str, Any]) -> Mode:
    return Mode(site.get("mode", Mode.PAIR.value))


def _stripped(table: dict[str, Any]) -> None:
    for key in NOT_REHEARSED:
        table.pop(key, None)


def _texts(rendered: tuple[RenderedFile, ...], known: Mapping[str, str]) -> dict[str, str]:
    """Give the files of the daemon with their secrets."""
    found = {f.path: filled(f.text, known) for f in rendered if f.path.startswith(FOLDER)}
    tables = tomllib.loads(found[CONFIG])
    tables.pop("notifier", None)  # the log of the machine is not the laboratory's
    return {**found, CONFIG: toml_of(tables)}


def _returns(plan: Plan, gateway: str, config: Config) -> bool:
    """Whether its site goes back to the preferred gateway by itself."""
    if config.pair is not None:
        return config.pair.options.preempt != "manual"
    return plan.model.site_of(gateway).options.preempt == "auto"


def _back_s(config: Config) -> float:
    waits = config.pair is not None and config.pair.options.preempt == "delay"
    delay_s = float(config.pair.options.preempt_delay) if config.pair and waits else 0.0
    return delay_s + max(worst_failback_s(path.options) for path in config.paths)


def _notes(model: Model, raw: Mapping[str, Any]) -> Iterator[str]:
    """Say in which respect this is not what the gateways are."""
    yield "tunnels: the lines carry the networks as they are, without IPsec"
    if model.options.render.firewall:
        yield "firewall: its openings are not loaded, and nothing is filtered"
    for name, site in model.sites.items():
        if why := lacking(site.mode):
            manager = site.mode.value.capitalize()
            yield f"site {name}: RUNS AS A PAIR, and not with {manager}: {why}"
        devices = sorted({gateway.serial for gateway in site.gateways.values()} - {""})
        if devices:
            yield f"site {name}: the serial cable is a pseudoterminal in place of {devices[0]}"
        if not site.options.witnesses or site.options.witnesses == "auto":
            continue
        yield f"site {name}: one host has the addresses of all witnesses"
    for line in model.lines.values():
        for end in line.ends:
            if end.address is None:
                what = end.name or "a dynamic address"
                yield f"line {line.name}: {end.gateway} has an address made up for {what}"
    if model.options.render.conntrackd:
        yield "conntrackd: does not run"
    if "notifier" in raw:
        yield "notifiers: nobody is notified of what happens here"
    if "metrics" in raw:
        yield "metrics: are not served"
