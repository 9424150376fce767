"""The taps in both providers, read while they grow."""

import itertools
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.compare.tap import ENTRY
from benchmarks.compare.used import Seen, Used, used
from havpn_core.testing.lab import Pinger, TwoSite
from havpn_core.testing.lab.hosts.errors import HostFailed

PROGRAM = Path(__file__).with_name("tap.py")
_port = itertools.count(7100)


class Taps:
    """What both providers see of the client's pings."""

    def __init__(self, lab: TwoSite) -> None:
        self._journals = {}
        for name, provider in lab.providers.items():
            journal = self._journals[name] = provider.host.folder / f"{name}.tap"
            argv = (sys.executable, "-I", "-S", str(PROGRAM), str(journal))
            process = provider.host.popen(*argv, stdout=subprocess.PIPE)
            assert process.stdout is not None
            if not process.stdout.readline():
                raise HostFailed(f"no tap in {name}")

    def used(self, port: int, since: float, until: float) -> Used:
        """Give the lines that the pings to a port used in a time."""
        seen = list(self._seen(port))
        ways = ([entry for way, entry in seen if way == 0], [e for way, e in seen if way == 1])
        return used(*ways, since, until)

    def _seen(self, port: int) -> Iterator[tuple[int, Seen]]:
        for name, journal in self._journals.items():
            data = journal.read_bytes() if journal.exists() else b""
            whole = len(data) - len(data) % ENTRY.size
            for number, at, to, way in struct.iter_unpack(ENTRY.format, data[:whole]):
                if to == port:
                    yield way, (number, at / 1e9, name)


def pinger(lab: TwoSite) -> tuple[Pinger, int]:
    """Start pings every 10 ms from client to server; gives the port they go to, too."""
    port = next(_port)
    return lab.pinger(interval=0.01, port=port), port
