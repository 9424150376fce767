"""The main job, shown: two sites, four gateways, a line that is cut and heals.

No cluster manager and no other daemon: the gateways are pairs that move the address themselves.
"""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from havpn_core.pair.run import CHECKED
from havpn_core.site.model.options import Mode
from havpn_core.study.demo.drawing import draw
from havpn_core.study.demo.scene import FIRST_S, Scene, Story, picture, pingers_of
from havpn_core.testing.lab import NotInTime, TwoSite, wait_for
from havpn_core.testing.lab.daemons.supervisor import CONFIG, Supervisor
from havpn_core.testing.lab.gateways import start_pairs
from havpn_core.testing.lab.hosts.plan import FIGURE

if TYPE_CHECKING:
    from havpn_core.study.demo.rehearsal import Rehearsal

RISE = 120
STEP_S = 60.0
FIGURE_PATH = "line"


def run_demo(output: Path, rehearsal: "Rehearsal | None" = None) -> None:
    """Build the network, cut line 1, heal it, sum up, draw; leaves nothing else behind.

    :param rehearsal: the site to build; that of the article's figure without it.
    :raises NotInTime: if a step is not reached within its time.
    """
    console = Console()
    _announce(console, rehearsal)
    story = Story()
    with TwoSite(ipsec=False, plan=rehearsal.plan if rehearsal else FIGURE) as lab:
        os.environ.setdefault(CHECKED, "1")
        daemons = _rehearse(lab, rehearsal) if rehearsal else start_pairs(lab, rise=RISE)
        ready = time.monotonic() - story.began
        paths = rehearsal.paths if rehearsal else dict.fromkeys(lab.plan.gateways, FIGURE_PATH)
        stream, pingers = lab.stream(), pingers_of(lab)
        story.flows_since = time.monotonic()
        try:
            scene = Scene(console, lab, daemons, paths, pingers, story)
            times = _act(scene, rehearsal)
            report = stream.finish()
        finally:
            for pinger in pingers.values():
                pinger.stop()
            stream.kill()
        drawn = draw(scene, output)
    console.print(f"\nnetwork and daemons ready after          {ready:6.1f} s")
    for what, seconds in times.items():
        console.print(f"{what:40} {seconds:6.2f} s")
    word = "every byte intact and in order" if report.intact else f"BROKEN: {report.error}"
    console.print(f"one TCP connection through it all: {report.bytes} bytes, {word}")
    console.print(drawn)


def _announce(console: Console, rehearsal: "Rehearsal | None") -> None:
    if rehearsal is None:
        console.print("Building two sites with four gateways that run HA-VPN and nothing else ...")
        return
    plan = rehearsal.plan
    console.print(f"Building {_listed(plan.sites)} with {_listed(plan.gateways)} ...")
    for note in rehearsal.notes:
        console.print(f"not as on your gateways: {note}", markup=False, soft_wrap=True)


def _listed(names: Iterable[str]) -> str:
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


def _rehearse(lab: TwoSite, rehearsal: "Rehearsal") -> dict[str, Supervisor]:
    """Start the gateways on what was rendered, and wait until the preferred ones are active."""
    from havpn_core.study.demo.clusters import start_clusters

    daemons = {}
    for name, texts in rehearsal.texts.items():
        for path, text in texts.items():
            lab.hosts[name].write(path, text, 0o600)
        daemons[name] = lab.supervisor(name, texts[CONFIG])
    start_clusters(lab, rehearsal.texts)
    within_s = FIRST_S + rehearsal.back_s
    for name, daemon in daemons.items():
        if lab.plan.model.site_of(name).mode is not Mode.PACEMAKER:  # its agent starts the daemon
            daemon.start()
    for name, daemon in daemons.items():
        path = rehearsal.paths[name]
        wait_for(partial(_is_up, daemon, path), within_s, f"path {path} of {name} to be up")
    for name, site in lab.plan.sites.items():
        lab.wait_holder(name, site.preferred, within_s)
    return daemons


def _is_up(daemon: Supervisor, path: str) -> bool:
    return daemon.verdict(path) == "up"


@dataclass
class Play:
    """Shows the scene while something is waited for."""

    scene: Scene
    live: Live
    signs: int

    def until(
        self,
        title: str,
        reached: Callable[[], bool] = lambda: True,
        at_least_s: float = 0.0,
        within_s: float = STEP_S,
    ) -> float:
        """Wait for a condition; gives for how many seconds.

        :raises NotInTime: if it is not reached within its time.
        """
        start = time.monotonic()
        done = None
        while (now := time.monotonic() - start) < within_s:
            self.live.update(picture(title, self.scene, self.signs))
            done = done or (now if reached() else None)
            if done is not None and now >= at_least_s:
                return done
            time.sleep(0.02)
        raise NotInTime(f"{title}: was not reached within {within_s:g} s")


def _act(scene: Scene, rehearsal: "Rehearsal | None") -> dict[str, float]:
    """Play the three acts and give the times of their steps in seconds."""
    times: dict[str, float] = {}
    story, line = scene.story, scene.lab.providers[scene.cut_line]
    returning = rehearsal.returning if rehearsal else frozenset(scene.lab.plan.sites)
    back_s = rehearsal.back_s if rehearsal else 0.0
    signs = 1 if scene.console.encoding.lower().startswith("utf") else 2
    with Live(console=scene.console, refresh_per_second=8) as live:
        play = Play(scene, live, signs)
        play.until("all is well", at_least_s=2)
        cut = story.act("cut")
        line.cut()
        took = play.until("LINE 1 IS CUT", scene.beside_the_cut)
        times["cut until both sites use line 2"] = took
        play.until("line 1 is cut, all goes over line 2", at_least_s=3)
        times["client's outage at the cut"] = scene.longest_outage_since(cut)
        healed = story.act("heal")
        line.heal()
        if returning:
            who = "both sites are" if len(returning) > 1 else f"site {min(returning)} is"
            home = partial(scene.at_home, returning)
            took = play.until("line 1 is healed", home, within_s=STEP_S + back_s)
            times[f"heal until {who} back"] = took
        play.until("all is well again", at_least_s=2)
        times["client's longest outage after the heal"] = scene.longest_outage_since(healed)
    return times
