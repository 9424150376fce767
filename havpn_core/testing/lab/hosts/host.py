"""A machine of the lab: namespaces of its own for network, mounts, name, IPC and processes.

It has a private /etc, /var and /root (overlays: the real content below), an empty /run, and a
pid 1 that watches the process owning the lab and ends with it, taking everything inside along.
"""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from havpn_core.testing.lab.hosts import leftovers
from havpn_core.testing.lab.hosts.errors import CommandFailed, HostFailed, NotInTime
from havpn_core.testing.lab.hosts.inside import (
    EVERY,
    TIED,
    Inside,
    complete,
    entry,
    resume_wrappers,
)
from havpn_core.testing.lab.hosts.waiting import wait_for

PROGRAMS = Path(__file__).parents[1] / "programs"
NAMESPACES = ("--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child")
GRACE_S = 1
READY_S = 15.0
END_S = 10.0


def program(name: str, *arguments: str) -> list[str]:
    """Return the command line of one of the lab's own programs."""
    return [sys.executable, "-I", "-S", str(PROGRAMS / f"{name}.py"), *arguments]


class Host:
    """One machine. Making it starts it; :meth:`wait_ready` must be called before use.

    :param name: host name, also the node name of cluster software.
    :param folder: the lab's folder (:func:`havpn_core.testing.lab.hosts.leftovers.open_folder`).
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self._life: leftovers.Life | None = None
        self.frozen = False
        self._complaints = folder / f"{name}.err"
        owner = os.pidfd_open(os.getpid())
        try:
            with self._complaints.open("wb") as complaints:
                self._starter = subprocess.Popen(
                    self._first_words(owner),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    pass_fds=(owner,),
                    start_new_session=True,  # a Ctrl-C is for the owner alone
                )
        finally:
            os.close(owner)

    def _first_words(self, owner: int) -> list[str]:
        """Give the command that makes the host; it reports ``ready`` and its outer pid 1.

        :param owner: descriptor of the process whose end is to end the host.
        """
        return ["unshare", *NAMESPACES, *program("init", str(owner), self.name)]

    def wait_ready(self, timeout: float = READY_S) -> None:
        """Return when the host is furnished.

        :raises HostFailed: it was not within the timeout (seconds), or not at all.
        """
        assert self._starter.stdout is not None
        with self._starter.stdout as out:
            line = out.readline().split() if select.select([out], [], [], timeout)[0] else []
        life = leftovers.life_of(int(line[1])) if len(line) == 2 else None
        if life is None:
            self.kill()
            reason = self._complaints.read_text(encoding="utf-8", errors="replace").strip()
            raise HostFailed(f"host {self.name} did not come up: {reason or 'no reason given'}")
        self._life = life
        leftovers.record(self.folder, self.name, life)

    @property
    def alive(self) -> bool:
        """Whether pid 1 still runs."""
        return self._life is not None and self._starter.poll() is None

    @property
    def pid(self) -> int:
        """Pid 1 of the host, as seen from outside.

        :raises HostFailed: the host is dead; its old pid may be anybody's now.
        """
        if self._life is None or not self.alive:
            raise HostFailed(f"host {self.name} is not running")
        return self._life.pid

    @property
    def root(self) -> Path:
        """The host's file tree seen from outside. Absolute symlinks in it lead astray."""
        return Path(f"/proc/{self.pid}/root")

    def run(
        self,
        *argv: str,
        timeout: float = 10.0,
        check: bool = True,
        input: str | None = None,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside and wait for it; a daemon it leaves behind is not waited for.

        :param timeout: seconds; then the command's process group gets SIGTERM, later SIGKILL.
        :raises CommandFailed: with ``check``, when the status is not 0.
        """
        deadline = ["timeout", f"--kill-after={GRACE_S}", f"{timeout:g}"]
        full = [*entry(self.pid, *EVERY), *TIED, *deadline, *argv]
        done = complete(full, timeout + GRACE_S + 2, input, env)
        return self._judge(done, argv, check)

    def run_in_network(
        self, *argv: str, timeout: float = 10.0, check: bool = True, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a short command in the network namespace only: outer files, outer pids, faster.

        :raises CommandFailed: as :meth:`run` does.
        """
        done = complete([*entry(self.pid, "--net"), *argv], timeout, input, None)
        return self._judge(done, argv, check)

    def _judge(
        self, done: subprocess.CompletedProcess[str], argv: tuple[str, ...], check: bool
    ) -> subprocess.CompletedProcess[str]:
        if check and done.returncode:
            raise CommandFailed(self.name, argv, done.returncode, done.stderr or done.stdout)
        return done

    def popen(self, *argv: str, **kw: Any) -> Inside:
        """Start a command inside that may run as long as the host; signals reach the command.

        :param kw: as for :class:`subprocess.Popen`; stdin defaults to /dev/null.
        """
        return Inside(self.pid, argv, **kw)

    def read(self, path: str) -> str:
        """Return a file's text as the host sees it."""
        return self.run("cat", path).stdout

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file inside, with its folder; never one of the real machine in private folders.

        The file has its mode before it has its content.
        """
        script = 'mkdir -p "${1%/*}" && rm -f "$1" && umask 077 && : >"$1" && chmod "$2" "$1"'
        self.run("sh", "-c", f'{script} && cat >"$1"', "write", path, f"{mode:o}", input=text)

    def kill(self) -> None:
        """End the host as a power failure does: SIGKILL to pid 1. Safe to call twice."""
        self.begin_kill()
        wait_for(self._is_over, END_S, f"the end of host {self.name}")

    def _is_over(self) -> bool:
        if self._starter.poll() is not None:
            return True
        if self._life is not None:
            resume_wrappers(self._life.pid)
        return False

    def begin_kill(self) -> None:
        """Send the SIGKILL of :meth:`kill` without waiting: the kernel takes 0.2 s a host."""
        if self._life is not None:
            leftovers.end(self._life, timeout=0)
        elif self._starter.poll() is None:
            self._starter.kill()  # --kill-child takes a pid 1 that never reported along

    def freeze(self) -> None:
        """Stop every process except pid 1, as a hung machine; the kernel still forwards."""
        self.frozen = True
        self._signal_all("STOP")

    def thaw(self) -> None:
        """Let the processes stopped by :meth:`freeze` go on."""
        self._signal_all("CONT")
        self.frozen = False
        resume_wrappers(self.pid)

    def _signal_all(self, name: str) -> None:
        # Without `timeout` around it: that process would be stopped with the others.
        complete([*entry(self.pid, *EVERY), "sh", "-c", f"kill -{name} -1"], 5.0, None, None)


def start_hosts(names: Iterable[str], folder: Path, timeout: float = READY_S) -> dict[str, Host]:
    """Start several hosts at once; on any failure none is left running."""
    hosts: dict[str, Host] = {}
    deadline = time.monotonic() + timeout
    try:
        for name in names:
            hosts[name] = Host(name, folder)
        for host in hosts.values():
            host.wait_ready(max(0.0, deadline - time.monotonic()))
    except BaseException:
        end_hosts(hosts.values())
        raise
    return hosts


def end_hosts(hosts: Iterable[Host]) -> list[str]:
    """Kill several hosts; one that resists does not save the others.

    :returns: the names of those that resisted; a later :func:`leftovers.sweep` tries again.
    """
    doomed = list(hosts)
    resisting = []
    for host in doomed:
        host.begin_kill()
    for host in doomed:
        try:
            host.kill()
        except (OSError, NotInTime):
            resisting.append(host.name)
    return resisting
