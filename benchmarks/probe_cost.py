"""What a udp-echo probe costs, against the barest asyncio client there can be.

Many probes use one echo service on loopback at a fixed cadence. The service is a process of its
own, so that the CPU time measured is the probing side's alone. Only the ratio travels between
machines: both clients run in turn, in one go, several rounds each.

    python benchmarks/probe_cost.py [--probes 100] [--interval 0.05] [--seconds 3] [--rounds 3]
"""

import argparse
import asyncio
import contextlib
import logging
import os
import socket
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator

import msgspec
from havpn_plugins.probes import udp_echo

from havpn_core import Context, Outcome

Check = Callable[[], Awaitable[bool]]


@contextlib.contextmanager
def echo_service() -> Iterator[int]:
    """Run an echo service in a child process; give its port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        while True:
            sock.sendto(*sock.recvfrom(2000))
    port = sock.getsockname()[1]
    sock.close()
    try:
        yield port
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


class Bare(asyncio.DatagramProtocol):
    """Sends and waits for whatever comes next: no nonce, no address, no rotation."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Hand the reply to the check that waits."""
        if not self.reply.done():
            self.reply.set_result(data)

    async def check(self) -> bool:
        """Send one request and wait for its reply."""
        loop = asyncio.get_running_loop()
        self.reply = loop.create_future()
        timer = loop.call_later(1, self.reply.cancel)
        self.transport.sendto(b"x" * 16)  # type: ignore[attr-defined]
        await self.reply
        timer.cancel()
        return True


async def bare_client(port: int) -> Check:
    """Make the yardstick."""
    _, client = await asyncio.get_running_loop().create_datagram_endpoint(
        Bare, remote_addr=("127.0.0.1", port)
    )
    return client.check


async def probe_client(port: int) -> Check:
    """Make a probe as the core does."""
    [kind] = udp_echo.havpn_register_probes()
    context = Context(
        "bench", "bench", logging.getLogger(), time.monotonic, lambda host, family: host, lambda: 0
    )
    probe = kind.build(msgspec.convert({"host": "127.0.0.1", "port": port}, kind.config), context)

    async def check() -> bool:
        sample = await probe.check(1.0)
        return sample.outcome is Outcome.OK

    return check


async def idle_client(port: int) -> Check:
    """Make a client that sends nothing: the cost of the cadence itself, to be taken off."""

    async def check() -> bool:
        return True

    return check


async def measure(
    make: Callable[[int], Awaitable[Check]], port: int, arguments: argparse.Namespace
) -> tuple[float, float, int]:
    """Give checks per second, CPU seconds per check and how many got no reply."""
    clients = [await make(port) for _ in range(arguments.probes)]
    rounds = int(arguments.seconds / arguments.interval)
    loop = asyncio.get_running_loop()
    lost = 0

    async def cadence(check: Check, first_at: float) -> None:
        nonlocal lost
        for turn in range(rounds):
            await asyncio.sleep(first_at + turn * arguments.interval - loop.time())
            lost += not await check()

    started, burnt = loop.time(), time.process_time()
    step = arguments.interval / arguments.probes
    await asyncio.gather(*(cadence(check, started + n * step) for n, check in enumerate(clients)))
    checks = rounds * arguments.probes
    return checks / (loop.time() - started), (time.process_time() - burnt) / checks, lost


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--probes", type=int, default=100)
    parser.add_argument("--interval", type=float, default=0.05, help="seconds")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    makers = {"cadence alone": idle_client, "bare asyncio": bare_client, "udp-echo": probe_client}
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in makers}
    with echo_service() as port:
        for _ in range(arguments.rounds):
            for name, make in makers.items():
                found[name].append(asyncio.run(measure(make, port, arguments)))
    print(f"{'client':14} {'checks/s':>8} {'us CPU/check':>12} {'no reply':>8}")
    cost = {}
    for name, results in found.items():
        cost[name] = statistics.median(each[1] for each in results) * 1e6
        speed = statistics.median(each[0] for each in results)
        print(f"{name:14} {speed:8.0f} {cost[name]:12.1f} {sum(each[2] for each in results):8}")
    base = cost["cadence alone"]
    ratio = (cost["udp-echo"] - base) / (cost["bare asyncio"] - base)
    print(f"udp-echo costs {ratio:.2f} times the bare client, cadence taken off")


if __name__ == "__main__":
    main()
