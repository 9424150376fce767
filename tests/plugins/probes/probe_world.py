"""What the probes' tests share: a context, real echo services, and two hosts on one wire."""

import asyncio
import contextlib
import ctypes
import logging
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from havpn_core import Context, NotResolved

CLONE_NEWNET = 0x40000000


class Surroundings:
    """The part of the world that a test changes: names, and the count of network changes."""

    def __init__(self):
        self.names = {}
        self.changes = 0

    def resolve(self, host, family):
        address = self.names.get(host, host)
        if address is None:
            raise NotResolved(f"{host} has no known address")
        return address

    def context(self, instance="path.p.probe.x"):
        return Context(
            instance, "gw", logging.getLogger("test"), time.monotonic, self.resolve,
            lambda: self.changes,
        )  # fmt: skip


class UdpService(asyncio.DatagramProtocol):
    """A service whose conduct the test sets; it remembers what it was asked and from where."""

    def __init__(self, conduct):
        self.conduct = conduct
        self.asked = []

    def connection_made(self, transport):
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, addr):
        self.asked.append((data, addr))
        self.conduct(self, data, addr)

    @property
    def ports(self):
        return [address[1] for _, address in self.asked]


def echo(service, data, sender):
    service.transport.sendto(data, sender)


def silence(service, data, sender):
    pass


@contextlib.asynccontextmanager
async def udp_service(conduct=echo, address="127.0.0.1", port=0):
    transport, service = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: UdpService(conduct), local_addr=(address, port)
    )
    try:
        yield service
    finally:
        transport.close()


@contextlib.asynccontextmanager
async def built(kind, world, **options):
    """Make an instance as the core does, options checked by msgspec, and close it at the end."""
    probe = kind.build(msgspec.convert(options, kind.config), world.context())
    try:
        yield probe
    finally:
        await closed(probe)


async def closed(probe):
    answer = probe.close()
    if isinstance(answer, Awaitable):
        await answer
    await asyncio.sleep(0)


def run(coroutine):
    async def bounded():
        async with asyncio.timeout(30):
            return await coroutine

    return asyncio.run(bounded())


async def until(condition: Callable[[], object], within_s: float = 5.0):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come about"
        await asyncio.sleep(0.01)


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


@dataclass
class Wire:
    """Two network namespaces and the cable between them, ``wan`` at either end.

    near 192.0.2.1/24, 192.0.2.9/24 and 2001:db8::1; far 192.0.2.2/24 and 2001:db8::2.
    """

    near: int
    far: int

    def ip(self, pid, *words):
        command = ["nsenter", "-t", str(pid), "-n", "ip", *words]
        subprocess.run(command, check=True, capture_output=True, timeout=10)

    @contextlib.contextmanager
    def inside(self, pid) -> Iterator[None]:
        """Open sockets of this thread in there; they stay there when it returns."""
        home_path, there_path = Path("/proc/thread-self/ns/net"), Path(f"/proc/{pid}/ns/net")
        with home_path.open() as home, there_path.open() as there:
            _setns(there.fileno())
            try:
                yield
            finally:
                _setns(home.fileno())


def _setns(descriptor):
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def laid_wire():
    with contextlib.ExitStack() as stack:
        near, far = (stack.enter_context(_namespace()) for _ in range(2))
        cable = Wire(near, far)
        cable.ip(near, "link", "add", "wan", "type", "veth", "peer", "wan", "netns", str(far))
        for pid, addresses in (
            (near, ["192.0.2.1/24", "192.0.2.9/24", "2001:db8::1/64", "fe80::1/64"]),
            (far, ["192.0.2.2/24", "2001:db8::2/64", "fe80::2/64"]),
        ):
            cable.ip(pid, "link", "set", "wan", "addrgenmode", "none")
            cable.ip(pid, "link", "set", "lo", "up")
            cable.ip(pid, "link", "set", "wan", "up")
            for address in addresses:
                nodad = ["nodad"] if ":" in address else []
                cable.ip(pid, "address", "add", address, "dev", "wan", *nodad)
        yield cable


@contextlib.contextmanager
def _namespace():
    """Hold a namespace by a process that ends with its standard input, so with this one."""
    process = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo; exec cat"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        process.stdout.readline()
        yield process.pid
    finally:
        process.stdin.close()
        process.kill()
        process.wait(10)
        process.stdout.close()
