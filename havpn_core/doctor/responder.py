"""Whether the echo responder can listen where it is to."""

import errno
import os
import socket

from havpn_core.doctor.case import Case
from havpn_core.doctor.finding import Finding
from havpn_core.echo.gate import parse_endpoint

REMEDIES = {
    errno.EADDRINUSE: "end the program that listens there (ss -ulnp), or choose another port",
    errno.EACCES: "a port below 1024 needs CAP_NET_BIND_SERVICE: run as root, or grant it",
    errno.EADDRNOTAVAIL: "give this host the address, or correct respond.listen",
}


async def look(case: Case) -> list[Finding]:
    """Query the daemon, or bind each address for a moment where none runs."""
    if case.config.respond is None:
        return []
    endpoints = list(dict.fromkeys(case.config.respond.listen))
    if not case.running:
        return [_tried(each) for each in endpoints]
    if case.status is None:
        return []
    found, subject = case.status.respond, "respond"
    if found is None:
        text = "the daemon runs without it"
        return [Finding.failed(subject, text, "take the file over: havpn reload")]
    if found.silence:
        text = f"it is silent: {found.silence}"
        return [Finding.warning(subject, text, "it replies again once that has ended")]
    return [
        Finding.good(subject, f"the daemon replied {found.answered} times, {found.denied} denied")
    ]


def _tried(endpoint: str) -> Finding:
    """Bind an endpoint for a moment; nothing is read from it."""
    subject = f"respond.listen {endpoint}"
    place = socket.getaddrinfo(
        *parse_endpoint(endpoint), type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    try:
        with socket.socket(place[0], socket.SOCK_DGRAM) as made:
            if place[0] == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind(place[4])
    except OSError as problem:
        number = problem.errno or 0
        text = f"cannot be bound: {os.strerror(number).lower()}"
        return Finding.failed(subject, text, REMEDIES.get(number, "correct respond.listen"))
    return Finding.good(subject, "can be bound")
