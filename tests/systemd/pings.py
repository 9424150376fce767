"""A host that pings another one all the time, and how many replies it lacks."""

import contextlib
import re
import signal
import tempfile
import time
from collections.abc import Iterator

from havpn_core.testing.lab.hosts.host import Host


class Found:
    """What the pings came to.

    :ivar sent: how many there were.
    :ivar lost: how many had no reply.
    """

    sent = lost = 0


@contextlib.contextmanager
def pings(host: Host, address: str, interval_s: float = 0.02) -> Iterator[Found]:
    """Have a host ping an address; yields what will be found."""
    found = Found()
    with tempfile.TemporaryFile("w+") as out:
        ping = host.popen("ping", "-n", "-q", "-i", f"{interval_s:g}", address, stdout=out)
        try:
            time.sleep(0.3)
            yield found
            time.sleep(0.5)
        finally:
            ping.send_signal(signal.SIGINT)
            ping.wait(10)
        out.seek(0)
        counts = re.search(r"(\d+) packets transmitted, (\d+) received", out.read())
    assert counts is not None
    # One may be under way as it ends.
    found.sent, received = int(counts[1]), int(counts[2])
    found.lost = max(0, found.sent - received - 1)
