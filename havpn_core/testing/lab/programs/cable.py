"""A serial cable between two pseudo-terminals that can be pulled out and put back.

Prints the two devices on one line, then obeys on stdin, answering each line with ``ok``: ``pull``,
``plug``, and ``break 0`` or ``break 1``, which loses what is sent at that end alone.
Unlike a relay that is stopped, a pulled cable loses what is sent meanwhile.
"""

import array
import fcntl
import os
import select
import sys
import termios
import tty

# A UART has a small buffer, not a history: a port nobody reads must not keep old messages.
UNREAD_LIMIT = 1024


class Port:
    """One end: the device the host opens, and our side of it.

    The device stays open here too; otherwise our side would fail while nobody uses it.
    """

    def __init__(self) -> None:
        self.inner, self.device = os.openpty()
        tty.setraw(self.device)
        os.set_blocking(self.inner, False)

    def deliver(self, data: bytes) -> None:
        """Hand bytes to whoever reads the device; what does not fit is lost."""
        unread = array.array("i", [0])
        fcntl.ioctl(self.device, termios.FIONREAD, unread)
        if unread[0] > UNREAD_LIMIT:
            termios.tcflush(self.device, termios.TCIFLUSH)
        try:
            os.write(self.inner, data)
        except BlockingIOError:
            return


def main() -> None:
    """Carry bytes between the two ports until stdin ends."""
    left, right = Port(), Port()
    peers = {left.inner: right, right.inner: left}
    print(os.ttyname(left.device), os.ttyname(right.device), flush=True)
    watch = select.poll()
    for fd in (0, *peers):
        watch.register(fd, select.POLLIN)
    broken: set[int] = set()
    while True:
        for fd, _ in watch.poll():
            data = os.read(fd, 4096)
            if fd in peers:
                if fd not in broken:
                    peers[fd].deliver(data)
            elif data:
                for order in data.split(b"\n")[:-1]:
                    broken = after(order, broken, tuple(peers))
                    print("ok", flush=True)
            else:
                sys.exit()


def after(order: bytes, broken: set[int], ends: tuple[int, ...]) -> set[int]:
    """Return which ends' bytes are lost from an order on."""
    match order.split():
        case [b"pull"]:
            return set(ends)
        case [b"break", which]:
            return broken | {ends[int(which)]}
        case _:
            return set()


if __name__ == "__main__":
    main()
