"""Pure: a status as the one line of a plugin of Nagios, with performance data."""

import re
from collections.abc import Iterator

from havpn_core.daemon.state.status import Status
from havpn_core.showing.health import Level, findings, worst
from havpn_core.showing.pair import LAN
from havpn_core.showing.words import number, one_line

NAME = "HAVPN"
LONGEST = 400
"""Characters of the text before the figures; old versions of NRPE pass on 1024 in all."""


def check_line(status: Status) -> tuple[Level, str]:
    """Give the level, and the line."""
    found = findings(status)
    level = worst(found)
    words = "; ".join(each.text for each in found) or _well(status)
    # A graph that goes on with the last word of a daemon is worse than one that ends.
    figures = [*(_figures(status) if status.works else ()), _figure("age", status.age_s, "s")]
    return level, f"{said(level, f'{status.node} {words}')} | {' '.join(figures)}"


def said(level: Level, words: str) -> str:
    """Write a level and what is behind it, in one line without figures."""
    words = one_line(words).replace("|", "/")
    if len(words) > LONGEST:
        words = words[: LONGEST - 3] + "..."
    return f"{NAME} {level.name} - {words}"


def _well(status: Status) -> str:
    up = sum(path.verdict in ("up", "failing") for path in status.paths.values())
    words = [status.role.observed or "role unknown", f"{up} of {len(status.paths)} paths up"]
    if status.pair is not None and status.pair.partner is not None:
        words.append(f"partner {status.pair.partner.role or 'role unknown'}")
    return ", ".join(words)


def _figures(status: Status) -> Iterator[str]:
    """Write ``label=value;warn;crit;min;max`` each, without limits that are decided above."""
    count = len(status.paths)
    up = sum(path.verdict in ("up", "failing") for path in status.paths.values())
    yield _figure("active", int(status.role.observed == "active"), most=1)
    yield _figure("paths_up", up, most=count)
    for name, path in status.paths.items():
        trips = [each.latency_ms for each in path.probes.values() if each.latency_ms is not None]
        if trips:
            yield _figure(f"{name}_rtt", max(trips) / 1000, "s")
        if path.verdict in ("down", "unknown"):
            continue  # what it lost before
        for way in ("out", "back"):
            shares = [number(each.facts, f"loss_{way}") for each in path.probes.values()]
            if known := [each for each in shares if each is not None]:
                yield _figure(f"{name}_loss_{way}", 100 * max(known), "%", most=100)
        if path.quality and path.quality.loss is not None:
            yield _figure(f"{name}_loss", 100 * path.quality.loss, "%", most=100)
    if status.pair is not None:
        links = {name: link for name, link in status.pair.links.items() if name != LAN}
        alive = sum(link.alive for link in links.values())
        yield _figure("links_alive", alive, most=len(links))
        if status.pair.heard_s is not None:
            yield _figure("partner_heard", status.pair.heard_s, "s")


def _figure(label: str, value: float, unit: str = "", *, most: int | None = None) -> str:
    label = re.sub(r"[^\w.-]", "_", label)
    limit = "" if most is None else str(most)
    # No exponent: the guidelines of plugins know digits, a point and a sign.
    digits = f"{value:.6f}".rstrip("0").rstrip(".")
    return f"{label}={digits}{unit};;;0;{limit}"
