"""Whether the probe ipsec takes a rekey for a failure: real strongSwan, daemons and traffic.

    python -m benchmarks.campaigns.rekeys [--count 200] [--seed 1]

Both gateways of line 1 watch their CHILD_SA by the probe ``ipsec`` with profile ``fast``, while a
TCP connection and a packet every 10 ms cross the tunnel. In each round the CHILD_SA or the IKE_SA
is rekeyed from one end, or the CHILD_SA from both at once. Needs root; the exit status is 1 if a
probe counted one FAIL, a path was anything but up, or the connection was damaged.
"""

import contextlib
import random
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.campaigns import stage
from havpn_core.testing.lab import Supervisor, TwoSite, wait_for
from havpn_core.testing.lab.daemons.strongswan import CHILD
from havpn_core.testing.lab.hosts.plan import GATEWAYS, far_site, site_of

ENDS = ("gw-aa", "gw-ba")
CONNECTION = GATEWAYS[ENDS[0]].line
CONFIG = """
[node]
name = "{name}"
[path.tunnel]
profile = "fast"
rise = 40
damping = false
[path.tunnel.probe.sa]
type = "ipsec"
watches = "tunnel"
child = "{child}"
connection = "{connection}"
local_ts = ["{near}"]
remote_ts = ["{far}"]
[action.role]
type = "exec"
active = ["sh", "-c", "echo active > /run/role"]
standby = ["sh", "-c", "echo standby > /run/role"]
observe = ["cat", "/run/role"]
"""
CHILD_REKEY = ("swanctl", "--rekey", "--child", CHILD)
IKE_REKEY = ("swanctl", "--rekey", "--ike", CONNECTION)
KINDS = {
    "CHILD_SA from the near end": (CHILD_REKEY, ENDS[:1]),
    "CHILD_SA from the far end": (CHILD_REKEY, ENDS[1:]),
    "CHILD_SA from both ends": (CHILD_REKEY, ENDS),
    "IKE_SA from the near end": (IKE_REKEY, ENDS[:1]),
    "IKE_SA from the far end": (IKE_REKEY, ENDS[1:]),
}
SETTLE_S = 10.0
PAUSE_S = 0.15
OUTAGE_BOUND_S = 0.3


@dataclass
class Found:
    """What a daemon counted of its probe."""

    ok: int
    fail: int
    error: int


def watch_tunnel(lab: TwoSite, name: str, config: str = CONFIG) -> Supervisor:
    """Start the daemon of a gateway that watches its CHILD_SA, and wait until its path is up."""
    config = config.format(
        name=name,
        child=CHILD,
        connection=CONNECTION,
        near=site_of(name).shared.network,
        far=far_site(name).shared.network,
    )
    lab.hosts[name].write("/run/role", "active\n")
    daemon = lab.supervisor(name, config)
    daemon.start()
    daemon.wait_verdict("tunnel", "up", 20)
    return daemon


def counted(daemon: Supervisor) -> Found:
    """Read what a daemon counted so far."""
    probe = daemon.status()["paths"]["tunnel"]["probes"]["sa"]
    return Found(probe["ok"], probe["fail"], probe["error"])


def spis(lab: TwoSite, name: str) -> frozenset[str]:
    """Return the SPIs of a gateway's IKE_SA and CHILD_SAs."""
    text = lab.hosts[name].run("swanctl", "--list-sas", "--raw").stdout
    return frozenset(re.findall(r"(?:spi-in|initiator-spi)=(\S+)", text))


def rekey(lab: TwoSite, kind: str) -> None:
    """Rekey, and wait until the SAs are others.

    :raises NotInTime: they are the same after some seconds.
    """
    command, ends = KINDS[kind]
    before = spis(lab, ends[0])
    with ThreadPoolExecutor(len(ends)) as pool:
        list(pool.map(lambda end: lab.hosts[end].run(*command, check=False), ends))
    wait_for(lambda: spis(lab, ends[0]) - before, SETTLE_S, f"a rekey of the {kind}")
    time.sleep(PAUSE_S)


def campaign(lab: TwoSite, count: int, dice: random.Random) -> list[str]:
    """Rekey ``count`` times, print the figures, return what was missed."""
    for name in ENDS:
        lab.give_address(name)
    daemons = {name: watch_tunnel(lab, name) for name in ENDS}
    missed: list[str] = []
    kinds = list(KINDS)
    done = dict.fromkeys(KINDS, 0)
    try:
        with traffic(lab, missed):
            before, since = {n: counted(d) for n, d in daemons.items()}, time.time()
            for number in range(count):
                kind = kinds[number] if number < len(kinds) else dice.choice(kinds)
                rekey(lab, kind)
                done[kind] += 1
        rows = []
        for name, daemon in daemons.items():
            after, first = counted(daemon), before[name]
            fails, errors = after.fail - first.fail, after.error - first.error
            changes = [f"{e['after']} ({e['detail']})" for e in daemon.events("verdict", since)]
            rows.append([name, after.ok - first.ok, fails, errors, len(changes)])
            if fails:
                missed.append(f"{name}: {fails} samples were FAIL")
            if changes or daemon.verdict("tunnel") != "up":
                missed.append(f"{name}: its path was {changes}, and is {daemon.verdict('tunnel')}")
    finally:
        for daemon in daemons.values():
            daemon.kill()
    stage.show(("rekey", "times"), [[kind, times] for kind, times in done.items()])
    stage.show(("gateway", "OK", "FAIL", "ERROR", "changes of verdict"), rows)
    return missed


@contextlib.contextmanager
def traffic(lab: TwoSite, missed: list[str]) -> Iterator[None]:
    """Let traffic cross the tunnel, and note what became of it."""
    stream, pinger, since = lab.stream(), lab.pinger(), time.monotonic()
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        yield
        time.sleep(1.0)
        outage, report = pinger.longest_outage_since(since), stream.report()
        stage.show(
            ("traffic", ""),
            [["packets with a reply", pinger.answered()], ["longest outage s", f"{outage:.3f}"],
             ["bytes of the connection", report.bytes]],
        )  # fmt: skip
        if not (report.intact and report.alive):
            missed.append(f"the connection was damaged: {report.error}")
        if outage > OUTAGE_BOUND_S:
            missed.append(f"no packet passed for {outage:.3f} s")
    finally:
        pinger.stop()
        stream.kill()


def main() -> None:
    """Make the campaign and judge."""
    chosen = stage.parser(__doc__, count=200).parse_args()
    with TwoSite() as lab:
        missed = campaign(lab, chosen.count, random.Random(chosen.seed))
    stage.finish(missed)


if __name__ == "__main__":
    main()
