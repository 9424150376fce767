"""The main job, shown: two sites, four gateways, a line that is cut and heals."""

import os
import shutil
import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.table import Table

from havpn_core.testing.lab import SITES, TwoSite
from havpn_core.testing.lab.gateways import start_gateways
from havpn_core.testing.lab.pinger import Pinger
from havpn_core.testing.lab.plan import GATEWAYS
from havpn_core.testing.lab.supervisor import Supervisor

RISE = 25
STEP_S = 60.0
COMMANDS = {
    "ip": "iproute2",
    "nft": "nftables",
    "cl_status": "heartbeat",
    "swanctl": "strongswan-swanctl",
}
COLOURS = {"up": "green", "failing": "yellow", "down": "red", "recovering": "yellow"}


def missing_for_demo() -> list[str]:
    """Say what the demo lacks on this machine."""
    found = [] if os.geteuid() == 0 else ["needs root, to make network namespaces"]
    for command, package in COMMANDS.items():
        if shutil.which(command) is None:
            found.append(f"command {command} is not there: install {package}, or run make demo")
    return found


def run_demo() -> None:
    """Build the network, cut line 1, heal it, and sum up; leaves nothing behind.

    :raises NotInTime: if a step does not come about within a minute.
    """
    console = Console()
    console.print("Building two sites with heartbeat, IPsec and HA-VPN on four gateways ...")
    began = time.monotonic()
    with TwoSite(cluster="heartbeat") as lab:
        daemons = start_gateways(lab, rise=RISE)
        ready = time.monotonic() - began
        stream, pinger = lab.stream(), lab.pinger()
        try:
            times = _act(console, lab, daemons, pinger)
            report = stream.finish()
        finally:
            pinger.stop()
            stream.kill()
    console.print(f"\nnetwork and daemons ready after          {ready:6.1f} s")
    for what, seconds in times.items():
        console.print(f"{what:40} {seconds:6.2f} s")
    word = "every byte intact and in order" if report.intact else f"BROKEN: {report.error}"
    console.print(f"one TCP connection through it all: {report.bytes} bytes, {word}")


def _act(
    console: Console, lab: TwoSite, daemons: dict[str, Supervisor], pinger: Pinger
) -> dict[str, float]:
    """Play the three acts and give the times of their steps in seconds."""
    times: dict[str, float] = {}
    line = lab.providers["provider-1"]
    with Live(console=console, refresh_per_second=8) as live:

        def until(title: str, reached: Callable[[], bool], at_least_s: float = 0.0) -> float:
            start = time.monotonic()
            while (now := time.monotonic() - start) < STEP_S:
                live.update(_picture(title, lab, daemons))
                if reached() and now >= at_least_s:
                    return now
                time.sleep(0.05)
            raise TimeoutError(f"demo: {title}: did not come about within {STEP_S:g} s")

        until("all is well", lambda: True, 3)
        cut = time.monotonic()
        line.cut()
        times["cut until both sites use line 2"] = until("LINE 1 IS CUT", lambda: _on(lab, 1))
        until("line 1 is cut, all goes over line 2", lambda: True, 4)
        times["client's outage at the cut"] = pinger.longest_outage_since(cut)
        healed = time.monotonic()
        line.heal()
        times["heal until both sites are back"] = until("line 1 is healed", lambda: _on(lab, 0))
        until("all is well again", lambda: True, 3)
        times["client's longest outage after the heal"] = pinger.longest_outage_since(healed)
    return times


def _on(lab: TwoSite, number: int) -> bool:
    return all(lab.holders(n) == {s.gateways[number].name} for n, s in SITES.items())


def _picture(title: str, lab: TwoSite, daemons: dict[str, Supervisor]) -> Table:
    table = Table("site", "gateway", "line", "verdict", "role", "shared address", title=title)
    for name, gateway in GATEWAYS.items():
        site = next(key for key, each in SITES.items() if gateway in each.gateways)
        status = daemons[name].status()
        verdict = status["paths"]["line"]["verdict"]
        held = str(SITES[site].shared) if name in lab.holders(site) else ""
        table.add_row(
            site.upper(),
            name,
            gateway.provider,
            f"[{COLOURS.get(verdict, 'white')}]{verdict}[/]",
            status["role"]["observed"] or "unknown",
            f"[bold]{held}[/]",
        )
    return table
