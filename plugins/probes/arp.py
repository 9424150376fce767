"""``arp``: whether a host on the LAN replies to ARP (RFC 826), or to NDP (RFC 4861) for IPv6."""

import asyncio
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Annotated

import msgspec

from havpn_core import Context, NeighbourFrame, Neighbours, ProbeType, Sample, hookimpl

from .._sockets import words


class ArpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``arp``.

    :raises ValueError: if the host is no address of a host on a LAN.
    """

    host: Annotated[str, msgspec.Meta(min_length=1, description="host on the LAN, its address")]
    device: Annotated[
        str, msgspec.Meta(min_length=1, max_length=15, description="interface on the LAN")
    ]

    def __post_init__(self) -> None:
        try:
            address = ip_address(self.host)
        except ValueError:
            raise ValueError(
                f'host: {self.host!r} is no address: write as "10.1.0.10"; names have no ARP'
            ) from None
        if address.is_multicast or address.is_unspecified or "%" in self.host:
            raise ValueError(f"host: {self.host} is no host's address on a LAN")


class Arp:
    """Sends one request at a time; whoever replies for the address is the host."""

    def __init__(self, options: ArpOptions, context: Context) -> None:
        self._target = ip_address(options.host)
        self._clock = context.clock
        self._neighbours = Neighbours(options.device, self._heard)
        self._waiting: dict[asyncio.Future[tuple[float, str]], float] = {}

    async def check(self, timeout_s: float) -> Sample:
        """Probe for who has the address."""
        if not self._neighbours.is_open:
            try:
                self._neighbours.open((f"IPv{self._target.version}",))
            except PermissionError as problem:
                return Sample.error(f"{words(problem)}: it needs CAP_NET_RAW")
            except OSError as problem:
                return Sample.fail(words(problem))
        begun_s = self._clock()
        reply: asyncio.Future[tuple[float, str]] = asyncio.get_running_loop().create_future()
        self._waiting[reply] = begun_s
        try:
            if not self._neighbours.probe(self._target):
                return Sample.fail("the request cannot be sent: the device is down or full")
            async with asyncio.timeout(timeout_s):
                latency_s, who = await reply
        except TimeoutError:
            return Sample.fail("no reply")
        finally:
            del self._waiting[reply]
        return Sample.ok(latency_s, who)

    async def close(self) -> None:
        """Close the sockets."""
        self._neighbours.close()

    def _heard(self, frame: NeighbourFrame, age_s: float) -> None:
        if not frame.replies or frame.address != self._target:
            return
        came_s = self._clock() - age_s
        for reply, begun_s in self._waiting.items():
            if came_s >= begun_s and not reply.done():
                reply.set_result((came_s - begun_s, frame.mac.hex(":")))


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    """Give the type."""
    yield ProbeType(
        "arp",
        "Reply of a host on the LAN to ARP, or to NDP for IPv6",
        ArpOptions,
        Arp,
        needs=frozenset({"CAP_NET_RAW"}),
    )
