"""Take in what a command prints, within a limit, without holding it up and without waiting for it.

Each stream is a pipe that the loop reads while the command runs; what is beyond the limit is read
and thrown away, so a command that prints without end costs neither memory nor its own time. The
command gets an end that is open for reading as well: a daemon that it leaves behind (heartbeat
does) keeps that end, and with a reader of its own it is never sent SIGPIPE when ours is closed.
"""

import array
import asyncio
import contextlib
import fcntl
import os
import termios

PART = 64 * 1024


class Intake:
    """One stream of a command; a context manager that lets go of everything.

    :param limit: bytes that are kept.
    :raises OSError: where there is no descriptor left, on entering.
    """

    def __init__(self, limit: int) -> None:
        self.kept = bytearray()
        self.theirs = -1  #: what the command gets as its standard output or error
        self._limit, self._ours, self._nowhere = limit, -1, -1

    def __enter__(self) -> "Intake":
        try:
            self._ours, self.theirs = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(self._ours, False)
            with contextlib.suppress(OSError):  # a host without /proc; a plain end will do
                both = os.open(f"/proc/self/fd/{self.theirs}", os.O_RDWR | os.O_CLOEXEC)
                os.dup2(both, self.theirs, inheritable=False)
                os.close(both)
            self._nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            self._close()
            raise
        asyncio.get_running_loop().add_reader(self._ours, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
        with contextlib.suppress(OSError):
            # Of a daemon left behind: what fits into the pipe is taken, the rest refused. It must
            # not wait for a reader who is gone.
            os.set_blocking(self.theirs, False)
        self._close()

    def finish(self) -> bytes:
        """Take what is there now, and no more, and give what was kept."""
        there = array.array("i", [0])
        fcntl.ioctl(self._ours, termios.FIONREAD, there)
        until = len(self.kept) + there[0]
        while len(self.kept) < min(until, self._limit) and self._take():
            pass
        return bytes(self.kept)

    def _take(self) -> int:
        wanted = min(PART, self._limit - len(self.kept))
        try:
            if not wanted:
                return os.splice(self._ours, self._nowhere, PART)
            part = os.read(self._ours, wanted)
        except OSError:
            return 0
        self.kept += part
        return len(part)

    def _close(self) -> None:
        for descriptor in (self._ours, self.theirs, self._nowhere):
            if descriptor >= 0:
                os.close(descriptor)
        self._ours = self.theirs = self._nowhere = -1
