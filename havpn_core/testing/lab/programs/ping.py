"""UDP echo with a journal: measures outages of the path, free of TCP's own pauses.

Usage: ``ping.py reply ADDRESS PORT`` or ``ping.py send ADDRESS PORT JOURNAL INTERVAL_S BYTES
[SOURCE]``. JOURNAL gets three 64-bit numbers (number, time sent, time of the reply;
CLOCK_MONOTONIC, ns) for each packet when it is sent (reply = 0) and again when its reply comes.
"""

import contextlib
import os
import select
import socket
import struct
import sys
import time

PACKET = struct.Struct("<QQ")
ENTRY = struct.Struct("<QQQ")


def family(address: str) -> socket.AddressFamily:
    """Give the family of an address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def reply(address: str, port: int) -> None:
    """Send everything back without end."""
    echo = socket.socket(family(address), socket.SOCK_DGRAM)
    echo.bind((address, port))
    print("listening", flush=True)
    while True:
        data, sender = echo.recvfrom(2048)
        try:
            echo.sendto(data, sender)
        except OSError:  # no route back at this moment: a reply that gets lost
            continue


def send(far: tuple[str, int], source: str, journal: int, interval: float, size: int) -> None:
    """Send at a fixed cadence without end; errors of the network count as no reply."""
    line = socket.socket(family(far[0]), socket.SOCK_DGRAM)
    line.bind((source, 0))
    line.setblocking(False)
    watch = select.poll()
    watch.register(line, select.POLLIN)
    number, due = 0, time.monotonic()
    padding = bytes(max(0, size - PACKET.size))
    print("sending", flush=True)
    while True:
        watch.poll(max(0.0, due - time.monotonic()) * 1000)
        try:
            packet, _ = line.recvfrom(2048)
            os.write(journal, ENTRY.pack(*PACKET.unpack_from(packet), time.monotonic_ns()))
        except (BlockingIOError, ConnectionError):
            pass
        if time.monotonic() < due:
            continue
        sent = time.monotonic_ns()
        os.write(journal, ENTRY.pack(number, sent, 0))
        with contextlib.suppress(OSError):
            line.sendto(PACKET.pack(number, sent) + padding, far)
        number, due = number + 1, max(due + interval, time.monotonic())


def main() -> None:
    """Do the one or the other."""
    role, address, port, *rest = sys.argv[1:]
    if role == "reply":
        reply(address, int(port))
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    journal, source = os.open(rest[0], flags, 0o600), rest[3] if rest[3:] else ""
    send((address, int(port)), source, journal, float(rest[1]), int(rest[2]))


if __name__ == "__main__":
    main()
