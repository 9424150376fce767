"""Compare the budgets of the echo responder with what a far end like this one sends."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from havpn_core.config.instances import Config, PathConfig
from havpn_core.durations import Duration
from havpn_core.echo.demand import Pace, least_rate, least_total
from havpn_core.rules.target.rule import Pace as Sending
from havpn_core.rules.target.rule import most_fall

ECHO = "udp-echo"
"""The type of probes that the far responder serves."""
ALONE, WITH_SMALL = 1, 2
"""Packets of a request; a small one goes along with a large one while such are lost."""


class Sender(NamedTuple):
    """An echo probe: its path, and the packets that each of its requests may take."""

    path: PathConfig
    packets: int


def short_budgets(config: Config) -> list[str]:
    """Say which budget of ``[respond]`` loses probes of a far end that is configured as this one.

    :returns: sentences naming key and remedy; none without a responder or such a probe.
    """
    respond = config.respond
    towards = _towards(config)
    if respond is None or not towards:
        return []
    found = []
    host, senders = max(towards.items(), key=lambda each: least_rate(_paces(each[1])))
    rate = least_rate(_paces(senders))
    if respond.rate < rate:
        found.append(
            f"respond.rate: {respond.rate:g} replies a second to one source are too few for a far "
            f"end that probes as this one does {host}: {_shown(senders)}; "
            f"write rate = {rate} or more"
        )
    everybody = [sender for senders in towards.values() for sender in senders]
    total = least_total(_paces(everybody))
    if respond.total_rate < total:
        found.append(
            f"respond.total_rate: {respond.total_rate:g} replies a second are too few for far ends "
            f"that probe as this one does: {_shown(everybody)}; write total_rate = {total} or more"
        )
    return found


def _towards(config: Config) -> dict[str, list[Sender]]:
    """Give for each far host the echo probes that are sent to it."""
    found: dict[str, list[Sender]] = {}
    for path in config.paths:
        for probe in (*path.probes, *path.road):
            host = getattr(probe.options, "host", None)
            if probe.type.name == ECHO and isinstance(host, str):
                large = getattr(probe.options, "unfragmented", None) is True
                sender = Sender(path, WITH_SMALL if large else ALONE)
                found.setdefault(host, []).append(sender)
    return found


def _paces(senders: Iterable[Sender]) -> list[Pace]:
    return [_pace(*sender) for sender in senders]


def _pace(path: PathConfig, packets: int) -> Pace:
    rules = path.options.settings.rules
    return Pace(rules.interval_s, rules.confirm_s or rules.interval_s, _burst(path), packets)


def _burst(path: PathConfig) -> int:
    """Give how many probes a burst has at the most."""
    settings = path.options.settings
    rules, target = settings.rules, settings.target
    if target is None:
        return rules.fall
    spacing_s = rules.confirm_s or rules.interval_s
    return most_fall(target, Sending(rules.interval_s, spacing_s, settings.timeout_s))


def _shown(senders: Sequence[Sender]) -> str:
    """Say how often some probes send."""
    texts = []
    for name in dict.fromkeys(path.name for path, _ in senders):
        own = [sender for sender in senders if sender.path.name == name]
        rules = own[0].path.options.settings.rules
        burst = f" and {_burst(own[0].path)} in a burst" if rules.confirm_s is not None else ""
        probes = "a probe" if len(own) == 1 else f"{len(own)} probes"
        large = sum(packets > ALONE for _, packets in own)
        which = f"{large} of them " if len(own) > 1 else ""
        small = f", {which}with a small packet along while large ones are lost"
        along = small if large else ""
        texts.append(f"{probes} every {Duration(rules.interval_s)}{burst}{along} (path.{name})")
    return ", ".join(texts)
