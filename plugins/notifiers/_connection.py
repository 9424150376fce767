"""A connection to a service, over TLS, that is over at its deadline whatever the far end does.

The notifiers that use it run in a thread: whatever waits here delays nobody else.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from havpn_core import Context, Diagnosis, HavpnError, NotResolved

from .._sockets import words

if TYPE_CHECKING:
    import ssl

LOOK_AGAIN_S = 0.05
LATE = "no reply in time"


def connect(context: Context, host: str, port: int, until_s: float) -> socket.socket:
    """Connect to a host by each of its known addresses in turn.

    :param until_s: when to give up, on the clock of :func:`time.monotonic`.
    :raises NotResolved: if no address is known by half of that time.
    :raises OSError: if none of them takes the connection.
    """
    problem: OSError | None = None
    addresses = _addresses(context, host, until_s)
    for number, address in enumerate(addresses):
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            break
        try:
            return socket.create_connection((address, port), left_s / (len(addresses) - number))
        except OSError as caught:
            problem = caught
    raise problem or TimeoutError(LATE)


def _addresses(context: Context, host: str, until_s: float) -> list[str]:
    """Give what the resolver prefers, and an IPv4 address for a host without a route to IPv6."""
    patience_s = time.monotonic() + (until_s - time.monotonic()) / 2
    while True:
        found = []
        for family in (0, socket.AF_INET):
            with contextlib.suppress(NotResolved):
                found.append(context.resolve(host, family))
        if found:
            return list(dict.fromkeys(found))
        if time.monotonic() >= patience_s:
            return [context.resolve(host, 0)]
        time.sleep(LOOK_AGAIN_S)


def tls_context(ca_file: str | None) -> "ssl.SSLContext":
    """Make what verifies the far end's certificate and name: by the host's CAs, or one file's.

    :raises HavpnError: if the file cannot be used.
    """
    import ssl  # here, as most commands that load the bundled plugins open no connection

    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise HavpnError(f"ca_file: {ca_file} holds no certificate in PEM") from None
    except OSError as problem:
        raise HavpnError(f"ca_file: {ca_file}: {words(problem)}") from None


def tried(
    context: Context,
    place: tuple[str, int],
    tls: Callable[[], "ssl.SSLContext"] | None,
    wait_s: float,
) -> list[Diagnosis]:
    """Connect to a service and say nothing to it, for ``havpn doctor``.

    :param place: host and port.
    :param tls: makes what verifies the service's certificate; ``None`` for a plain connection.
    """
    host, port = place
    until_s = time.monotonic() + wait_s
    try:
        made = connect(context, host, port, until_s)
        with ended_at(made, until_s), contextlib.ExitStack() as opened:
            opened.callback(made.close)
            if tls is not None:
                opened.callback(tls().wrap_socket(made, server_hostname=host).close)
    except Exception as problem:  # whatever a far end does to the TLS library
        remedy = "correct host and port, or look at the service and the firewalls in between"
        return [Diagnosis.failed(f"{host}, port {port}: {reason_of(problem, until_s)}", remedy)]
    verified = "" if tls is None else ", and its certificate is verified"
    return [Diagnosis.good(f"{host}, port {port}: the service takes a connection{verified}")]


def missing_files(ca_file: str | None, read: Callable[[], object]) -> list[str]:
    """Say what is wrong on this host with the files that a notifier's options name.

    :param ca_file: that option.
    :param read: reads the files with secrets; raises :exc:`HavpnError` for what is wrong.
    """
    looks: list[Callable[[], object]] = [read]
    if ca_file is not None:
        looks.insert(0, lambda: tls_context(ca_file))
    problems = []
    for look in looks:
        try:
            look()
        except HavpnError as problem:
            problems.append(str(problem))
    return problems


@contextlib.contextmanager
def ended_at(made: socket.socket, until_s: float) -> Iterator[None]:
    """Cut a connection when its time is over: the timeout of a socket is one of each read alone."""
    # A duplicate: with TLS the first object gives its descriptor away.
    spare = made.dup()

    def cut() -> None:
        with contextlib.suppress(OSError):
            spare.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, until_s - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join(1.0)
        spare.close()


def reason_of(problem: Exception, until_s: float) -> str:
    """Say why a connection failed, without anything that was sent over it."""
    import http.client
    import ssl

    if isinstance(problem, HavpnError):
        return str(problem)
    if time.monotonic() >= until_s or isinstance(problem, TimeoutError):
        return LATE
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {problem.verify_message}: name its CA in ca_file"
    if isinstance(problem, ssl.SSLError):
        return f"TLS failed: {(problem.reason or 'no reason given').lower().replace('_', ' ')}"
    if isinstance(problem, OSError):
        return words(problem)
    no_http = isinstance(problem, http.client.HTTPException)
    return "its reply is no HTTP: look into the address" if no_http else type(problem).__name__
