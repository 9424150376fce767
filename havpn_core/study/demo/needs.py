"""What the demo needs of the machine."""

import os
import shutil
import subprocess

from havpn_core.host.execute import environment

IN_OWN_USER_NAMESPACE = ("unshare", "--user", "--map-root-user")


def missing_for_demo() -> list[str]:
    """Say what the demo lacks on this machine."""
    found = []
    needed = {"ip": "iproute2", "sysctl": "procps", "unshare": "util-linux"}
    for command, package in needed.items():
        if shutil.which(command) is None:
            found.append(f"command {command} is not there: install {package}")
    if not found and os.geteuid() != 0 and not user_namespaces():
        found.append(
            "needs network namespaces: run it as root, or let users make user namespaces "
            "(sysctl kernel.unprivileged_userns_clone=1; on Ubuntu "
            "kernel.apparmor_restrict_unprivileged_userns=0)"
        )
    return found


def user_namespaces() -> bool:
    """Whether this user may make user namespaces, and in them what the network consists of."""
    test = (*IN_OWN_USER_NAMESPACE, "--net", "--mount", "--pid", "--fork", "true")
    ended = subprocess.run(test, capture_output=True, env=environment(), check=False, timeout=10)
    return not ended.returncode
