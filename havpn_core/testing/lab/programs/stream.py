"""One TCP connection that carries numbered, checksummed records both ways all the time.

Usage: ``stream.py serve|connect ADDRESS PORT JOURNAL INTERVAL_S RTO_MAX_MS``. Each arrival is
appended to JOURNAL as three 64-bit numbers: number, time sent, time arrived (CLOCK_MONOTONIC,
ns). End of file on stdin ends the stream in order; JOURNAL.json then holds the outcome.
"""

import json
import os
import select
import socket
import struct
import sys
import time
import zlib

HEAD = struct.Struct("<QQ")
TAIL = struct.Struct("<I")
ENTRY = struct.Struct("<QQQ")
SIZE = 256
# What waits here goes out after an outage; more would only measure the catching up.
BACKLOG = 256 * 1024
TCP_RTO_MAX_MS = 44  # linux/tcp.h since 6.15; not in the socket module
PATIENCE_MS = 600_000
CONNECT_S = 10


def make(number: int, sent: int) -> bytes:
    """Return a record whose every byte follows from its number and time."""
    filling = number.to_bytes(8, "big") * (SIZE // 8)
    body = HEAD.pack(number, sent) + filling[: SIZE - HEAD.size - TAIL.size]
    return body + TAIL.pack(zlib.crc32(body))


def tune(connection: socket.socket, rto_max_ms: int) -> None:
    """Never give up during a long outage, and retry at least every RTO_MAX_MS if that is set."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PATIENCE_MS)
    if rto_max_ms:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, TCP_RTO_MAX_MS, rto_max_ms)
        except OSError:
            print("this kernel has no TCP_RTO_MAX_MS", file=sys.stderr)


def open_connection(role: str, address: str, port: int) -> socket.socket:
    """Accept the one connection, or make it; say on stdout when others may go on."""
    if role == "serve":
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.create_server((address, port), family=family) as door:
            print("listening", flush=True)
            connection, _ = door.accept()
    else:
        connection = socket.create_connection((address, port), timeout=CONNECT_S)
        print("connected", flush=True)
    connection.setblocking(False)
    return connection


class Exchange:
    """Both directions of one connection, as seen from one end."""

    def __init__(self, connection: socket.socket, journal: str, interval: float) -> None:
        self.connection = connection
        self.journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.interval = interval
        self.sent = self.received = 0
        self.outgoing = bytearray()
        self.incoming = bytearray()
        self.finishing = self.shut = self.peer_done = False

    def produce(self) -> None:
        """Queue the next record, unless an outage has filled the queue."""
        if not self.finishing and len(self.outgoing) < BACKLOG:
            self.outgoing += make(self.sent, time.monotonic_ns())
            self.sent += 1
        self.push()

    def push(self) -> None:
        """Send what the kernel takes; after the last byte, say that no more will come."""
        while self.outgoing:
            try:
                del self.outgoing[: self.connection.send(self.outgoing)]
            except BlockingIOError:
                return
        if self.finishing and not self.shut:
            self.connection.shutdown(socket.SHUT_WR)
            self.shut = True

    def pull(self) -> None:
        """Take what has arrived, verify every byte and write down when it came."""
        data = self.connection.recv(65536)
        now = time.monotonic_ns()
        self.incoming += data
        while len(self.incoming) >= SIZE:
            self.verify(bytes(self.incoming[:SIZE]), now)
            del self.incoming[:SIZE]
        if not data:
            self.peer_done = self.finishing = True
            if self.incoming:
                raise ValueError(f"{len(self.incoming)} bytes of an unfinished record")

    def verify(self, record: bytes, now: int) -> None:
        """Raise ValueError unless this is exactly the record that must come next."""
        number, sent = HEAD.unpack_from(record)
        if number != self.received or record != make(number, sent):
            raise ValueError(f"record {self.received}: got number {number}, bytes damaged or lost")
        self.received += 1
        os.write(self.journal, ENTRY.pack(number, sent, now))

    def run(self) -> None:
        """Keep the cadence from absolute times until both directions have ended."""
        watch = select.poll()
        watch.register(0, select.POLLIN | select.POLLHUP)
        due = time.monotonic()
        while not (self.shut and self.peer_done):
            wanted = select.POLLIN if not self.peer_done else 0
            watch.register(self.connection, wanted | (select.POLLOUT if self.outgoing else 0))
            for fd, _ in watch.poll(max(0.0, due - time.monotonic()) * 1000):
                if fd == 0:
                    self.finishing = True
                    watch.unregister(0)
                elif not self.peer_done:
                    self.receive()
            if time.monotonic() >= due:
                self.produce()
                due = max(due + self.interval, time.monotonic())
            else:
                self.push()

    def receive(self) -> None:
        """Pull if there is something; POLLOUT wakes us too."""
        try:
            self.pull()
        except BlockingIOError:
            return


def main() -> None:
    """Run one end and leave its outcome beside the journal."""
    role, address, port, journal, interval, rto_max_ms = sys.argv[1:]
    error, exchange = None, None
    try:
        connection = open_connection(role, address, int(port))
        tune(connection, int(rto_max_ms))
        exchange = Exchange(connection, journal, float(interval))
        exchange.run()
    except (OSError, ValueError) as problem:
        error = f"{type(problem).__name__}: {problem}"
    sent, received = (exchange.sent, exchange.received) if exchange else (0, 0)
    draft = f"{journal}.draft"
    with open(draft, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs start-up time
        json.dump({"sent": sent, "received": received, "error": error}, file)
    os.rename(draft, f"{journal}.json")  # noqa: PTH104


if __name__ == "__main__":
    main()
