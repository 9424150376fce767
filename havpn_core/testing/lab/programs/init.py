"""Pid 1 of a lab host: furnishes the namespaces, reaps orphans, ends with the lab's owner.

Usage: ``init.py OWNER_FD NAME``, where OWNER_FD is a pidfd of the process that owns the lab.
"""

import os
import select
import signal
import sys

FURNISH = """
set -e
hostname "$1"
mount -t tmpfs -o mode=755 lab-run /run
mkdir -p /run/lock
for folder in etc var root; do
    [ -d "/$folder" ] || continue
    upper=/run/.lab/$folder/upper work=/run/.lab/$folder/work
    mkdir -p "$upper" "$work"
    # Without privileges the real folder belongs to nobody here; on top of it this one is ours.
    [ "$folder" != var ] || mkdir -p "$upper/lib"
    layers=lowerdir=/$folder,upperdir=$upper,workdir=$work
    mount -t overlay -o "$layers" "lab-$folder" "/$folder" 2>/dev/null ||
        mount -t overlay -o "$layers,userxattr" "lab-$folder" "/$folder" 2>/dev/null ||
        echo "$folder" >>/run/.lab/not-private
done
[ ! -d /dev/shm ] || mount -t tmpfs -o mode=1777 lab-shm /dev/shm
mount -t proc proc /proc
mount -t sysfs sysfs /sys
# Heartbeat reboots the machine when a resource does not stop; nothing here may even try.
for name in reboot poweroff halt shutdown telinit init; do
    program=$(readlink -f "/sbin/$name") || continue
    case "${program##*/}" in
        systemctl|systemd|reboot|poweroff|halt|shutdown|telinit|init)
            [ ! -e "$program" ] || mount --bind /bin/true "$program" ;;
    esac
done
ip link set lo up
"""


def furnish(name: str) -> None:
    """Give this host its own folders, name and loopback; leave with the shell's status if not."""
    status = os.spawnv(os.P_WAIT, "/bin/sh", ["sh", "-c", FURNISH, "furnish", name])
    if status:
        sys.exit(f"cannot furnish host {name}: shell status {status}")


def reap() -> None:
    """Collect every child that has ended; heartbeat waits without end for a zombie."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def rest_until_owner_ends(owner_fd: int) -> None:
    """Reap children until the owner is gone; the kernel then ends all that lives in here."""
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    watch = select.poll()
    watch.register(owner_fd, select.POLLIN)
    watch.register(wake_read, select.POLLIN)
    while True:
        reap()
        for fd, _ in watch.poll():
            if fd == owner_fd:
                return
            os.read(wake_read, 4096)


def main() -> None:
    """Furnish, report the pid as the owner sees it, rest."""
    owner_fd, name = int(sys.argv[1]), sys.argv[2]
    os.set_inheritable(owner_fd, False)
    pid = os.readlink("/proc/self")  # noqa: PTH115 - the old /proc: it still shows the outer pid
    furnish(name)
    os.chdir("/")
    os.write(1, f"ready {pid}\n".encode())
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    rest_until_owner_ends(owner_fd)


if __name__ == "__main__":
    main()
