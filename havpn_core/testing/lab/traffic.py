"""One TCP connection across the two sites, verified byte by byte in both directions."""

import contextlib
import itertools
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from havpn_core.testing.lab.hosts.errors import CommandFailed
from havpn_core.testing.lab.hosts.host import Host, program
from havpn_core.testing.lab.hosts.inside import Inside
from havpn_core.testing.lab.hosts.journal import Entry, read_journal
from havpn_core.testing.lab.hosts.waiting import wait_for

RECORD_BYTES = 256
_serial = itertools.count(1)


@dataclass(frozen=True)
class Flow:
    """What arrived in one direction.

    :param longest_gap: seconds between two arrivals, or since the last one while it is alive.
    :param longest_gap_since: the same, only what lies after the given time.
    """

    records: int
    longest_gap: float
    longest_gap_since: float

    @property
    def bytes(self) -> int:
        """Verified bytes."""
        return self.records * RECORD_BYTES


@dataclass(frozen=True)
class StreamReport:
    """A stream so far.

    :param intact: nothing was damaged, lost, doubled or out of order, and no end failed; after
        :meth:`Stream.finish` also that all that was sent has arrived.
    :param alive: the connection still stands (False after :meth:`Stream.finish`).
    """

    to_server: Flow
    to_client: Flow
    intact: bool
    alive: bool
    error: str | None

    @property
    def bytes(self) -> int:
        """Verified bytes of both directions."""
        return self.to_server.bytes + self.to_client.bytes

    @property
    def longest_gap_since(self) -> float:
        """The worse of the two directions, seconds."""
        return max(self.to_server.longest_gap_since, self.to_client.longest_gap_since)


class Stream:
    """A TCP connection from one host to another with data both ways all the time.

    After an outage of *d* seconds TCP by itself may need up to *d* more, because its
    retransmissions come ever more rarely; ``rto_max_ms`` bounds that pause (Linux 6.15; 0 or an
    older kernel: TCP's own behaviour). For the outage of the network use a
    :class:`~havpn_core.testing.lab.pinger.Pinger`.

    :param interval: seconds between two records in each direction.
    """

    def __init__(
        self,
        client: Host,
        server: Host,
        address: str,
        *,
        port: int = 0,
        interval: float = 0.01,
        rto_max_ms: int = 1000,
    ) -> None:
        number = next(_serial)
        folder = client.folder
        self._at_server = folder / f"stream-{number}.server"
        self._at_client = folder / f"stream-{number}.client"
        self.port = port or 5000 + number  #: the server's
        self._where = (address, str(self.port))
        self._options = (f"{interval}", f"{rto_max_ms}")
        self._marked = time.monotonic()
        self._server = self._open(server, "serve", self._at_server, "listening")
        self._client = self._open(client, "connect", self._at_client, "connected")
        wait_for(lambda: read_journal(self._at_client), 10.0, "the first record of a stream")

    def _open(self, host: Host, role: str, journal: Path, word: str) -> Inside:
        arguments = (role, *self._where, str(journal), *self._options)
        with Path(f"{journal}.err").open("wb") as complaints:
            end = host.popen(
                *program("stream", *arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
            )
        assert end.stdout is not None
        if end.stdout.readline().decode().strip() != word:
            reason = Path(f"{journal}.err").read_text(encoding="utf-8")
            reason += str(_outcome(journal).get("error", ""))
            raise CommandFailed(host.name, ("stream.py", *arguments), end.wait(), reason)
        return end

    def mark(self) -> float:
        """Remember this moment as the default of ``since`` in :meth:`report`, and return it."""
        self._marked = time.monotonic()
        return self._marked

    def report(self, since: float | None = None) -> StreamReport:
        """Tell how it is going.

        :param since: CLOCK_MONOTONIC seconds; default: the last :meth:`mark`.
        """
        start = self._marked if since is None else since
        ends = [_outcome(journal) for journal in (self._at_server, self._at_client)]
        alive = not any(ends) and self._server.poll() is None and self._client.poll() is None
        now = time.monotonic() if alive else None
        arrivals = [read_journal(journal) for journal in (self._at_server, self._at_client)]
        flows = [_flow(entries, start, now) for entries in arrivals]
        errors = [str(end["error"]) for end in ends if end.get("error")]
        whole = alive or _all_arrived(*ends)
        error = "; ".join(errors) or (None if whole else "an end vanished, or data was lost")
        return StreamReport(flows[0], flows[1], error is None, alive, error)

    def wait_flowing(self, timeout: float) -> None:
        """Wait until records arrive in both directions that were not there before.

        :raises NotInTime: they do not within ``timeout`` seconds.
        """
        before = self.report()

        def more() -> bool:
            now = self.report()
            return (
                now.to_server.records > before.to_server.records
                and now.to_client.records > before.to_client.records
            )

        wait_for(more, timeout, "records in both directions")

    def finish(self, timeout: float = 30.0) -> StreamReport:
        """End the connection in order: all that was sent must arrive first.

        :param timeout: seconds; then it is killed and the report says so.
        """
        assert self._client.stdin is not None
        self._client.stdin.close()
        deadline = time.monotonic() + timeout
        for end in (self._client, self._server):
            with contextlib.suppress(subprocess.TimeoutExpired):
                end.wait(max(0.1, deadline - time.monotonic()))
        self.kill()
        return self.report()

    def kill(self) -> None:
        """End both programs at once."""
        for end in (self._client, self._server):
            end.kill()
            end.wait(timeout=5)


def _outcome(journal: Path) -> dict[str, Any]:
    """Return what an end left when it was over; empty while it is not."""
    try:
        outcome: dict[str, Any] = json.loads(Path(f"{journal}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return outcome


def _all_arrived(server: dict[str, Any], client: dict[str, Any]) -> bool:
    if not server or not client:
        return False
    there = client["sent"] == server["received"]
    return bool(there and server["sent"] == client["received"])


def _flow(entries: list[Entry], since: float, now: float | None) -> Flow:
    times = [entry.arrived for entry in entries if entry.arrived is not None]
    if now is not None:
        times.append(now)
    pairs = list(itertools.pairwise(times))
    return Flow(
        len(entries),
        max((after - before for before, after in pairs), default=0.0),
        max((after - max(before, since) for before, after in pairs if after > since), default=0.0),
    )
