"""One daemon a ``run_dir``: two would fight for the address and for the control socket.

The lock is flock(2) on the folder itself. It needs no room on the disk, works where the file
system is read-only, ends with the process that holds it, however that ends, and leaves nothing.
"""

import asyncio
import contextlib
import fcntl
import os
import socket
import struct
from pathlib import Path

from havpn_core.errors import HavpnError
from havpn_core.host.disk import files
from havpn_core.host.disk.trouble import trouble_of

WAIT_S = 5.0
"""How long a start waits for a daemon that is about to end."""
STEP_S = 0.05
CONNECT_S = 1.0


class AlreadyRuns(HavpnError):
    """Another daemon works with this ``run_dir``."""


class RunLock:
    """Held from :meth:`take` to :meth:`release`, or to the end of the process."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._folder: int | None = None

    async def take(self, control: str, wait_s: float = WAIT_S) -> None:
        """Take the lock, waiting for a daemon that is about to end.

        A daemon of a release that took no lock is known by its control socket.

        :param control: name of the control socket in ``run_dir``.
        :raises AlreadyRuns: if another daemon still has it after ``wait_s`` seconds.
        :raises FileTrouble: if the folder can neither be made nor opened.
        """
        files.make_folder(self._run_dir)
        try:
            self._folder = os.open(self._run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as problem:
            raise trouble_of(self._run_dir, problem) from None
        until = asyncio.get_running_loop().time() + wait_s
        while (holder := self._rival(control)) is not None:
            if asyncio.get_running_loop().time() >= until:
                self.release()
                who = f" as pid {holder}" if holder else ""
                raise AlreadyRuns(
                    f"{self._run_dir}: havpn is already running{who}: stop it first, or give this "
                    "gateway another node.run_dir"
                )
            await asyncio.sleep(STEP_S)

    def release(self) -> None:
        """Let another daemon have it."""
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    def _rival(self, control: str) -> int | None:
        """Give the process that keeps us from starting; 0 if its number is not known."""
        assert self._folder is not None
        listener = _listener(self._run_dir / control)
        try:
            fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return listener or _holder(self._folder) or 0
        except OSError:  # a file system without locks: the socket is all there is
            pass
        return listener


def holder(run_dir: Path, control: str) -> int | None:
    """Give the process of the daemon that has a folder, without taking the lock.

    :param control: name of the control socket in ``run_dir``.
    :returns: ``None`` if there is none; 0 if its number is not known.
    """
    try:
        folder = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return _listener(run_dir / control) or _holder(folder)
    finally:
        os.close(folder)


def _listener(path: Path) -> int | None:
    """Give the process that listens on a Unix socket, by the kernel's word (unix(7))."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(CONNECT_S)
        line.connect(str(path))
        peer = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid: int = struct.unpack("3i", peer)[0]
        return pid
    return None


def _holder(descriptor: int) -> int | None:
    """Find the process that holds a lock on an open folder (proc_locks(5))."""
    found = os.fstat(descriptor)
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            words = line.split()
            if "FLOCK" in words and words[-3] == place:
                return int(words[-4])
    return None
