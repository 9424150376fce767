"""Answer the far end's UDP echo questions, and nobody else's.

An echo service on the Internet is an amplifier's toy and, pointed at another echo service, a
loop. So only allowed networks are answered, at a bounded rate, never towards a well-known port,
never with more than was asked. Whoever is not answered hears nothing and is counted.
"""

import asyncio
import contextlib
import ipaddress
import logging
import secrets
import socket
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from havpn_core.echo.report import Sessions

BIGGEST = 1500
SOURCES = 4096
RETRY_S = 1.0


def parse_endpoint(text: str) -> tuple[str, int]:
    """Read ``192.0.2.2:7`` or ``[2001:db8::2]:7``.

    :raises ValueError: if it is neither.
    """
    host, _, port = text.rpartition(":")
    address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]").partition("%")[0])
    if (address.version == 6) != host.startswith("[") or not 0 < int(port) < 65536:
        raise ValueError(text)
    return host.removeprefix("[").removesuffix("]"), int(port)


class RespondOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``[respond]``: the echo responder that the far end probes.

    :param listen: addresses with ports to answer on.
    :param allow: networks that are answered.
    :param rate: answers a second to one source; twice that in a burst.
    :param total_rate: answers a second altogether.
    :param allow_low_ports: answer towards ports below 1024, too.
    """

    listen: Annotated[list[str], msgspec.Meta(min_length=1)]
    allow: Annotated[list[str], msgspec.Meta(min_length=1)]
    rate: Annotated[float, msgspec.Meta(gt=0)] = 100.0
    total_rate: Annotated[float, msgspec.Meta(gt=0)] = 10000.0
    allow_low_ports: bool = False

    def __post_init__(self) -> None:
        for endpoint in self.listen:
            try:
                host, _ = parse_endpoint(endpoint)
                if ipaddress.ip_address(host.partition("%")[0]).is_unspecified:
                    raise ValueError(endpoint)  # answers could leave from another address
            except ValueError:
                raise ValueError(
                    f"listen: {endpoint!r} is no address of this host with a port: "
                    'write "192.0.2.2:7" or "[2001:db8::2]:7"'
                ) from None
        for network in self.allow:
            try:
                ipaddress.ip_network(network)
            except ValueError as problem:
                raise ValueError(f'allow: {problem}: write "192.0.2.6/32"') from None


class Gate:
    """Decides who is answered; no socket and no clock in here."""

    def __init__(self, options: RespondOptions) -> None:
        self._networks = [ipaddress.ip_network(network) for network in options.allow]
        self._options = options
        self._credit: dict[str, tuple[float, float]] = {}
        self._total = (options.total_rate, 0.0)

    def judge(self, host: str, port: int, size: int, now_s: float) -> str:
        """Say ``answered``, or why not: ``denied``, ``low_port``, ``oversize``, ``rate``."""
        address = ipaddress.ip_address(host.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        if not any((mapped or address) in network for network in self._networks):
            return "denied"
        if port < 1024 and not self._options.allow_low_ports:
            return "low_port"
        if size > BIGGEST:
            return "oversize"
        return "answered" if self._spend(host, now_s) else "rate"

    def _spend(self, host: str, now_s: float) -> bool:
        """Take one answer out of the source's bucket and the common one."""
        rate, total_rate = self._options.rate, self._options.total_rate
        burst = max(1.0, 2 * rate)  # a bucket must hold one whole answer
        credit = _refill(self._credit.get(host, (burst, now_s)), rate, burst, now_s)
        total = _refill(self._total, total_rate, max(1.0, total_rate), now_s)
        if host not in self._credit and len(self._credit) >= SOURCES:
            self._credit.pop(next(iter(self._credit)))  # forged sources must not eat memory
        paid = credit >= 1 and total >= 1
        self._credit[host] = (credit - paid, now_s)
        self._total = (total - paid, now_s)
        return paid


def _refill(bucket: tuple[float, float], rate: float, most: float, now_s: float) -> float:
    left, then = bucket
    return min(most, left + (now_s - then) * rate)


class Responder:
    """The sockets; an address that is not there yet is tried again every second.

    Each socket is bound to one address, so that an answer always leaves from the address that
    was asked.
    """

    def __init__(
        self, options: RespondOptions, clock: Callable[[], float], log: logging.Logger
    ) -> None:
        self.counts = dict.fromkeys(
            ("answered", "denied", "low_port", "oversize", "rate", "error"), 0
        )
        self.options, self._clock, self._log = options, clock, log
        self._gate = Gate(options)
        self._sockets: dict[str, socket.socket] = {}
        self._complained: set[str] = set()
        self._sessions = Sessions(secrets.randbelow(2**32 - 1) + 1)
        self._heard: dict[str, float] = {}
        self._closed = False

    def heard(self, host: str) -> float | None:
        """Give the seconds since that address was last answered; only allowed ones ever are."""
        at = self._heard.get(host.partition("%")[0])
        return None if at is None else self._clock() - at

    async def run(self) -> None:
        """Open what can be opened now, and the rest when it can be; ends when all are open."""
        self._open_missing()
        while not self._closed and len(self._sockets) < len(set(self.options.listen)):
            await asyncio.sleep(RETRY_S)
            self._open_missing()

    def close(self) -> None:
        """Stop answering."""
        self._closed = True
        for made in self._sockets.values():
            asyncio.get_running_loop().remove_reader(made)
            made.close()
        self._sockets.clear()

    def _open_missing(self) -> None:
        for endpoint in self.options.listen:
            if self._closed or endpoint in self._sockets:
                continue
            try:
                self._sockets[endpoint] = self._open(endpoint)
            except OSError as problem:
                if endpoint not in self._complained:
                    self._log.warning("respond: %s: %s; trying on", endpoint, problem)
                self._complained.add(endpoint)

    def _open(self, endpoint: str) -> socket.socket:
        found = socket.getaddrinfo(
            *parse_endpoint(endpoint), type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )
        made = socket.socket(found[0][0], socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            if made.family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind(found[0][4])
        except OSError:
            made.close()
            raise
        asyncio.get_running_loop().add_reader(made, self._answer, made)
        return made

    def _answer(self, made: socket.socket) -> None:
        for _ in range(64):  # then let the probes have a turn
            try:
                question, asker = made.recvfrom(65535)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self.counts["error"] += 1
                return
            verdict = self._judge(asker, question)
            if len(self._heard) > SOURCES:
                self._heard.clear()  # a wide allow list must not eat memory
            if verdict == "answered":
                with contextlib.suppress(BlockingIOError):
                    self._heard[asker[0].partition("%")[0]] = self._clock()
                    try:
                        made.sendto(self._sessions.answer(asker[0], question), asker)
                    except OSError:
                        verdict = "error"
            self.counts[verdict] += 1

    def _judge(self, asker: Any, question: bytes) -> str:
        return self._gate.judge(asker[0], asker[1], len(question), self._clock())
