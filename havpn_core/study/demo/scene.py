"""What the demo looks at while it plays, and the picture of the moment."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.daemons.supervisor import Supervisor
from havpn_core.testing.lab.pinger import Pinger

FIRST_S = 30.0
"""How long the first reply may take."""
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


@dataclass
class Scene:
    """Everything that the demo looks at.

    :param paths: the path of each gateway.
    :param pingers: one for each network whose users are measured, by what the timeline calls it.
    """

    console: Console
    lab: TwoSite
    daemons: dict[str, Supervisor]
    paths: Mapping[str, str]
    pingers: dict[str, Pinger]
    story: Story

    @property
    def cut_line(self) -> str:
        """Who carries the line of the first gateway of the first site, which is cut."""
        return self.lab.plan.near.gateways[0].provider

    def longest_outage_since(self, since: float) -> float:
        """Give the longest outage of any network."""
        return max(each.longest_outage_since(since) for each in self.pingers.values())

    def beside_the_cut(self) -> bool:
        """Whether each site uses a gateway on the other line."""
        plan = self.lab.plan
        return all(
            self.lab.holders(name) == {g.name for g in site.gateways if g.provider != self.cut_line}
            for name, site in plan.sites.items()
        )

    def at_home(self, sites: Collection[str]) -> bool:
        """Whether these sites use their preferred gateways."""
        plan = self.lab.plan
        return all(self.lab.holders(name) == {plan.sites[name].preferred} for name in sites)


def pingers_of(lab: TwoSite) -> dict[str, Pinger]:
    """Measure from an address of each network to one that it reaches at the far site."""
    flows = list(lab.plan.flows())
    found = {}
    for near, far in flows:
        name = "client's traffic" if len(flows) == 1 else f"{near.network} to far"
        if name in found:
            name = f"{near.network} to {far.network}"
        pinger = Pinger(lab.client, lab.server, str(far.ip), source=str(near.ip))
        found[name] = pinger
    for name, pinger in found.items():
        wait_for(pinger.answered, FIRST_S, f"a reply: {name}")
    return found


def picture(title: str, scene: Scene, signs: int) -> Table:
    """Show the moment.

    :param signs: which signs of :data:`LOOKS` this terminal can show.
    """
    legend = "   ".join(f"[{look[0]}]{look[signs]}[/] {word}" for word, look in LOOKS.items())
    holds = HOLDS[signs - 1]
    table = Table(
        "site", "gateway", "line", "verdict", "role", "shared address",
        title=title, caption=f"{legend}   {holds} has the address",
    )  # fmt: skip
    lab, lines = scene.lab, scene.lab.plan.model.lines
    for name, gateway in lab.plan.gateways.items():
        site = lab.plan.site_of(name)
        status = scene.daemons[name].read_status()
        verdict = status.paths[scene.paths[name]].verdict if status else "unknown"
        role = status.role.observed if status else None
        scene.story.saw(name, verdict)
        held = f"{holds} {site.shared}" if name in lab.holders(site.name) else ""
        look = LOOKS.get(verdict, LOOKS["unknown"])
        table.add_row(
            site.name.upper(),
            name,
            lines[gateway.line].provider,
            f"[{look[0]}]{look[signs]} {verdict}[/]",
            role or "unknown",
            f"[bold]{held}[/]",
        )
    return table
