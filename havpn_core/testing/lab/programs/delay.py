"""A wire between two ports that takes its time, loses frames at random, and can be cut.

Usage: ``delay.py LEFT RIGHT [SEED]``, two Ethernet devices of this host. Every frame that comes in
at one leaves at the other; nothing is routed, and ARP passes like all else.

Prints ``ready rr`` (``ready other`` where real-time scheduling is refused), then obeys on stdin::

    delay MS    [left|right]   one way, 0 to 500
    loss  SHARE [left|right]   0 to 1
    cut         [left|right]
    heal                       end every cut and loss; the delay stays

``left`` and ``right`` name the sender concerned; without them it is both. Each order gets a reply
``ok MONOTONIC_NS REALTIME_NS``, the moment from which it rules, or ``bad REASON``. From the moment
of a cut on nothing comes out: frames under way are lost, too.
"""

import contextlib
import gc
import heapq
import os
import random
import select
import socket
import sys
import time

# linux/if_ether.h, linux/if_packet.h; not in the socket module.
ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23

BIGGEST = 65536 + 64
UNDER_WAY_LIMIT = 20_000
TURN = 64
BUFFER = 4 << 20
MOST_MS = 500.0
PRIORITY = 20


def port(device: str) -> socket.socket:
    """Open a device for whole frames.

    The virtio header in front of each travels along: without it, a checksum that the sender left
    to its (virtual) hardware would arrive unfinished and the frame be dropped.
    """
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    made.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    made.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    made.bind((device, ETH_P_ALL))
    made.setblocking(False)
    return made


class Way:
    """One direction."""

    def __init__(self, source: socket.socket, sink: socket.socket, chance: random.Random) -> None:
        self.source, self.sink, self._chance = source, sink, chance
        self.delay_ns = 0
        self.loss = 0.0
        self.cut = False
        self._under_way: list[tuple[int, int, bytes]] = []
        self._count = 0

    def take(self) -> None:
        """Accept what has come, but leave the other way a turn."""
        for _ in range(TURN):
            try:
                frame = self.source.recv(BIGGEST)
            except OSError:  # nothing left, or the device is down
                return
            lost = self.cut or (self.loss and self._chance.random() < self.loss)
            if not lost and len(self._under_way) < UNDER_WAY_LIMIT:
                self._count += 1
                due = time.monotonic_ns() + self.delay_ns
                heapq.heappush(self._under_way, (due, self._count, frame))

    def deliver(self, now_ns: int) -> None:
        """Let out what has been under way for long enough."""
        while self._under_way and self._under_way[0][0] <= now_ns:
            with contextlib.suppress(OSError):  # a full or dead device loses frames, as any does
                self.sink.send(heapq.heappop(self._under_way)[2])

    def sever(self) -> None:
        """Cut it."""
        self.cut = True
        self._under_way.clear()

    def mend(self) -> None:
        """Let everything pass."""
        self.cut, self.loss = False, 0.0

    def next_ns(self) -> int | None:
        """When the next frame is due."""
        return self._under_way[0][0] if self._under_way else None


def obey(order: str, ways: dict[str, Way]) -> None:
    """Carry one order out.

    :raises ValueError: if it is none.
    """
    verb, *rest = order.split()
    number = float(rest.pop(0)) if verb in ("delay", "loss") and rest else None
    if not set(rest) <= set(ways) or len(rest) > 1:
        raise ValueError(f"no sender {' '.join(rest)}")
    for way in [ways[rest[0]]] if rest else ways.values():
        if verb == "cut":
            way.sever()
        elif verb == "heal" and not rest:
            way.mend()
        elif verb == "delay" and number is not None and 0 <= number <= MOST_MS:
            way.delay_ns = round(number * 1e6)
        elif verb == "loss" and number is not None and 0 <= number <= 1:
            way.loss = number
        else:
            raise ValueError(f"cannot {order.strip()}")


def react(order: str, ways: dict[str, Way]) -> None:
    """Obey and say when, or why not."""
    try:
        obey(order, ways)
    except ValueError as problem:
        print("bad", problem, flush=True)
    else:
        print("ok", time.monotonic_ns(), time.time_ns(), flush=True)


def be_punctual() -> str:
    """Come before everything that is not real-time; a garbage collection would be jitter."""
    gc.disable()
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except OSError:
        return "other"
    return "rr"


def carry(ways: dict[str, Way]) -> None:
    """Carry frames until stdin ends."""
    sources = {way.source.fileno(): way for way in ways.values()}
    orders = b""
    while True:
        dues = [due for way in ways.values() if (due := way.next_ns()) is not None]
        rest_s = max(0, min(dues) - time.monotonic_ns()) / 1e9 if dues else None
        readable, _, _ = select.select([0, *sources], [], [], rest_s)
        for source in readable:
            if source == 0:
                said = os.read(0, 4096)
                if not said:
                    return
                *whole, orders = (orders + said).split(b"\n")
                for order in whole:
                    react(order.decode() or "?", ways)
            else:
                sources[source].take()
        for way in ways.values():
            way.deliver(time.monotonic_ns())


def main() -> None:
    """Open the ports and be a wire."""
    left, right = (port(device) for device in sys.argv[1:3])
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else None)
    ways = {"left": Way(left, right, chance), "right": Way(right, left, chance)}
    print("ready", be_punctual(), flush=True)
    carry(ways)


if __name__ == "__main__":
    main()
