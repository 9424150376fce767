"""An IPsec tunnel by strongSwan with its own ESP in user space: no kernel support is needed.

Packets for the far LAN go to the tun device ``ipsec0`` (routing table 220) and leave as ESP in
UDP on port 4500, however direct the line between the gateways is.
"""

import signal
import time
from pathlib import Path

from havpn_core.site.rendering.swanctl import CHILD, FILE
from havpn_core.testing.lab.daemons.rendered import files_of
from havpn_core.testing.lab.hosts.errors import HostFailed
from havpn_core.testing.lab.hosts.host import Host
from havpn_core.testing.lab.hosts.inside import Inside
from havpn_core.testing.lab.hosts.plan import FIGURE, Plan
from havpn_core.testing.lab.hosts.waiting import wait_for

CHARON = "/usr/lib/ipsec/charon"
VICI = "/run/charon.vici"
STRONGSWAN_CONF = """\
charon {
  load = random nonce openssl aes sha2 hmac kdf gcm kernel-libipsec kernel-netlink \
socket-default vici
  filelog {
    lab {
      path = /run/charon.log
      default = 1
      flush_line = yes
    }
  }
}
"""


class StrongSwan:
    """Charon on one gateway, with the one tunnel this gateway has."""

    def __init__(self, host: Host, plan: Plan = FIGURE) -> None:
        self.host, self._plan = host, plan
        self.connection = plan.gateways[host.name].line
        self._process: Inside | None = None

    def configure(self) -> None:
        """Write the settings of charon, and the tunnel as the site file is rendered to it."""
        text = files_of(self._plan)[self.host.name][FILE]
        self.host.write("/etc/strongswan.conf", STRONGSWAN_CONF)
        self.host.write(FILE, text, 0o600)

    def start(self) -> None:
        """Start charon; it is not ready when this returns."""
        log = self.host.folder / f"{self.host.name}.charon"
        with log.open("wb") as output:
            self._process = self.host.popen(CHARON, stdout=output, stderr=output)

    def load(self, timeout: float = 10.0) -> None:
        """Wait until charon listens, then load keys and connections into it.

        :raises NotInTime: it does not listen in ``timeout`` seconds.
        """
        socket = Path(f"{self.host.root}{VICI}")
        wait_for(socket.exists, timeout, f"charon on {self.host.name}")
        # The socket's file is there a moment before charon accepts.
        command = ("swanctl", "--load-all", "--noprompt")
        wait_for(
            lambda: self.host.run(*command, check=False).returncode == 0,
            timeout,
            f"charon on {self.host.name} to load its configuration",
            poll=0.1,
        )

    def initiate(self, timeout: float = 10.0) -> None:
        """Bring the tunnel up from here; both ends must be loaded. Returns when it is up.

        :raises HostFailed: it is not up after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while not self.is_up():
            if time.monotonic() >= deadline:
                raise HostFailed(f"no tunnel from {self.host.name}:\n{self.log()[-3000:]}")
            self.host.run(
                *("swanctl", "--initiate", "--child", CHILD, "--timeout", "3"),
                timeout=5,
                check=False,
            )

    def is_up(self) -> bool:
        """Whether the tunnel's CHILD_SA is installed."""
        return "state=INSTALLED" in self.host.run("swanctl", "--list-sas", "--raw").stdout

    def routed(self) -> bool:
        """Whether the far LAN is routed into the tunnel."""
        shown = self.host.run_in_network("ip", "route", "show", "table", "220", check=False)
        return "ipsec0" in shown.stdout

    def drop(self) -> None:
        """Delete the SA, and forget the connection, so that nothing brings it back by itself."""
        self.host.write(FILE, "connections {\n}\n", 0o600)
        self.host.run("swanctl", "--load-conns", check=False)
        self.host.run(
            *("swanctl", "--terminate", "--ike", self.connection, "--force", "--timeout", "1"),
            timeout=5,
            check=False,
        )

    def restart(self) -> None:
        """Start it again if it runs, and load everything; :meth:`initiate` brings the tunnel up."""
        self.kill()
        self.host.run("rm", "-f", VICI, "/run/charon.pid")
        self.configure()
        self.start()
        self.load()

    def freeze(self) -> None:
        """SIGSTOP charon; here it also carries ESP."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT charon."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """Return what charon logged so far."""
        return self.host.run("cat", "/run/charon.log", check=False).stdout

    def kill(self) -> None:
        """SIGKILL charon."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=5)
