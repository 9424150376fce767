"""A hundred faults in a row, drawn from all that the lab can make, beside actions that fail."""

import os
import random
import time

import pytest

from benchmarks.campaigns import stage
from benchmarks.campaigns.hooks import KINDS, Hook
from benchmarks.modes import pair
from havpn_core.testing.lab.faults import (
    LINKS,
    ROWS,
    cut_links,
    lan_port,
    lan_port_isolated,
    line_cut,
    site_name,
    tunnels,
)
from havpn_core.testing.lab.hosts.plan import GATEWAYS, PROVIDERS, SITES

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
SEED = int(os.environ.get("HAVPN_FAULT_SEED", "1"))
COUNT = int(os.environ.get("HAVPN_FAULTS", "100"))
FEW = 25
SECOND_ACTIONS = "".join(
    f"{hook.toml()}\n"
    for hook in (
        Hook(active="exit 1", standby="exit 1", name="a-failing"),
        Hook(active="sleep 1000", standby="sleep 1000", name="hanging", deadline="2s"),
        KINDS["fails every second time"],
    )
)
# Those that pass within a moment; lines are cut for longer.
TABLE = {row.name.rpartition(" at ")[0]: row.fault for row in ROWS}
MOMENTS = {name: fault for name, fault in (TABLE | LINKS).items() if name != "line cut"}
RISE = 20
FLAPS = {"by carrier": lan_port, "in the switch": lan_port_isolated}
MOMENT_S = 0.5
SHARED_BOUND_S = 1.0


@pytest.fixture(scope="module")
def here():
    with pair.opens(RISE, SECOND_ACTIONS) as street:
        assert stage.calm(street), "the network was not calm at first"
        yield street


class Misfortune:
    """Draws faults and undoes them; knows what must hold when all has settled."""

    def __init__(self, here, seed):
        self.here, self.dice = here, random.Random(seed)
        self.cut = {}

    def strike(self):
        kinds = [*[self.line] * 2, *[self.moment] * 4, self.flap, self.restart, self.lossy]
        return self.dice.choice(kinds)()

    def line(self):
        name = self.dice.choice(PROVIDERS)
        gateway = next(each for each in GATEWAYS.values() if each.provider == name)
        if name in self.cut:
            self.cut.pop(name)()
            tunnels.mend(self.here, gateway.name)
            return f"heal {name}"
        self.cut[name] = line_cut(self.here, gateway.name)
        return f"cut {name}"

    def gateway(self):
        return self.dice.choice(sorted(GATEWAYS))

    def moment(self):
        name, gateway = self.dice.choice(sorted(MOMENTS)), self.gateway()
        if name not in LINKS and GATEWAYS[gateway].provider in self.cut:
            return f"nothing at {gateway}: its line is cut"
        undo = MOMENTS[name](self.here, gateway)
        seconds = self.dice.uniform(0, MOMENT_S)
        time.sleep(seconds)
        undo()
        return f"{name} at {gateway} for {seconds:.2f} s"

    def flap(self):
        way, gateway = self.dice.choice(sorted(FLAPS)), self.gateway()
        heal = cut_links(self.here, site_name(gateway))
        try:
            time.sleep(self.dice.uniform(0, 0.4))
            undo = FLAPS[way](self.here, gateway)
            seconds = self.dice.uniform(0.2, 1.5)
            time.sleep(seconds)
            undo()
            time.sleep(self.dice.uniform(0, 1.0))
        finally:
            heal()
        return f"links cut, {gateway} flapped {way} for {seconds:.2f} s"

    def restart(self):
        gateway, in_order = self.gateway(), self.dice.random() < 0.5
        self.here.daemons[gateway].restart(in_order=in_order)
        return f"{'SIGTERM' if in_order else 'SIGKILL'} and start of {gateway}"

    def lossy(self):
        name = self.dice.choice(PROVIDERS)
        if name in self.cut:
            return f"nothing on {name}"
        self.here.lab.providers[name].loss(self.dice.choice((1, 5, 20)))
        time.sleep(self.dice.uniform(0, 0.5))
        self.here.lab.providers[name].heal()
        return f"loss on {name} for a moment"

    def settled(self, pinger):
        """One owner a site for a while, and traffic if a line is alive."""
        until, good = time.monotonic() + 25, None
        while time.monotonic() < until:
            now = time.monotonic()
            one = all(len(self.here.lab.holders(site)) == 1 for site in SITES)
            flows = len(self.cut) == 2 or pinger.answered(since=now - 0.25) > 5
            good = (good or now) if one and flows else None
            if good and now - good > 0.3:
                return True
            time.sleep(0.02)
        return False

    def said(self, number, what):
        owners = [sorted(self.here.lab.holders(site)) for site in SITES]
        logs = "\n".join(daemon.log()[-1500:] for daemon in self.here.daemons.values())
        return f"seed {SEED}, fault {number}: {what}: owners {owners}, cut {self.cut}\n{logs}"


@pytest.mark.parametrize("count", [FEW, pytest.param(COUNT, marks=pytest.mark.more)])
def test_many_faults_in_a_row(here, count, capsys):
    misfortune = Misfortune(here, SEED)
    pinger, stream = here.lab.pinger(), here.lab.stream()
    longest = 0.0
    try:
        for number in range(1, count + 1):
            since = time.monotonic()
            what = misfortune.strike()
            assert misfortune.settled(pinger), misfortune.said(number, what)
            shared = max(here.lab.tenure(site, since).shared for site in SITES)
            assert shared <= SHARED_BOUND_S, f"{shared:.2f} s: {misfortune.said(number, what)}"
            longest = max(longest, shared)
        for heal in misfortune.cut.values():
            heal()
        assert stream.report().alive
        report = stream.finish()
    finally:
        pinger.stop()
        stream.kill()
    assert report.intact, report.error
    with capsys.disabled():
        print(f"\n  {count} faults, seed {SEED}: {report.bytes} bytes both ways intact, two owners")
        print(f"  on one LAN for at most {longest:.3f} s")
