"""The serial cable between the two gateways of a site."""

import subprocess

from havpn_core.testing.lab.hosts.errors import HostFailed
from havpn_core.testing.lab.hosts.host import Host, program
from havpn_core.testing.lab.hosts.plan import SERIAL_DEVICE


class SerialCable:
    """A null-modem cable whose ends appear as a device in two hosts.

    :param bearer: the host in which it runs. Not one of the two it joins: a cable does not die
        with the machine it is plugged into.
    """

    def __init__(self, bearer: Host) -> None:
        self._bearer = bearer
        self._process = bearer.popen(
            *program("cable"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ends = self._answer().split()

    def attach(self, host: Host, end: int) -> None:
        """Make one end (0 or 1) the host's serial device."""
        host.run("ln", "-sfn", self.ends[end], SERIAL_DEVICE)

    def pull(self) -> None:
        """Take it out: bytes sent from now on are lost; the devices stay."""
        self._order("pull")

    def break_one_way(self, end: int) -> None:
        """Lose what is sent at one end (0 or 1); the other way stays as it is."""
        self._order(f"break {end}")

    def plug(self) -> None:
        """Put it back, whole."""
        self._order("plug")

    def _order(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = str(self._process.stdout.readline())
        if not line:
            raise HostFailed(f"the serial cable in {self._bearer.name} is gone")
        return line
