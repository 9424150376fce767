"""The main job, shown: two sites, four gateways, a line that is cut and heals.

No cluster manager and no other daemon: the gateways are pairs that move the address themselves.
"""

import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from havpn_core.errors import HavpnError
from havpn_core.host.disk import files
from havpn_core.host.execute import environment
from havpn_core.pair.run import CHECKED
from havpn_core.testing.lab import SITES, TwoSite
from havpn_core.testing.lab.daemons.supervisor import Supervisor
from havpn_core.testing.lab.gateways import start_pairs
from havpn_core.testing.lab.hosts.plan import GATEWAYS
from havpn_core.testing.lab.pinger import Pinger

RISE = 120
STEP_S = 60.0
OUTAGE_S = 0.03
LOOKS = {
    "up": ("green", "\u25cf", "+"),
    "failing": ("yellow", "\u25d0", "~"),
    "down": ("red", "\u2716", "x"),
    "recovering": ("cyan", "\u25d4", "/"),
    "unknown": ("white", "\u25cb", "?"),
}
"""Of each verdict the colour and the sign, and the sign where there is ASCII alone."""
HOLDS = ("\u25b6", ">")
"""The sign of who has the address."""
IN_OWN_USER_NAMESPACE = ("unshare", "--user", "--map-root-user")


def missing_for_demo() -> list[str]:
    """Say what the demo lacks on this machine."""
    found = []
    needed = {"ip": "iproute2", "sysctl": "procps", "unshare": "util-linux"}
    for command, package in needed.items():
        if shutil.which(command) is None:
            found.append(f"command {command} is not there: install {package}")
    if not found and os.geteuid() != 0 and not user_namespaces():
        found.append(
            "needs network namespaces: run it as root, or let users make user namespaces "
            "(sysctl kernel.unprivileged_userns_clone=1; on Ubuntu "
            "kernel.apparmor_restrict_unprivileged_userns=0)"
        )
    return found


def user_namespaces() -> bool:
    """Whether this user may make user namespaces, and in them what the network consists of."""
    test = (*IN_OWN_USER_NAMESPACE, "--net", "--mount", "--pid", "--fork", "true")
    ended = subprocess.run(test, capture_output=True, env=environment(), check=False, timeout=10)
    return not ended.returncode


@dataclass
class Story:
    """What the demo saw, for the timeline.

    :param flows_since: when the client began.
    :param verdicts: when a gateway's verdict of its line changed, and to what.
    :param acts: what was done to line 1 when.
    """

    began: float = field(default_factory=time.monotonic)
    flows_since: float = 0.0
    verdicts: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    acts: list[tuple[float, str]] = field(default_factory=list)

    def saw(self, gateway: str, verdict: str) -> None:
        """Note a verdict if it is another one than before."""
        seen = self.verdicts.setdefault(gateway, [])
        if not seen or seen[-1][1] != verdict:
            seen.append((time.monotonic(), verdict))

    def act(self, what: str) -> float:
        """Note a deed; gives its moment."""
        self.acts.append((time.monotonic(), what))
        return self.acts[-1][0]


def run_demo(picture: Path) -> None:
    """Build the network, cut line 1, heal it, sum up, draw; leaves nothing else behind.

    :raises NotInTime: if a step does not come about within a minute.
    """
    console = Console()
    console.print("Building two sites with four gateways that run HA-VPN and nothing else ...")
    story = Story()
    with TwoSite(ipsec=False) as lab:
        os.environ.setdefault(CHECKED, "1")
        daemons = start_pairs(lab, rise=RISE)
        ready = time.monotonic() - story.began
        stream, pinger = lab.stream(), lab.pinger()
        story.flows_since = time.monotonic()
        try:
            times = _act(console, lab, daemons, pinger, story=story)
            report = stream.finish()
        finally:
            pinger.stop()
            stream.kill()
        drawn = _draw(lab, pinger, story, picture)
    console.print(f"\nnetwork and daemons ready after          {ready:6.1f} s")
    for what, seconds in times.items():
        console.print(f"{what:40} {seconds:6.2f} s")
    word = "every byte intact and in order" if report.intact else f"BROKEN: {report.error}"
    console.print(f"one TCP connection through it all: {report.bytes} bytes, {word}")
    console.print(drawn)


