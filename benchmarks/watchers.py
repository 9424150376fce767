"""The peers that watch a lab line and say when it is dead, all on their own terms.

Each watches from the line's left end and gives the moments at which it decided, in seconds of the
real-time clock, which all hosts of the lab share.
"""

import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Protocol

from havpn_core.testing.lab import Line, wait_for
from havpn_core.testing.lab.hosts.host import Host
from havpn_core.testing.lab.line import LEFT, RIGHT


class Watcher(Protocol):
    """Somebody who watches the line."""

    name: str

    def is_up(self) -> bool:
        """Whether it believes the line good and works at full pace."""

    def is_down(self) -> bool:
        """Whether it has declared the line dead."""

    def downs(self) -> list[float]:
        """Give all the moments at which it declared the line dead."""


class Printer:
    """A peer that prints on stdout or stderr what it decides, each line dated when it is read.

    :param up, down: patterns of the lines that say so.
    """

    def __init__(self, name: str, *, host: Host, argv: tuple[str, ...], up: str, down: str) -> None:
        self.name = name
        self._up, self._down = re.compile(up), re.compile(down)
        self._said: list[tuple[float, bool]] = []
        self._process = host.popen(*argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            now, text = time.time(), line.decode(errors="replace")
            if self._down.search(text):
                self._said.append((now, False))
            elif self._up.search(text):
                self._said.append((now, True))

    def is_up(self) -> bool:
        """Whether the last news was good."""
        return bool(self._said) and self._said[-1][1]

    def is_down(self) -> bool:
        """Whether the last news was bad."""
        return bool(self._said) and not self._said[-1][1]

    def downs(self) -> list[float]:
        """Give when bad news came."""
        return [when for when, good in self._said if not good]


BFD = """
global_defs {{
    router_id {name}
}}
bfd_instance far {{
    neighbor_ip {far}
    source_ip {near}
    min_rx {ms}
    min_tx {ms}
    multiplier 3
}}
vrrp_instance gateway {{
    state BACKUP
    interface lan
    virtual_router_id 7
    priority 100
    advert_int 1
    track_bfd {{
        far
    }}
    virtual_ipaddress {{
        198.51.100.1/24
    }}
}}
"""
LAN = (
    "ip link add lan type veth peer name lan-end && ip link set lan up"
    " && ip link set lan-end up && ip address add 198.51.100.9/24 dev lan"
)


def bfd(line: Line, interval_ms: int = 50) -> Printer:
    """Run keepalived's BFD, three intervals, at both ends, with a VRRP instance that heeds it.

    It counts as up when the session has come down to its fast pace (RFC 5880 section 6.8.3 lets
    it begin with one packet a second), and its decision is the log line of the session's end.
    """
    printers = []
    for host, near, far in ((line.right, RIGHT, LEFT), (line.left, LEFT, RIGHT)):
        host.run_in_network("sh", "-c", LAN)
        config = BFD.format(name=host.name, near=near, far=far, ms=interval_ms)
        host.write("/run/keepalived.conf", config)
        files = ("-p", "/run/k.pid", "-r", "/run/k-vrrp.pid", "-b", "/run/k-bfd.pid")
        argv = ("keepalived", "-n", "-l", "-D", "-G", "-f", "/run/keepalived.conf", *files)
        printers.append(
            Printer(
                f"keepalived BFD, 3 x {interval_ms} ms",
                host=host,
                argv=argv,
                up=f"Detection time is {3 * interval_ms}000 us",
                down=r"\(far\) Entering Down state",
            )
        )
    return printers[1]


FRR = """
frr defaults traditional
log stdout debugging
debug bfd peer
bfd
 peer {far} local-address {near} interface line
  detect-multiplier 3
  receive-interval {ms}
  transmit-interval {ms}
 exit
exit
"""
FRR_DAEMONS = "/usr/lib/frr"


def frr(line: Line, interval_ms: int = 50) -> Printer:
    """Run FRR's bfdd, three intervals, at both ends; its decision is the line of the log.

    It counts as up as keepalived's does, once both ends send at their full pace.
    """
    printers = []
    for host, near, far in ((line.right, RIGHT, LEFT), (line.left, LEFT, RIGHT)):
        host.run("mkdir", "-p", "/run/frr")
        host.run("chown", "frr:frr", "/run/frr")
        host.write("/run/frr/bfdd.conf", FRR.format(near=near, far=far, ms=interval_ms), 0o644)
        host.write("/run/frr/zebra.conf", "frr defaults traditional\n", 0o644)
        ways = ("-z", "/run/frr/zserv", "--vty_socket", "/run/frr")
        zebra = (f"{FRR_DAEMONS}/zebra", "-f", "/run/frr/zebra.conf", "-i", "/run/frr/zebra.pid")
        host.popen(*zebra, *ways, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(Path(f"{host.root}/run/frr/zserv").exists, 10, "zebra")
        bfdd = (f"{FRR_DAEMONS}/bfdd", "-f", "/run/frr/bfdd.conf", "-i", "/run/frr/bfdd.pid")
        printers.append(
            Printer(
                f"FRR BFD, 3 x {interval_ms} ms",
                host=host,
                argv=(*bfdd, *ways, "--bfdctl", "/run/frr/bfdd.sock"),
                up=r"state-change: .* -> up",
                down=r"state-change: .*up -> down",
            )
        )
    return printers[1]


LSM = f"""
connection {{
  name=far
  checkip={RIGHT}
  eventscript=/run/lsm.event
  notifyscript=
  max_packet_loss=15
  max_successive_pkts_lost=3
  min_packet_loss=5
  min_successive_pkts_rcvd=10
  interval_ms=100
  timeout_ms=200
  warn_email=root
  check_arp=0
  sourceip={LEFT}
  device=line
  ttl=0
}}
"""


def lsm(line: Line) -> Printer:
    """Run LSM with 100 ms, timeout 200 ms, 3 lost; its event script prints."""
    line.left.write("/run/lsm.conf", LSM)
    line.left.write("/run/lsm.event", '#!/bin/sh\nexec echo event "$1"\n', 0o755)
    argv = ("lsm", "-f", "-c", "/run/lsm.conf", "-p", "/run/lsm.pid")
    words = {"up": "^event up", "down": "^event down"}
    return Printer("LSM, 100 ms, 200 ms, 3 lost", host=line.left, argv=argv, **words)


FPING = f"""
lost=0
while :; do
    if fping -q -r0 -t200 {RIGHT}; then lost=0; echo up; else lost=$((lost + 1)); fi
    if [ "$lost" = 3 ]; then echo down; fi
    sleep 0.1
done
"""


def fping(line: Line) -> Printer:
    """Run the loop that one finds in scripts: fping, timeout 200 ms, 100 ms of rest, 3 lost."""
    argv = ("sh", "-c", FPING)
    return Printer("fping loop, 100 ms, 3 lost", host=line.left, argv=argv, up="^up", down="^down")
