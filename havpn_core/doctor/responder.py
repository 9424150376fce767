"""Whether the echo responder and the server of the metrics can listen where they are to."""

import asyncio
import contextlib
import errno
import os
import socket

from havpn_core.doctor.case import TRIAL_S, Case
from havpn_core.doctor.finding import Finding
from havpn_core.echo.gate import parse_endpoint
from havpn_core.host.disk.trouble import why
from havpn_core.serve import options as serving

REMEDIES = {
    errno.EADDRINUSE: "end the program that listens there (ss -{0}lnp), or choose another port",
    errno.EACCES: "a port below 1024 needs CAP_NET_BIND_SERVICE: run as root, or grant it",
    errno.EADDRNOTAVAIL: "give this host the address, or correct {1}",
}
LIVENESS = b"GET /liveness HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def look(case: Case) -> list[Finding]:
    """Query the daemon, or bind each address for a moment where none runs."""
    if case.config.respond is None:
        return []
    endpoints = list(dict.fromkeys(case.config.respond.listen))
    if not case.running:
        kind = socket.SOCK_DGRAM
        return [_tried("respond.listen", each, parse_endpoint(each), kind) for each in endpoints]
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


async def look_at_metrics(case: Case) -> list[Finding]:
    """Request ``/liveness``, or bind each address for a moment where no daemon runs."""
    if case.config.metrics is None:
        return []
    endpoints = dict.fromkeys(case.config.metrics.listen)
    places = {each: serving.parse_endpoint(each) for each in endpoints}
    if case.running:
        return list(await asyncio.gather(*(_replies(*each) for each in places.items())))
    kind = socket.SOCK_STREAM
    return [_tried("metrics.listen", *each, kind) for each in places.items()]


async def _replies(endpoint: str, place: tuple[str, int]) -> Finding:
    """Request whether the daemon is alive."""
    subject = f"metrics.listen {endpoint}"
    try:
        async with asyncio.timeout(TRIAL_S):
            reader, writer = await asyncio.open_connection(*place)
            with contextlib.closing(writer):
                writer.write(LIVENESS)
                words = (await reader.readline()).decode("latin-1").split()
    except (OSError, ValueError) as problem:
        text = f"no reply: {'in time' if isinstance(problem, TimeoutError) else _why(problem)}"
        remedy = "take the file over (havpn reload); the log of the daemon says why it fails"
        return Finding.failed(subject, text, remedy)
    status = words[1] if len(words) > 1 else "nothing"
    if status == "200":
        return Finding.good(subject, "it replies that the daemon is alive")
    if status == "503":
        text = "it replies that the daemon hangs, or writes no status"
        return Finding.failed(subject, text, "look into the log of the daemon")
    remedy = f"end the program that listens there (ss -tlnp), or choose another port ({status})"
    return Finding.failed(subject, "what replies there is not havpn", remedy)


def _why(problem: OSError | ValueError) -> str:
    return why(problem) if isinstance(problem, OSError) else "it is none of HTTP"


def _tried(key: str, endpoint: str, place: tuple[str, int], kind: socket.SocketKind) -> Finding:
    """Bind an endpoint for a moment; nothing is read from it."""
    subject = f"{key} {endpoint}"
    found = socket.getaddrinfo(*place, type=kind, flags=socket.AI_NUMERICHOST)[0]
    try:
        with socket.socket(found[0], kind) as made:
            if found[0] == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if kind == socket.SOCK_STREAM:  # connections that ended a moment ago keep no port
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(found[4])
            if kind == socket.SOCK_STREAM:
                made.listen(1)
    except OSError as problem:
        number = problem.errno or 0
        text = f"cannot be bound: {os.strerror(number).lower()}"
        letter = "t" if kind == socket.SOCK_STREAM else "u"
        return Finding.failed(
            subject, text, REMEDIES.get(number, "correct {1}").format(letter, key)
        )
    return Finding.good(subject, "can be bound")
