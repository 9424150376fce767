"""Pure: decide which echo requests get a reply.

An echo service on the Internet is an amplifier's toy and, pointed at another echo service, a
loop. So only requests from allowed networks get a reply, at a bounded rate, never towards a
well-known port, never with more bytes than came. All others get none and are counted.
"""

import ipaddress
from typing import Annotated

import msgspec

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
    :param rate: replies a second to one source; twice that in a burst.
    :param total_rate: replies a second altogether.
    :param allow_low_ports: reply towards ports below 1024, too.
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
        """Take one reply out of the source's bucket and the common one."""
        rate, total_rate = self._options.rate, self._options.total_rate
        burst = max(1.0, 2 * rate)  # a bucket must hold one whole reply
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
