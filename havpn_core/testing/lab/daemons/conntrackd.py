"""conntrackd on the gateways of a lab, and a firewall that knows connections."""

import signal

from havpn_core.testing.lab.hosts.errors import HostFailed
from havpn_core.testing.lab.hosts.host import Host
from havpn_core.testing.lab.hosts.inside import Inside
from havpn_core.testing.lab.hosts.plan import FIGURE, Plan
from havpn_core.testing.lab.hosts.waiting import wait_for

PROGRAM = "conntrackd"
CONFIG = "/etc/conntrackd/conntrackd.conf"
SOCKET = "/run/conntrackd.ctl"
LOG = "/run/conntrackd.log"
LOCK = "/run/conntrackd.lock"
# Connections of the gateways themselves are nobody else's: neither sent nor purged.
TEXT = """\
Sync {{
	Mode FTFW {{
		StartupResync yes
		PurgeTimeout {purge_s}
	}}
	UDP {{
		IPv4_address {near}
		IPv4_Destination_Address {partner}
		Port 3780
		Interface lan
		Checksum on
	}}
}}
General {{
	HashSize 32768
	HashLimit 131072
	Syslog off
	LogFile {log}
	LockFile {lock}
	UNIX {{
		Path {socket}
	}}
	Filter From Userspace {{
		Protocol Accept {{
			TCP
		}}
		Address Ignore {{
{ignored}
		}}
	}}
}}
"""
STATEFUL = """\
table inet firewall {
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state invalid counter drop
		ct state established,related accept
		ct state new tcp flags & (fin | syn | rst | ack) == syn accept
	}
}
"""
"""Passes what belongs to a connection, and the SYN of a new one; nothing else."""
NOT_LOOSE = "net.netfilter.nf_conntrack_tcp_loose=0"
"""A connection begins with a SYN, and is not picked up in its middle."""


def raise_firewall(host: Host) -> None:
    """Have a gateway forward only what :data:`STATEFUL` passes."""
    host.run_in_network("nft", "-f", "-", input=STATEFUL)
    host.run("sysctl", "-q", "-w", NOT_LOOSE)


class Conntrackd:
    """conntrackd on one gateway, which exchanges states with its partner over the LAN."""

    def __init__(self, host: Host, plan: Plan = FIGURE) -> None:
        self.host, self._plan = host, plan
        self._process: Inside | None = None

    def configure(self, purge_s: int = 60) -> None:
        """Write its configuration.

        :param purge_s: how long after ``conntrackd -t`` the kernel's table is purged, in seconds.
        """
        name, plan = self.host.name, self._plan
        ours = [str(each.shared.ip) for each in plan.sites.values()]
        for gateway in plan.gateways.values():
            ours += [str(gateway.lan.ip), str(gateway.wan.ip)]
        text = TEXT.format(
            purge_s=purge_s,
            near=plan.gateways[name].lan.ip,
            partner=plan.gateways[plan.partner_of(name)].lan.ip,
            log=LOG,
            lock=LOCK,
            socket=SOCKET,
            ignored="\n".join(f"\t\t\tIPv4_address {each}" for each in ["127.0.0.1", *ours]),
        )
        self.host.write(CONFIG, text)

    def start(self, timeout: float = 10.0) -> None:
        """Start it and wait until it takes commands.

        :raises NotInTime: it does not within ``timeout`` seconds.
        """
        self.host.run("rm", "-f", LOCK)  # one that was killed leaves it, and none starts beside it
        complaints = self.host.folder / f"{self.host.name}.conntrackd"
        with complaints.open("wb") as output:
            self._process = self.host.popen(PROGRAM, "-C", CONFIG, stdout=output, stderr=output)
        status = (PROGRAM, "-C", CONFIG, "-s")
        wait_for(
            lambda: self.host.run(*status, check=False).returncode == 0,
            timeout,
            f"conntrackd on {self.host.name}",
            poll=0.1,
        )

    def say(self, *step: str) -> str:
        """Run it as a client, such as ``say("-e")``; gives what it prints.

        :raises CommandFailed: conntrackd does not run, or refuses.
        """
        return self.host.run(PROGRAM, "-C", CONFIG, *step).stdout

    def holds(self, cache: str, text: str) -> bool:
        """Whether a cache (``-i`` internal, ``-e`` external) has an established connection.

        :param text: what must stand in its line, such as ``dport=5001``.
        """
        lines = self.say(cache).splitlines()
        return any(text in line and "ESTABLISHED" in line for line in lines)

    def log(self) -> str:
        """Return what it logged so far."""
        return self.host.run("cat", LOG, check=False).stdout

    def freeze(self) -> None:
        """SIGSTOP: commands are taken and never ended."""
        self._running.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._running.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL; its control socket stays behind, as a file nobody listens at."""
        self._running.kill()
        self._running.wait(timeout=5)
        self._process = None

    @property
    def _running(self) -> Inside:
        if self._process is None:
            raise HostFailed(f"conntrackd of {self.host.name} was not started")
        return self._process