def _draw(lab: TwoSite, pinger: Pinger, story: Story, picture: Path) -> str:
    from havpn_core.study.timeline import Bar, Row, timeline

    end = time.monotonic()
    rows = []
    for site, plan in SITES.items():
        holdings = lab.addresses.holdings(str(plan.shared.ip))
        for gateway in plan.gateways:
            held = [h for h in holdings if gateway.name in h.holders]
            bars = [Bar(h.since, h.until or end, "active") for h in held]
            rows.append(Row(f"{gateway.name} has address {site.upper()}", tuple(bars)))
    for name in GATEWAYS:
        seen = [*story.verdicts.get(name, []), (end, "")]
        spans = itertools.pairwise(seen)
        bars = [Bar(at, until, word) for (at, word), (until, _) in spans]
        rows.append(Row(f"{name} says of its line", tuple(bars)))
    lost = [Bar(o.start, o.end, "lost") for o in pinger.outages(OUTAGE_S)]
    rows.append(Row("client's traffic", (Bar(story.flows_since, end, "flows"), *lost)))
    try:
        files.write(picture, timeline(rows, story.acts, (story.began, end)).encode(), durable=False)
    except HavpnError as problem:
        return f"no timeline drawn: {problem}"
    return f"timeline: {picture.resolve()}"


def _act(
    console: Console,
    lab: TwoSite,
    daemons: dict[str, Supervisor],
    pinger: Pinger,
    *,
    story: Story,
) -> dict[str, float]:
    """Play the three acts and give the times of their steps in seconds."""
    times: dict[str, float] = {}
    line = lab.providers["provider-1"]
    signs = 1 if console.encoding.lower().startswith("utf") else 2
    with Live(console=console, refresh_per_second=8) as live:

        def until(title: str, reached: Callable[[], bool], at_least_s: float = 0.0) -> float:
            start = time.monotonic()
            done = None
            while (now := time.monotonic() - start) < STEP_S:
                live.update(_picture(title, lab, daemons, story, signs))
                done = done or (now if reached() else None)
                if done is not None and now >= at_least_s:
                    return done
                time.sleep(0.02)
            raise TimeoutError(f"demo: {title}: did not come about within {STEP_S:g} s")

        until("all is well", lambda: True, 2)
        cut = story.act("cut")
        line.cut()
        times["cut until both sites use line 2"] = until("LINE 1 IS CUT", lambda: _on(lab, 1))
        until("line 1 is cut, all goes over line 2", lambda: True, 3)
        times["client's outage at the cut"] = pinger.longest_outage_since(cut)
        healed = story.act("heal")
        line.heal()
        times["heal until both sites are back"] = until("line 1 is healed", lambda: _on(lab, 0))
        until("all is well again", lambda: True, 2)
        times["client's longest outage after the heal"] = pinger.longest_outage_since(healed)
    return times


def _on(lab: TwoSite, number: int) -> bool:
    return all(lab.holders(n) == {s.gateways[number].name} for n, s in SITES.items())


def _picture(
    title: str, lab: TwoSite, daemons: dict[str, Supervisor], story: Story, signs: int
) -> Table:
    """Show the moment.

    :param signs: which signs of :data:`LOOKS` this terminal can show.
    """
    legend = "   ".join(f"[{look[0]}]{look[signs]}[/] {word}" for word, look in LOOKS.items())
    holds = HOLDS[signs - 1]
    table = Table(
        "site", "gateway", "line", "verdict", "role", "shared address",
        title=title, caption=f"{legend}   {holds} has the address",
    )  # fmt: skip
    for name, gateway in GATEWAYS.items():
        site = next(key for key, each in SITES.items() if gateway in each.gateways)
        status = daemons[name].read_status()
        verdict = status.paths["line"].verdict if status else "unknown"
        role = status.role.observed if status else None
        story.saw(name, verdict)
        held = f"{holds} {SITES[site].shared}" if name in lab.holders(site) else ""
        look = LOOKS.get(verdict, LOOKS["unknown"])
        table.add_row(
            site.upper(),
            name,
            gateway.provider,
            f"[{look[0]}]{look[signs]} {verdict}[/]",
            role or "unknown",
            f"[bold]{held}[/]",
        )
    return table
