"""What is measured of switches in the two-site network: power off, handover, cut, loss."""

import subprocess
import threading
import time

from benchmarks.contenders import CONTENDERS, RISE, end_pairs
from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.gateways import pair_gateway, start_pairs, wait_backup
from havpn_core.testing.lab.hosts.host import program
from havpn_core.testing.lab.hosts.plan import SITE_A, SITES

FINE_S = 0.002


class ArpFrames:
    """Receives every ARP frame of LAN A at the client."""

    def __init__(self, lab: TwoSite) -> None:
        self.received: list[tuple[float, str, str]] = []
        self._process = lab.client.popen(*program("arps", "lan"), stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            at, sender, address = line.decode().split()
            self.received.append((float(at), sender, address))

    def first(self, sender: str, since: float) -> float | None:
        """Give when a sender first claimed the shared address after a time."""
        shared = str(SITE_A.shared.ip)
        moments = (at for at, *claim in self.received if claim == [sender, shared])
        return next((at for at in moments if at > since), None)

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(timeout=5)


def mac_of(lab: TwoSite, gateway: str) -> str:
    """Give the link-layer address of a gateway on its LAN."""
    return lab.hosts[gateway].run("cat", "/sys/class/net/lan/address").stdout.strip()


def power_offs(lab: TwoSite, count: int) -> list[float]:
    """Kill the active gateway of site A again and again, whichever it is."""
    daemons, took = start_pairs(lab, rise=RISE, preempt="manual"), []
    frames = ArpFrames(lab)
    try:
        for _ in range(count):
            (active,) = lab.holders("a")
            partner = SITE_A.backup if active == SITE_A.preferred else SITE_A.preferred
            mac = mac_of(lab, partner)
            time.sleep(0.3)
            begun = time.time()
            lab.power_off(active)
            wait_for(lambda b=begun, m=mac: frames.first(m, b), 5, "an ARP frame")  # type: ignore[misc]
            at = frames.first(mac, begun)
            assert at is not None
            took.append(at - begun)
            lab.power_on(active)
            daemons[active] = pair_gateway(lab, active, rise=RISE, preempt="manual")
            daemons[active].wait_verdict("line", "up", 20)
            daemons[partner].wait_for(
                lambda s: (s["pair"]["partner"] or {}).get("path") == "up", 5, "the partner"
            )
    finally:
        frames.stop()
        end_pairs(daemons)
    return took


def handovers(lab: TwoSite, count: int) -> list[float]:
    """Have an operator switch site A, there and back."""
    daemons, outages = start_pairs(lab, rise=RISE), []
    pinger = lab.pinger(interval=FINE_S)
    try:
        for number in range(count):
            to, holder = (("standby", SITE_A.backup), ("auto", SITE_A.preferred))[number % 2]
            since = time.monotonic()
            daemons[SITE_A.preferred].command("switch", "--to", to)
            lab.wait_holder("a", holder, 10)
            time.sleep(0.5)
            outages.append(pinger.longest_outage_since(since))
    finally:
        pinger.stop()
        end_pairs(daemons)
    return outages


def settle(lab: TwoSite, timeout: float = 60.0) -> None:
    """Wait until the preferred gateways have the addresses, and go on having them."""

    def home() -> bool:
        return all(lab.holders(name) == {site.preferred} for name, site in SITES.items())

    until = time.monotonic() + timeout
    while True:
        wait_for(home, max(0.1, until - time.monotonic()), "the preferred gateways")
        time.sleep(1.0)
        if home():
            return


def cuts(lab: TwoSite, name: str, count: int) -> list[float]:
    """Cut line 1 silently again and again."""
    outages = []
    with CONTENDERS[name](lab):
        settle(lab)
        pinger = lab.pinger(interval=FINE_S)
        try:
            for number in range(count):
                # At any moment of a watcher's interval, not always at the same.
                time.sleep(number * 0.618 % 1)
                since = time.monotonic()
                lab.providers["provider-1"].cut()
                wait_backup(lab, 30)
                time.sleep(0.5)
                outages.append(pinger.longest_outage_since(since))
                lab.providers["provider-1"].heal()
                settle(lab)
        finally:
            pinger.stop()
    return outages


def needless(lab: TwoSite, name: str, *, seconds: float, percent: float) -> int:
    """Count how often an address moved although no line was dead."""
    with CONTENDERS[name](lab):
        settle(lab)
        return moves_while_lossy(lab, seconds=seconds, percent=percent)


def moves_while_lossy(lab: TwoSite, *, seconds: float, percent: float) -> int:
    """Count how often an address moves while both lines lose packets, and heal them.

    :param percent: loss in each direction.
    """
    since = time.monotonic()
    for provider in lab.providers.values():
        provider.loss(percent)
    time.sleep(seconds)
    addresses = (str(site.shared.ip) for site in SITES.values())
    moves = sum(lab.addresses.takings(address, since) for address in addresses)
    for provider in lab.providers.values():
        provider.heal()
    return moves
