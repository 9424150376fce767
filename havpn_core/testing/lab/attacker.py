"""A hostile program in one of the lab's hosts."""

import signal
import subprocess
from typing import Literal

from havpn_core.testing.lab.hosts.errors import CommandFailed
from havpn_core.testing.lab.hosts.host import Host, program

Kind = Literal["claims", "frames", "replies", "replays"]
KINDS: tuple[Kind, ...] = ("claims", "frames", "replies", "replays")


class Attacker:
    """Attacks from its making until :meth:`stop`.

    :param kind: ``claims`` of the address by ever new MACs, random ``frames`` of EtherType 0x88B5,
        ``replies`` by ever new MACs to whoever looks for the address, ``replays`` of heard frames.
    :param address: the shared address.
    :param rate: frames a second; 0 is as many as the host can.
    """

    def __init__(
        self, host: Host, kind: Kind, address: str, *, rate: float = 0.0, interface: str = "lan"
    ) -> None:
        arguments = (kind, interface, address, str(rate))
        self._process = host.popen(*program("attack", *arguments), stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise CommandFailed(host.name, ("attack.py", *arguments), self._process.wait(), "")

    def stop(self) -> int:
        """End it; returns how many frames it sent."""
        self._process.send_signal(signal.SIGTERM)
        said, _ = self._process.communicate(timeout=10)
        return int(said)
