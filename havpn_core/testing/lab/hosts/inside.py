"""Processes inside a host, started and signalled from outside.

``nsenter`` stays outside as the parent of the command it starts. Killing it would orphan the
command to the *outer* pid 1, which may be slow to collect it, and a host with an uncollected
process does not end. Signals therefore go to the command; its wrapper follows by itself.
"""

import errno
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any

import psutil

from havpn_core.testing.lab.hosts.waiting import wait_for

# Heartbeat closes every descriptor up to this limit at start; some machines allow 1e9 of them.
LIMIT = ("prlimit", "--nofile=1024:")
TIED = ("setpriv", "--pdeathsig", "KILL", *LIMIT)
EVERY = ("--mount", "--uts", "--ipc", "--net", "--pid")
WRAPPERS = ("nsenter", "setpriv", "prlimit")
ENTER_S = 10.0
GONE = frozenset({errno.ESRCH, errno.ENOENT, errno.EINVAL})
"""Of a process that is not there; the last two where a thread has its number by now."""


def entry(pid: int, *which: str) -> list[str]:
    """Return the start of a command line that enters namespaces of a process.

    :param which: options of ``nsenter`` such as ``--net``. Never ``--all``: it includes the
        cgroup namespace, which nobody may enter from a user namespace.
    """
    return ["nsenter", "--target", str(pid), *which, "--"]


def handle_of(pid: int) -> int | None:
    """Open a process; None if it is gone."""
    try:
        return os.pidfd_open(pid)
    except OSError as problem:
        if problem.errno in GONE:
            return None
        raise


class Inside(subprocess.Popen[Any]):
    """A Popen whose signals reach the command inside the host, not the wrapper outside.

    :raises NotInTime: the command did not start.
    """

    def __init__(self, pid: int, argv: Sequence[str], **kw: Any) -> None:
        self._handle: int | None = None
        kw.setdefault("stdin", subprocess.DEVNULL)
        kw.setdefault("start_new_session", True)
        super().__init__([*entry(pid, *EVERY), *TIED, *argv], **kw)
        wait_for(self._has_entered, ENTER_S, f"{argv[0]} to start", poll=0.002)

    def _has_entered(self) -> bool:
        """Whether the command itself runs, past the wrappers; it may also be over already."""
        if self.poll() is not None:
            return True
        try:
            inner = psutil.Process(self.pid).children()
            if not inner or inner[0].name() in WRAPPERS:
                return False
            self._handle = handle_of(inner[0].pid)
            self.inner_pid = inner[0].pid
            return self._handle is not None
        except psutil.NoSuchProcess:
            return False

    def send_signal(self, sig: int) -> None:
        """Signal the command inside; nothing happens when it is over."""
        if self._handle is None:
            return
        try:
            signal.pidfd_send_signal(self._handle, sig)
        except ProcessLookupError:
            return
        if sig in (signal.SIGCONT, signal.SIGKILL):
            super().send_signal(signal.SIGCONT)  # see resume_wrappers

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            os.close(handle)
        super().__del__()


def resume_wrappers(pid: int) -> None:
    """Let go on what waits outside for commands of the host with this pid 1.

    A wrapper whose command is stopped stops itself and then collects nothing any more. It
    continues its command when it is continued: only for hosts that are thawed or at their end.
    """
    for process in psutil.process_iter():
        try:
            if process.name() != "nsenter" or process.status() != psutil.STATUS_STOPPED:
                continue
            if process.cmdline()[1:3] == ["--target", str(pid)]:
                process.send_signal(signal.SIGCONT)
        except psutil.NoSuchProcess:
            continue


def complete(
    full: Sequence[str], timeout: float, text: str | None, env: dict[str, str] | None
) -> subprocess.CompletedProcess[str]:
    """Run a full command line to its end; the status is 124 for a timeout.

    Output goes to files, not pipes: a daemon that keeps its starter's stdout open must not hold
    us up.
    """
    stdin = subprocess.DEVNULL if text is None else subprocess.PIPE
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        with subprocess.Popen(
            full, stdin=stdin, stdout=out, stderr=err, text=True, env=env, start_new_session=True
        ) as process:
            try:
                process.communicate(text, timeout=timeout)
                status = process.returncode
            except subprocess.TimeoutExpired:
                process.kill()
                status = 124
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(list(full), status, out.read(), err.read())
