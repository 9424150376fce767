"""The two-site network; the gateways of site A are machines with a Debian and systemd of their own.

The addresses are those of the docs, so that their blocks hold as they stand. The gateways of site B
are hosts of the lab, in which the daemon runs from the source; the providers route the LANs.
"""

import shlex
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.daemons.ownership import AddressWatch
from havpn_core.testing.lab.daemons.supervisor import Supervisor
from havpn_core.testing.lab.gateways import KEY
from havpn_core.testing.lab.hosts import plan
from havpn_core.testing.lab.hosts.host import Host, start_hosts
from havpn_core.testing.lab.hosts.waiting import wait_for
from tests.systemd.machine import Machine
from tests.systemd.page import blocks, meant_for

NEAR, FAR = ("gw-aa", "gw-ab"), ("gw-ba", "gw-bb")
READY_S, WORKS_S = 60.0, 90.0
"""Generous: a crowded host starts a daemon ten times slower."""
SHELL = (
    "env", "-i", "HOME=/root", "TERM=xterm", "LANG=C.UTF-8", "USER=root",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "bash", "-c",
)  # fmt: skip
FILE, KEY_FILE = "/etc/havpn/havpn.toml", "/etc/havpn/pair.key"


class FarWatch(AddressWatch):
    """Watches the hosts that have the lab's own Python; the machines are looked at."""

    def add(self, hosts: Iterable[Host], timeout: float = READY_S) -> None:
        """Begin to watch some."""
        super().add([host for host in hosts if not isinstance(host, Machine)], timeout)


class Fresh(TwoSite):
    """It; a context manager as the other.

    :param root: the Debian of the gateways of site A.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(ipsec=False)
        self._root = root
        self.addresses = FarWatch()
        self.typed: list[tuple[str, str, int, float]] = []
        self.far: dict[str, Supervisor] = {}

    def _start_hosts(self) -> None:
        self.hosts = start_hosts([name for name in plan.HOSTS if name not in NEAR], self.folder)
        for name in NEAR:
            self.hosts[name] = Machine(name, self.folder, self._root)
        for machine in self.near:
            machine.wait_ready(READY_S)
        for machine in self.near:
            machine.wait_booted()

    def holders(self, site: str) -> frozenset[str]:
        """Return the gateways that have the shared address of a site now."""
        if site != "a":
            return super().holders(site)
        shared = str(plan.SITE_A.shared.ip)
        return frozenset(machine.name for machine in self.near if machine.holds(shared))

    def machine(self, name: str) -> Machine:
        """Give one of the machines."""
        found = self.hosts[name]
        assert isinstance(found, Machine)
        return found

    @property
    def near(self) -> list[Machine]:
        """Give both."""
        return [self.machine(name) for name in NEAR]

    def install(self, deb: Path) -> None:
        """Install the package on both."""
        with ThreadPoolExecutor(2) as both:
            list(both.map(lambda machine: machine.apt("install", machine.bring(deb)), self.near))

    def type(self, name: str, line: str, timeout: float = 120.0) -> tuple[int, str]:
        """Type a line as root on a gateway, yes to what it asks; gives its status and words."""
        began = time.monotonic()
        if name in self.far:
            return 0, self.far[name].command(*shlex.split(line)[1:])
        done = self.hosts[name].run(
            *SHELL, f"cd; {line}", input="y\n", check=False, timeout=timeout
        )
        self.typed.append((name, line, done.returncode, time.monotonic() - began))
        return done.returncode, done.stdout + done.stderr

    def configure_pair(self) -> None:
        """Give the machines the key and the file of the quick start, and start all four."""
        text = next(each.text for each in blocks("quickstart.md") if each.kind == "toml")
        for machine in self.near:
            machine.write(KEY_FILE, KEY, 0o640)
            machine.run("chown", "root:havpn", KEY_FILE)
            machine.write(FILE, meant_for(machine.name, text))
            machine.systemctl("enable", "--now", "havpn", timeout=WORKS_S)
        self.start_far_site()
        self.wait_owners(NEAR[0], FAR[0])

    def start_far_site(self) -> None:
        """Start the daemons of site B, as a pair of the quick start's own file."""
        text = next(each.text for each in blocks("quickstart.md") if each.kind == "toml")
        for name in FAR:
            self.hosts[name].write(KEY_FILE, KEY, 0o600)
            self.far[name] = self.supervisor(name, meant_for(name, text))
            self.far[name].start()

    def wait_owners(self, near: str, far: str, timeout: float = WORKS_S) -> None:
        """Wait until these, and nobody else, have the shared addresses."""
        self.wait_holder("a", near, timeout)
        self.wait_holder("b", far, timeout)

    def wait_said(self, name: str, line: str, *words: str, timeout: float = WORKS_S) -> str:
        """Wait until a command says all of that; gives what it said."""
        said = [""]

        def says() -> bool:
            done = self.hosts[name].run(*SHELL, f"cd; {line}", check=False, timeout=30)
            said[0] = " ".join((done.stdout + done.stderr).split())
            return all(each in said[0] for each in words)

        try:
            wait_for(says, timeout, f"{line} on {name}", poll=0.3)
        except Exception as problem:
            raise AssertionError(f"{problem}; wanted {words}: {said[0]}") from None
        return said[0]

    def pull(self) -> None:
        """Pull the WAN cable of gw-aa: it loses its carrier."""
        self._wan_of_first("down")

    def plug(self) -> None:
        """Put it back."""
        self._wan_of_first("up")
        self.furnish("gw-aa")

    def _wan_of_first(self, state: str) -> None:
        gateway = plan.GATEWAYS["gw-aa"]
        host = self.providers[gateway.provider].host
        host.run_in_network("ip", "link", "set", gateway.side.value, state)

    def transcript(self) -> str:
        """Give what was typed, where, with what status, and how long each took."""
        lines = [
            f"{seconds:7.1f} s  {name}# {line}{f'   [{status}]' if status else ''}"
            for name, line, status, seconds in self.typed
        ]
        return "\n".join(lines)
