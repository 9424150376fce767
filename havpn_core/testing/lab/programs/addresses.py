"""Tells when this host's addresses come and go; the kernel reports, nothing is polled.

Prints one line a change: CLOCK_MONOTONIC in ns, ``+`` or ``-``, the address. First come the
addresses it has, then a line with ``=`` alone.
"""

import socket
import struct
import time

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
NLMSG_DONE = 3
RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR = 0x10, 0x100
NLM_F_REQUEST_DUMP = 0x301
IFA_ADDRESS, IFA_LOCAL = 1, 2
HEADER = struct.Struct("=IHHII")
IFADDRMSG_LEN = 8


def address_of(body: bytes) -> str | None:
    """Find the address among the attributes of one address message (rtnetlink(7))."""
    family, at = body[0], IFADDRMSG_LEN
    wanted = IFA_LOCAL if family == socket.AF_INET else IFA_ADDRESS
    size = 4 if family == socket.AF_INET else 16
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if kind == wanted:
            return socket.inet_ntop(family, body[at + 4 : at + 4 + size])
        at += max(4, (length + 3) & ~3)
    return None


def report(data: bytes) -> None:
    """Print what one read from the kernel says."""
    now = time.monotonic_ns()
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, *_ = HEADER.unpack_from(data, at)
        if kind == NLMSG_DONE:
            print(now, "=", flush=True)
        elif kind in (RTM_NEWADDR, RTM_DELADDR):
            address = address_of(data[at + HEADER.size : at + length])
            if address is not None:
                print(now, "+" if kind == RTM_NEWADDR else "-", address, flush=True)
        at += max(HEADER.size, (length + 3) & ~3)


def main() -> None:
    """Subscribe first, then request what is there: nothing can happen between the two."""
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    kernel.bind((0, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))
    body = struct.pack("=BBBBi", socket.AF_UNSPEC, 0, 0, 0, 0)
    length = HEADER.size + len(body)
    kernel.send(HEADER.pack(length, RTM_GETADDR, NLM_F_REQUEST_DUMP, 1, 0) + body)
    while True:
        report(kernel.recv(65536))


if __name__ == "__main__":
    main()
