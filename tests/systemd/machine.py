"""A host of the lab with a Debian of its own, whose pid 1 is systemd.

Its files are a tmpfs over a root that is kept between runs (``roots.py``): it begins as a fresh
machine, and nothing that is done in it stays.
"""

import shutil
import time
from pathlib import Path

from havpn_core.testing.lab.hosts.host import NAMESPACES, Host
from havpn_core.testing.lab.hosts.waiting import wait_for

MASKED = (
    "systemd-udevd.service", "systemd-logind.service", "systemd-timesyncd.service",
    "systemd-tmpfiles-setup-dev.service", "systemd-tmpfiles-setup-dev-early.service",
    "systemd-networkd.service", "systemd-resolved.service", "getty.target", "apt-daily.timer",
    "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
    "systemd-pcrphase.service", "console-getty.service",
)  # fmt: skip
BOOT = r"""
set -e
name=$1 lower=$2 place=$3 masked=$4
# The old /proc: it still shows the number that pid 1 has outside.
read -r pid _ </proc/self/stat
mount --make-rprivate /
hostname "$name"
ip link set lo up
mkdir -p "$place"
mount -t tmpfs -o mode=755 lab "$place"
cd "$place"
mkdir upper work root
mount -t overlay -o "lowerdir=$lower,upperdir=upper,workdir=work" lab root
cd root
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 dev dev
for node in null zero full random urandom tty; do
    touch dev/$node
    mount --bind /dev/$node dev/$node
done
# For charon's own ESP, and the serial cable, whose ends are of the outer /dev/pts.
mkdir dev/net dev/cable
touch dev/net/tun
[ ! -e /dev/net/tun ] || mount --bind /dev/net/tun dev/net/tun
mount --bind /dev/pts dev/cable
mkdir dev/shm dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
echo "$name" >etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >etc/hosts
: >etc/machine-id
for unit in $masked; do ln -sf /dev/null "etc/systemd/system/$unit"; done
pivot_root . mnt
echo "ready $pid"
exec chroot . /bin/sh -c 'umount -l /mnt; exec env -i PATH=$PATH container=lab \
    /lib/systemd/systemd --system --unit=multi-user.target' </dev/null >/dev/null 2>&1
"""
BOOTED_S = 60.0
APT_S = 240.0


class Machine(Host):
    """One machine with systemd; see :class:`Host`.

    :param root: the Debian that it begins with.
    """

    def __init__(self, name: str, folder: Path, root: Path) -> None:
        self._root = root
        super().__init__(name, folder)

    def _first_words(self, owner: int) -> list[str]:
        del owner  # a pid 1 of systemd watches nobody: this process's end ends it
        place = str(self.folder / f"{self.name}.files")
        script = ["sh", "-c", BOOT, "boot", self.name, str(self._root), place, " ".join(MASKED)]
        return ["setpriv", "--pdeathsig", "KILL", "unshare", "--cgroup", *NAMESPACES, *script]

    def wait_booted(self) -> None:
        """Wait until systemd has started what it is to start."""
        wait_for(self._booted, BOOTED_S, f"{self.name} to boot", poll=0.1)

    def _booted(self) -> bool:
        done = self.run("systemctl", "is-system-running", check=False)
        return done.stdout.strip() in ("running", "degraded")

    def systemctl(self, *words: str, check: bool = True, timeout: float = 30.0) -> str:
        """Run systemctl; gives what it printed."""
        return self.run("systemctl", *words, check=check, timeout=timeout).stdout.strip()

    def shown(self, prop: str, unit: str = "havpn.service") -> str:
        """Give one property of a unit."""
        return self.systemctl("show", "--value", "--property", prop, unit)

    def journal(self, *words: str) -> str:
        """Give what the journal has, of havpn's unit by default."""
        return self.run("journalctl", "--no-pager", "-o", "cat", *(words or ("-u", "havpn"))).stdout

    def bring(self, file: Path) -> str:
        """Copy a file of the outer machine into root's folder; gives its path inside."""
        shutil.copyfile(file, self.root / "root" / file.name)
        return f"/root/{file.name}"

    def apt(self, *words: str) -> float:
        """Run apt-get, which finds in its cache what it needs; gives the seconds it took."""
        began = time.monotonic()
        quiet = ("-q", "-y", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root")
        self.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *quiet, *words, timeout=APT_S)
        return time.monotonic() - began

    def holds(self, address: str) -> bool:
        """Whether an interface has the address."""
        return f" {address}/" in self.run_in_network("ip", "-4", "-o", "address").stdout
