"""An outage meter: how long the network path itself was dead."""

import itertools
import subprocess
import time
from dataclasses import dataclass

from havpn_core.testing.lab.hosts.errors import CommandFailed
from havpn_core.testing.lab.hosts.host import Host, program
from havpn_core.testing.lab.hosts.inside import Inside
from havpn_core.testing.lab.hosts.journal import read_journal

PORT = 7007
# A reply may still be under way for so long; nothing in the lab has a longer round trip.
IN_FLIGHT_S = 0.3
_serial = itertools.count(1)


@dataclass(frozen=True)
class Outage:
    """Packets in a row without a reply.

    :param start: when the first of them was sent (CLOCK_MONOTONIC, seconds).
    :param end: when the first one with a reply after them was sent; of the last one while it lasts.
    """

    start: float
    end: float
    lost: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


class Pinger:
    """UDP echo from one host to another at a fixed cadence.

    A machine too busy to send is no outage: only packets that were sent and got no reply
    count. The resolution is ``interval`` seconds.

    :param size: bytes of payload, 16 at the least.
    :param source: the client's address; the one that its kernel takes if empty.
    """

    def __init__(
        self,
        client: Host,
        server: Host,
        address: str,
        *,
        interval: float = 0.01,
        port: int = 0,
        size: int = 16,
        source: str = "",
    ) -> None:
        number = next(_serial)
        self._journal = client.folder / f"ping-{number}"
        where = (address, str(port or PORT + number))
        self._reply = self._open(server, "reply", *where)
        how = (str(self._journal), str(interval), str(size), *((source,) if source else ()))
        self._send = self._open(client, "send", *where, *how)

    @staticmethod
    def _open(host: Host, *arguments: str) -> Inside:
        process = host.popen(*program("ping", *arguments), stdout=subprocess.PIPE)
        assert process.stdout is not None
        if not process.stdout.readline():
            raise CommandFailed(host.name, ("ping.py", *arguments), process.wait(), "")
        return process

    def stop(self) -> None:
        """End both programs; what was measured stays readable."""
        for process in (self._send, self._reply):
            process.kill()
            process.wait(timeout=5)

    def answered(self, since: float = 0.0) -> int:
        """Count the packets sent since a time that got a reply."""
        entries = read_journal(self._journal)
        return sum(entry.arrived is not None and entry.sent >= since for entry in entries)

    def lost(self, since: float, until: float) -> tuple[int, int]:
        """Count the packets sent in a time that got no reply, and all of them."""
        entries = [e for e in read_journal(self._journal) if since <= e.sent < until]
        sent = {entry.number for entry in entries if entry.arrived is None}
        replied = {entry.number for entry in entries if entry.arrived is not None}
        return len(sent - replied), len(sent | replied)

    def outages(self, threshold: float = 0.05, since: float = 0.0) -> list[Outage]:
        """Return every outage of at least ``threshold`` seconds that ended after ``since``."""
        found = [each for each in self._outages() if each.seconds >= threshold]
        return [each for each in found if each.end >= since]

    def longest_outage_since(self, since: float) -> float:
        """Return the longest outage after a time, in seconds; 0.0 if not one packet was lost."""
        return max((each.seconds for each in self.outages(0.0, since)), default=0.0)

    def _outages(self) -> list[Outage]:
        entries = read_journal(self._journal)
        replied = {entry.number for entry in entries if entry.arrived is not None}
        ripe = time.monotonic() - IN_FLIGHT_S
        found: list[Outage] = []
        lost: list[float] = []
        for entry in entries:
            if entry.arrived is not None:
                continue
            if entry.number not in replied:
                if entry.sent <= ripe:
                    lost.append(entry.sent)
            elif lost:
                found.append(Outage(lost[0], entry.sent, len(lost)))
                lost = []
        if lost:
            found.append(Outage(lost[0], lost[-1], len(lost)))
        return found
