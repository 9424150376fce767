"""The timeline of what the demo saw."""

import itertools
import time
from pathlib import Path

from havpn_core.errors import HavpnError
from havpn_core.host.disk import files
from havpn_core.study.demo.scene import Scene
from havpn_core.study.timeline import Bar, Row, timeline

OUTAGE_S = 0.03


def draw(scene: Scene, picture: Path) -> str:
    """Draw it to a file; gives what to say of that."""
    end, story, lab = time.monotonic(), scene.story, scene.lab
    rows = []
    for name, site in lab.plan.sites.items():
        for vip in site.vips:
            holdings = lab.addresses.holdings(str(vip.ip))
            which = f"address {name.upper()}" if len(site.vips) == 1 else str(vip.ip)
            for gateway in site.gateways:
                held = [h for h in holdings if gateway.name in h.holders]
                bars = [Bar(h.since, h.until or end, "active") for h in held]
                rows.append(Row(f"{gateway.name} has {which}", tuple(bars)))
    for name in lab.plan.gateways:
        seen = [*story.verdicts.get(name, []), (end, "")]
        spans = itertools.pairwise(seen)
        bars = [Bar(at, until, word) for (at, word), (until, _) in spans]
        rows.append(Row(f"verdict of {name}", tuple(bars)))
    for name, pinger in scene.pingers.items():
        lost = [Bar(o.start, o.end, "lost") for o in pinger.outages(OUTAGE_S)]
        rows.append(Row(name, (Bar(story.flows_since, end, "flows"), *lost)))
    try:
        files.write(picture, timeline(rows, story.acts, (story.began, end)).encode(), durable=False)
    except HavpnError as problem:
        return f"no timeline drawn: {problem}"
    return f"timeline: {picture.resolve()}"
