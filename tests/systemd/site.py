"""A site of two gateways with Debian and systemd, a LAN with a client, and a far host to probe."""

import contextlib
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from havpn_core.testing.lab.hosts import leftovers
from havpn_core.testing.lab.hosts.host import Host, end_hosts, program
from havpn_core.testing.lab.hosts.lan import Lan
from havpn_core.testing.lab.hosts.network import connect, set_up
from havpn_core.testing.lab.hosts.waiting import wait_for
from tests.systemd.machine import Machine
from tests.systemd.pings import pings

VIP = "10.1.255.254"
KEY = "/etc/havpn/pair.key"
FILE = "/etc/havpn/havpn.toml"
GATEWAYS = {"gw-1": ("10.1.255.252", "192.0.2", 150), "gw-2": ("10.1.255.253", "198.51.100", 100)}
CONFIG = """\
[path.vpn1]
profile = "fast"

[path.vpn1.probe.echo]
type = "udp-echo"
host = "{far}.1"
device = "wan"

[action.gateway]
type = "alias-arp"
device = "lan"
addresses = ["10.1.255.254/16"]

[pair]
priority = {priority}
key_file = "/etc/havpn/pair.key"

[pair.link.lan]
type = "udp"
local = "{own}"
peer = "{peer}"

[notifier.log]
type = "syslog"
"""
FRESH = (
    "systemctl is-enabled havpn",
    "systemctl is-active havpn",
    "ls /etc/havpn",
    "id -un havpn",
    "havpn -V",
    "find /usr/lib/havpn/havpn_core -name '*.pyc' | head -1",
    "havpn check -c /etc/havpn/havpn.toml.example 2>&1",
    "/usr/lib/ocf/resource.d/havpn/link meta-data | tail -1",
    "dpkg --verify havpn",
)
READY_S, WORKS_S = 60.0, 60.0
"""Generous: a crowded host starts a daemon ten times slower."""


class Site:
    """All of it; ends with :meth:`close`.

    :param root: the Debian of the gateways.
    """

    def __init__(self, root: Path) -> None:
        self.folder = leftovers.open_folder()
        self.hosts: list[Host] = []
        self.took: dict[str, float] = {}
        self.fresh: dict[str, str] = {}
        try:
            for name in ("lan", "client", "far"):
                self.hosts.append(Host(name, self.folder))
            for name in GATEWAYS:
                self.hosts.append(Machine(name, self.folder, root))
            for host in self.hosts:
                host.wait_ready(READY_S)
            self._lay_cables()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End every host."""
        end_hosts(self.hosts)

    def __getitem__(self, name: str) -> Machine:
        return next(h for h in self.hosts if isinstance(h, Machine) and h.name == name)

    @property
    def gateways(self) -> list[Machine]:
        """Both."""
        return [self[name] for name in GATEWAYS]

    def _lay_cables(self) -> None:
        lan, client, far = self.hosts[:3]
        switch = Lan(lan)
        switch.attach(client, "lan")
        set_up(client, [("10.1.0.10/16", "lan")])
        for gateway in self.gateways:
            own, wan, _ = GATEWAYS[gateway.name]
            switch.attach(gateway, "lan")
            connect(far, gateway.name, gateway, "wan")
            set_up(far, [(f"{wan}.1/30", gateway.name)])
            set_up(gateway, [(f"{own}/16", "lan"), (f"{wan}.2/30", "wan")])
        for _, wan, _ in GATEWAYS.values():
            far.popen(*program("ping", "reply", f"{wan}.1", "7"), stdout=subprocess.DEVNULL)

    def install(self, deb: Path) -> None:
        """Wait for both to boot, and install the package on them at the same time."""

        def one(gateway: Machine) -> None:
            gateway.wait_booted()
            gateway.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
            self.took[gateway.name] = gateway.apt("install", gateway.bring(deb))

        with ThreadPoolExecutor(2) as both:
            list(both.map(one, self.gateways))

    def note_fresh(self) -> None:
        """Keep what a machine shows on which the package has just been installed."""
        for words in FRESH:
            self.fresh[words] = self["gw-1"].run("sh", "-c", words, check=False).stdout.strip()

    def configure(self) -> None:
        """Give both the key and their configuration, and start them."""
        first, second = self.gateways
        first.run("havpn", "keygen", KEY)
        second.write(KEY, first.read(KEY), 0o640)
        second.run("chown", "root:havpn", KEY)
        for gateway, partner in ((first, second), (second, first)):
            own, far, priority = GATEWAYS[gateway.name]
            peer = GATEWAYS[partner.name][0]
            gateway.write(FILE, CONFIG.format(far=far, own=own, peer=peer, priority=priority))
        for gateway in self.gateways:
            gateway.systemctl("enable", "--now", "havpn", timeout=WORKS_S)
        self.settle()

    def owners(self) -> list[str]:
        """Say who has the shared address."""
        return [gateway.name for gateway in self.gateways if gateway.holds(VIP)]

    def settle(self, owner: str = "gw-1") -> None:
        """Wait until both daemons run, the path is up and the owner is who it should be."""
        for gateway in self.gateways:
            wait_for(lambda g=gateway: self._works(g), WORKS_S, f"{gateway.name} to work", 0.2)
        wait_for(lambda: self.owners() == [owner], WORKS_S, f"{owner} to be the owner", 0.1)

    def _works(self, gateway: Machine) -> bool:
        with contextlib.suppress(OSError):
            text = (gateway.root / "run/havpn/status.json").read_text()
            alive = gateway.shown("ActiveState") == "active"
            pid = int(gateway.shown("MainPID"))
            return alive and f'"pid":{pid}' in text and '"verdict":"up"' in text
        return False

    def traffic(self):
        """Have the client ping the shared address every 20 ms; yields what will be found."""
        return pings(self.hosts[1], VIP)
