"""Inside a provider: notes each ping of the client that enters one of its two ports.

Usage: ``tap.py JOURNAL``. JOURNAL gets for each (little endian): its number and the time
(CLOCK_MONOTONIC, ns), 64 bits each, the server's port, 16 bits, and 0 for a request, 1 for a reply.
"""

import os
import socket
import struct
import sys
import time

ENTRY = struct.Struct("<QQHB")
ETH_P_IP = 0x0800
PACKET_HOST = 0
UDP = 17
PORTS = range(7000, 8000)
"""Those of the lab's pingers; programs/ping.py puts the number first."""
WAYS = {"side-a": 0, "side-b": 1}


def ping(packet: bytes, way: int) -> tuple[int, int] | None:
    """Give a ping's number and the server's port; ``None`` for any other packet.

    :param packet: from the IPv4 header on.
    :param way: 0 for a request, 1 for a reply.
    """
    header = (packet[0] & 15) * 4
    if packet[9] != UDP or len(packet) < header + 16:
        return None
    sender, receiver = struct.unpack_from(">HH", packet, header)
    port = sender if way else receiver
    return (struct.unpack_from("<Q", packet, header + 8)[0], port) if port in PORTS else None


def main() -> None:
    """Note them for ever."""
    journal = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    print("ready", flush=True)
    while True:
        try:
            packet, (device, _, kind, *_) = tap.recvfrom(128)
        except OSError:  # a port is gone
            continue
        if kind != PACKET_HOST or device not in WAYS or len(packet) < 20:
            continue
        found = ping(packet, WAYS[device])
        if found is not None:
            os.write(journal, ENTRY.pack(found[0], time.monotonic_ns(), found[1], WAYS[device]))


if __name__ == "__main__":
    main()
