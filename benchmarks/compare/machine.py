"""What the comparison runs on: the machine and the versions."""

import os
import platform
import subprocess
from pathlib import Path

from havpn_core.version import __version__

PACKAGES = ("keepalived", "frr", "pacemaker", "corosync", "heartbeat", "strongswan-charon")


def machine() -> dict[str, str]:
    """Give names and values for people."""
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "Kernel": platform.release(),
        "System": platform.freedesktop_os_release()["PRETTY_NAME"],
        "Python": platform.python_version(),
        "HA-VPN": f"{__version__}{_commit()}",
        **{name: _version(name) for name in PACKAGES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(package: str) -> str:
    return _said("dpkg-query", "-W", "-f", "${Version}", package) or "not a Debian package"


def _commit() -> str:
    here = Path(__file__).parent
    found = _said("git", "-C", str(here), "rev-parse", "--short", "HEAD")
    return f", commit {found}" if found else ""


def _said(*argv: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
