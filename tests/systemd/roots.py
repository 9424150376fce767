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
USUAL = "openssh-server"
"""What a machine has on which somebody works, and we do not ask for."""
RECIPE = "2"
"""Changed when what is below makes another root from the same packages."""
MAKE_S = 1200.0
MADE: dict[str, float] = {}
"""The roots that this run made, and the seconds that each took."""
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
# Nothing is to be started: a service would run in this machine's own network.
printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
chmod 755 "$1/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive
chroot "$1" apt-get update -q
if [ "$2" ]; then
    chroot "$1" apt-get satisfy -q -y "$(dpkg-deb -f "$2" Depends), $(dpkg-deb -f "$2" Recommends)"
fi
if [ "$3" ]; then
    # shellcheck disable=SC2086 # a list of words
    chroot "$1" apt-get install -q -y --no-install-recommends $3
fi
# A test starts what it needs.
for unit in conntrackd corosync heartbeat pacemaker pcsd pcsd-ruby strongswan strongswan-starter; do
    chroot "$1" systemctl disable "$unit" 2>/dev/null || true
done
chroot "$1" apt-get clean
rm "$1/usr/sbin/policy-rc.d"
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


def root(release: str, deb: Path, *extra: str) -> tuple[Path, float]:
    """Give the root of a release, and the seconds that its making took: 0 if it was there.

    :param deb: our package, whose dependencies it is to have in its cache.
    :param extra: packages that it is to have besides, which makes a root of its own.
    :raises NoRoot: if it is not there and cannot be made.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    name = f"{CODENAMES[release]}{'+daemons' if extra else ''}"
    target = CACHE / f"{name}-{_key(deb, extra)}"
    base = root(release, deb) if extra and not target.is_dir() else None
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.is_dir():
            return target, 0.0
        began = time.monotonic()
        for old in CACHE.glob(f"{name}-*"):
            shutil.rmtree(old)
        draft = CACHE / f"{name}-draft"
        _make(_steps(release, deb, draft, base[0] if base else None, extra), draft)
        draft.rename(target)
        MADE[name] = time.monotonic() - began
        return target, MADE[name] + (base[1] if base else 0.0)


def _key(deb: Path, extra: tuple[str, ...]) -> str:
    fields = ["dpkg-deb", "--field", deb, "Depends", "Recommends"]
    wanted = subprocess.run(fields, capture_output=True, text=True, check=True).stdout
    recipe = f"{RECIPE}\n{INCLUDED}\n{USUAL}\n{wanted}\n{extra}"
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def _steps(
    release: str, deb: Path, draft: Path, base: Path | None, extra: tuple[str, ...]
) -> list[list[str]]:
    """Give the commands that make a root: from nothing, or from another one and some packages."""
    furnish = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-c",
        FURNISH,
        "fetch",
    ]
    if base is not None:
        return [
            ["cp", "-a", "--reflink=auto", str(base), str(draft)],
            [*furnish, str(draft), "", " ".join(extra)],
        ]
    if shutil.which("debootstrap") is None:
        raise NoRoot("debootstrap is not installed: run scripts/install-packages")
    options = ["--variant=minbase", f"--include={INCLUDED}"]
    return [
        ["debootstrap", *options, CODENAMES[release], str(draft), mirror()],
        [*furnish, str(draft), str(deb), USUAL],
    ]


def _make(steps: list[list[str]], draft: Path) -> None:
    log = draft.with_name(draft.name.replace("-draft", ".log"))
    with log.open("w") as out:
        for step in steps:
            done = subprocess.run(step, stdout=out, stderr=out, check=False, timeout=MAKE_S)
            if done.returncode:
                shutil.rmtree(draft, ignore_errors=True)
                said = log.read_text(errors="replace")
                last = " / ".join(said.splitlines()[-3:])
                text = f"{step[0]} for {draft.name} failed ({log}): {last}"
                raise (
                    NoRoot(text)
                    if any(words in said for words in UNREACHABLE)
                    else AssertionError(text)
                )
