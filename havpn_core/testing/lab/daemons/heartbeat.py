"""Linux-HA heartbeat on the two gateways of a site, over a serial cable and the LAN."""

from havpn_core.site.model.options import Mode
from havpn_core.site.rendering.heartbeat import FOLDER
from havpn_core.testing.lab.daemons.rendered import files_of
from havpn_core.testing.lab.hosts.errors import HostFailed
from havpn_core.testing.lab.hosts.host import Host
from havpn_core.testing.lab.hosts.plan import FIGURE, Plan
from havpn_core.testing.lab.hosts.waiting import wait_for

INIT_SCRIPT = "/etc/init.d/heartbeat"
LOG = "/var/log/ha-log"
# The log of the machine is not the laboratory's.
LOGGED = {"logfacility daemon": f"logfile {LOG}\nlogfacility none"}
STOP_S = 60.0


class Heartbeat:
    """Heartbeat on one gateway. :meth:`configure` comes before the first :meth:`start`."""

    def __init__(self, host: Host, plan: Plan = FIGURE) -> None:
        self.host, self._plan = host, plan

    def configure(self) -> None:
        """Write ``ha.cf``, ``haresources`` and ``authkeys`` as the site file is rendered to them.

        :raises HostFailed: nothing in them says where heartbeat logs.
        """
        texts = files_of(self._plan, Mode.HEARTBEAT)[self.host.name]
        for path in (path for path in texts if path.startswith(f"{FOLDER}/")):
            text = texts[path]
            for old, new in LOGGED.items() if path.endswith("/ha.cf") else ():
                if old not in text:
                    raise HostFailed(f"{path} of {self.host.name} has no line: {old}")
                text = text.replace(old, new)
            self.host.write(path, text, 0o600)

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
        partner = self._plan.partner_of(self.host.name)
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
