"""Compare the budgets of the echo responder with what a far end like this one sends."""

from havpn_core.config.instances import Config, PathConfig
from havpn_core.durations import Duration
from havpn_core.echo.demand import Pace, least_rate, least_total

ECHO = "udp-echo"
"""The type of probes that the far responder serves."""


def short_budgets(config: Config) -> list[str]:
    """Say which budget of ``[respond]`` loses probes of a far end that is configured as this one.

    :returns: sentences naming key and remedy; none without a responder or such a probe.
    """
    respond = config.respond
    towards = _towards(config)
    if respond is None or not towards:
        return []
    found = []
    host, paths = max(towards.items(), key=lambda each: least_rate(_paces(each[1])))
    rate = least_rate(_paces(paths))
    if respond.rate < rate:
        found.append(
            f"respond.rate: {respond.rate:g} replies a second to one source are too few for a far "
            f"end that probes as this one does {host}: {_shown(paths)}; write rate = {rate} or more"
        )
    everybody = [path for paths in towards.values() for path in paths]
    total = least_total(_paces(everybody))
    if respond.total_rate < total:
        found.append(
            f"respond.total_rate: {respond.total_rate:g} replies a second are too few for far ends "
            f"that probe as this one does: {_shown(everybody)}; write total_rate = {total} or more"
        )
    return found


def _towards(config: Config) -> dict[str, list[PathConfig]]:
    """Give for each far host the path of each echo probe that is sent to it."""
    found: dict[str, list[PathConfig]] = {}
    for path in config.paths:
        for probe in path.probes:
            host = getattr(probe.options, "host", None)
            if probe.type.name == ECHO and isinstance(host, str):
                found.setdefault(host, []).append(path)
    return found


def _paces(paths: list[PathConfig]) -> list[Pace]:
    rules = [path.options.settings.rules for path in paths]
    return [Pace(one.interval_s, one.confirm_s or one.interval_s, one.fall) for one in rules]


def _shown(paths: list[PathConfig]) -> str:
    """Say how often the probes of some paths send."""
    texts = []
    for path in dict.fromkeys(path.name for path in paths):
        own = [each for each in paths if each.name == path]
        rules = own[0].options.settings.rules
        burst = f" and {rules.fall} in a burst" if rules.confirm_s is not None else ""
        probes = "a probe" if len(own) == 1 else f"{len(own)} probes"
        texts.append(f"{probes} every {Duration(rules.interval_s)}{burst} (path.{path})")
    return ", ".join(texts)
