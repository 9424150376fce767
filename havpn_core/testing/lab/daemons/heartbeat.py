"""Linux-HA heartbeat on the two gateways of a site, over a serial cable."""

from havpn_core.testing.lab.hosts.host import Host
from havpn_core.testing.lab.hosts.plan import SERIAL_DEVICE, Site
from havpn_core.testing.lab.hosts.waiting import wait_for

INIT_SCRIPT = "/etc/init.d/heartbeat"
LOG = "/var/log/ha-log"
# deadtime must be more than twice keepalive or heartbeat refuses to start; baud precedes serial.
HA_CF = """\
logfile {log}
logfacility none
keepalive 200ms
deadtime {deadtime}
warntime 500ms
initdead 3
baud 115200
serial {device}
{media}auto_failback on
node {nodes}
crm no
"""
STOP_S = 60.0


class Heartbeat:
    """Heartbeat on one gateway. :meth:`configure` comes before the first :meth:`start`."""

    def __init__(self, host: Host, site: Site, interface: str = "lan") -> None:
        self.host = host
        self._site = site
        self._interface = interface

    def configure(
        self, deadtime: str = "1", secret: str = "only-a-laboratory", media: str = ""
    ) -> None:
        """Write ha.cf, haresources and authkeys; the first two are the same on both nodes.

        :param deadtime: as in ha.cf: seconds, or with a unit (``500ms``).
        :param media: further lines of ha.cf, as ``bcast lan``, each with its end.
        """
        nodes = f"{self._site.preferred} {self._site.backup}"
        text = HA_CF.format(
            log=LOG, deadtime=deadtime, device=SERIAL_DEVICE, media=media, nodes=nodes
        )
        resource = f"{self._site.preferred} IPaddr2::{self._site.shared}/{self._interface}\n"
        self.host.write("/etc/ha.d/ha.cf", text)
        self.host.write("/etc/ha.d/haresources", resource)
        self.host.write("/etc/ha.d/authkeys", f"auth 1\n1 sha1 {secret}\n", 0o600)

    def start(self) -> None:
        """Start it and return at once; it joins its partner some seconds later."""
        script = (
            "for each in '' /ccm /dopd /crm; do"
            " install -d -o hacluster -g haclient -m 750 /run/heartbeat$each; done"
            f" && mkdir -p /run/resource-agents && exec {INIT_SCRIPT} start"
        )
        self.host.run("sh", "-c", script, timeout=20)

    def stop(self, timeout: float = STOP_S) -> None:
        """Stop it as an operator does; returns 3 to 4 s later, the partner took over by then.

        :raises CommandFailed: it was not done in ``timeout`` seconds.
        """
        self.host.run(INIT_SCRIPT, "stop", timeout=timeout)

    def crash(self) -> None:
        """SIGKILL all its processes; the address stays configured, nobody announces anything."""
        self.host.run("sh", "-c", "pkill -9 -x heartbeat || :")

    def is_running(self) -> bool:
        """Whether ``cl_status`` finds the daemon."""
        return self.host.run("cl_status", "hbstatus", check=False).returncode == 0

    def resources(self) -> str:
        """Return what it holds: ``all``, ``local``, ``foreign``, ``none``; ``stopped`` if dead."""
        done = self.host.run("cl_status", "rscstatus", check=False)
        return "stopped" if done.returncode else done.stdout.strip()

    def partner_status(self) -> str:
        """Return the partner's state as seen from here (``active``, ``dead``, ``up`` ...)."""
        near, far = self._site.preferred, self._site.backup
        partner = far if self.host.name == near else near
        return self.host.run("cl_status", "nodestatus", partner, check=False).stdout.strip()

    def log(self) -> str:
        """Return what it logged so far."""
        return self.host.run("cat", LOG, check=False).stdout

    def wait_settled(self, timeout: float = 20.0) -> None:
        """Wait until it is running and its resources are no longer changing hands.

        :raises NotInTime: it did not settle.
        """
        wait_for(
            lambda: self.resources() in ("all", "local", "foreign", "none"),
            timeout,
            f"heartbeat on {self.host.name} to settle",
            poll=0.2,
        )
