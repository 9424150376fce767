"""Pure: decide which echo requests get a reply.

An echo service on the Internet is an amplifier's toy and, pointed at another echo service, a
loop. So only requests from allowed networks get a reply, at a bounded rate, never towards a
well-known port or another responder, never with more bytes than came (but for a notice, see
:mod:`~havpn_core.echo.notices`). All others get none and are
counted. Whose requests come first, :mod:`~havpn_core.echo.sources` says, and what is the echo of a
reply :mod:`~havpn_core.echo.loops`.
"""

import ipaddress
from typing import Annotated, Literal

import msgspec

from havpn_core.echo.loops import Loops
from havpn_core.echo.report import sign
from havpn_core.echo.sources import Sources

BIGGEST = 1500
"""Bytes of the largest request that gets a reply."""

SOURCES = 4096
"""Sources whose rate is remembered."""


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

    :param listen: addresses with ports to listen on.
    :param allow: networks whose requests get a reply.
    :param rate: replies a second to one source, an address with a port; twice that in a burst.
    :param total_rate: replies a second altogether.
    :param allow_low_ports: reply towards ports below 1024, too.
    :param when: ``fit``: be silent while this gateway cannot serve or is in maintenance, so that
        the far end leaves it, too; ``always``: as a plain echo server.
    """

    listen: Annotated[list[str], msgspec.Meta(min_length=1)]
    allow: Annotated[list[str], msgspec.Meta(min_length=1)]
    rate: Annotated[float, msgspec.Meta(gt=0)] = 100.0
    total_rate: Annotated[float, msgspec.Meta(gt=0)] = 10000.0
    allow_low_ports: bool = False
    when: Literal["fit", "always"] = "fit"

    def __post_init__(self) -> None:
        for endpoint in self.listen:
            try:
                host, _ = parse_endpoint(endpoint)
                if ipaddress.ip_address(host.partition("%")[0]).is_unspecified:
                    raise ValueError(endpoint)  # replies could leave from another address
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
    """Decides which requests get a reply."""

    def __init__(self, options: RespondOptions) -> None:
        self._networks = [ipaddress.ip_network(network) for network in options.allow]
        self._options = options
        self._sources = Sources(options.rate, options.total_rate, SOURCES)
        self._loops = Loops((parse_endpoint(each)[1] for each in options.listen), SOURCES)
        self._addresses: dict[str, str] = {}

    def judge(
        self,
        host: str,
        port: int,
        size: int,
        now_s: float,
        *,
        request: bytes = b"",
        came_ns: int = 0,
    ) -> str:
        """Say ``answered``, or why not: ``denied``, ``low_port``, ``loop``, ``oversize``, ``rate``.

        :param host: where the request comes from; a scope does not count.
        :param size: its length in bytes.
        :param request: its bytes; without them its sender is known by its port alone.
        :param came_ns: when it arrived, in nanoseconds of the clock of :meth:`replied`.
        """
        address = self.address(host)
        if not address:
            return "denied"
        if port < 1024 and not self._options.allow_low_ports:
            return "low_port"
        if self._loops.closed(port, request):
            return "loop"
        if size > BIGGEST:
            return "oversize"
        if not self._sources.spend(address, port, sign(request), now_s):
            return "rate"
        echoed = request and self._loops.echoed((address, port), request, came_ns, now_s)
        return "loop" if echoed else "answered"

    def replied(self, host: str, port: int, reply: bytes, sent_ns: int) -> None:
        """Take in that a reply is sent, so that its echo is known.

        :param sent_ns: the moment before it, in nanoseconds.
        """
        if reply:
            self._loops.replied((self.address(host), port), reply, sent_ns)

    def knows(self, host: str, port: int, request: bytes) -> bool:
        """Whether a request comes of a source that has come for a while."""
        return self._sources.known(self.address(host), port, sign(request))

    def address(self, host: str) -> str:
        """Give the address of a host that is allowed; empty for another one."""
        found = self._addresses.get(host)
        if found is None:
            address = plain(host)
            allowed = any(address in network for network in self._networks)
            found = str(address) if allowed else ""
            if len(self._addresses) >= SOURCES:
                self._addresses.clear()
            self._addresses[host] = found
        return found


def plain(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Give an address as it is allowed and counted: without a scope, IPv4 as such.

    A link-local address has the same budget on whatever device its requests come in.

    :raises ValueError: if it is none.
    """
    address = ipaddress.ip_address(host.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
