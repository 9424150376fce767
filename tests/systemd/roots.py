"""A fresh Debian of each release, made once and kept between runs, outside the source.

The packages that ours depends on are installed in it by apt, which reads them from our package;
so a host without network installs ours, and would not if it needed anything else. It is made anew
when that changes.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

CACHE = Path(os.environ.get("HAVPN_LAB_CACHE", "/var/cache/havpn-lab"))
CODENAMES = {"12": "bookworm", "13": "trixie"}
INCLUDED = "systemd,systemd-sysv,dbus,iproute2,iputils-ping,procps"
RECIPE = "1"
"""Changed when what is below makes another root from the same packages."""
MAKE_S = 1200.0
UNREACHABLE = ("Failed getting release file", "Could not resolve", "Could not connect", "Unable to")
"""What debootstrap and apt say where there is no network."""
FURNISH = r"""
set -e
mount --make-rprivate /
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
for file in resolv.conf hosts; do
    [ -e "$1/etc/$file" ] || : >"$1/etc/$file"
    mount --bind "/etc/$file" "$1/etc/$file"
done
export DEBIAN_FRONTEND=noninteractive
chroot "$1" apt-get update -q
chroot "$1" apt-get satisfy -q -y "$(dpkg-deb -f "$2" Depends), $(dpkg-deb -f "$2" Recommends)"
chroot "$1" apt-get clean
"""


class NoRoot(Exception):
    """A root is not there, and cannot be made here; the text says why."""


def mirror() -> str:
    """Give the archive that this machine's own apt uses.

    :raises NoRoot: if it uses none of Debian's.
    """
    words = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.split() if line.rstrip("/").endswith("/debian")]
    if not found:
        raise NoRoot("apt has no archive of Debian: run apt-get update")
    return found[0]


def root(release: str, deb: Path) -> tuple[Path, float]:
    """Give the root of a release, and the seconds that its making took: 0 if it was there.

    :param deb: our package, whose dependencies it is to have in its cache.
    :raises NoRoot: if it is not there and cannot be made.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    target = CACHE / f"{CODENAMES[release]}-{_key(deb)}"
    with (CACHE / f"{CODENAMES[release]}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.is_dir():
            return target, 0.0
        began = time.monotonic()
        for old in CACHE.glob(f"{CODENAMES[release]}-*"):
            shutil.rmtree(old)
        _make(release, deb, target)
        return target, time.monotonic() - began


def _key(deb: Path) -> str:
    fields = ["dpkg-deb", "--field", deb, "Depends", "Recommends"]
    wanted = subprocess.run(fields, capture_output=True, text=True, check=True).stdout
    return hashlib.sha256(f"{RECIPE}\n{INCLUDED}\n{wanted}".encode()).hexdigest()[:12]


def _make(release: str, deb: Path, target: Path) -> None:
    codename = CODENAMES[release]
    if shutil.which("debootstrap") is None:
        raise NoRoot("debootstrap is not installed: run scripts/install-packages")
    draft = CACHE / f"{codename}-draft"
    log = CACHE / f"{codename}.log"
    options = ["--variant=minbase", f"--include={INCLUDED}"]
    steps = [
        ["debootstrap", *options, codename, str(draft), mirror()],
        ["unshare", "--mount", "--pid", "--fork", "--kill-child",
         "sh", "-c", FURNISH, "fetch", str(draft), str(deb)],
    ]  # fmt: skip
    with log.open("w") as out:
        for step in steps:
            done = subprocess.run(step, stdout=out, stderr=out, check=False, timeout=MAKE_S)
            if done.returncode:
                shutil.rmtree(draft, ignore_errors=True)
                said = log.read_text(errors="replace")
                text = (
                    f"{step[0]} for {codename} failed ({log}): {' / '.join(said.splitlines()[-3:])}"
                )
                raise (
                    NoRoot(text)
                    if any(words in said for words in UNREACHABLE)
                    else AssertionError(text)
                )
    draft.rename(target)
