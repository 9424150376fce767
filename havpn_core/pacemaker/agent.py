"""Put the resource agent where Pacemaker looks, and take it away again.

Pacemaker's search path is compiled in, and no wheel may write there, so a command does it. The
agent is ours if it has the marker; nothing else is ever written over or removed.
"""

import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

from havpn_core.errors import HavpnError
from havpn_core.host.disk import files
from havpn_core.host.disk.trouble import FileTrouble, why

NAME = "ocf:havpn:link"
PLACE = Path("usr/lib/ocf/resource.d/havpn/link")
PACKAGED = Path("/usr/lib/havpn")
"""Where a distribution's package has HA-VPN; its command is on the PATH."""
MARKER = "# Written by havpn ocf install; an agent that was copied by hand asks PATH."
CHECK_S = 10.0


def text(python: str | None = None) -> str:
    """Give the agent.

    :param python: the interpreter that it is to start HA-VPN with; empty means ``havpn`` from
        PATH, ``None`` the one that runs now, or ``havpn`` from PATH where a distribution's
        package has been installed.
    """
    agent = resources.files("havpn_ocf").joinpath("link").read_text(encoding="utf-8")
    own = "" if Path(__file__).is_relative_to(PACKAGED) else sys.executable
    chosen = own if python is None else python
    quoted = "'" + chosen.replace("'", "'\\''") + "'" if chosen else ""
    return agent.replace(f"{MARKER}\npython=\n", f"{MARKER}\npython={quoted}\n", 1)


def install(root: Path = Path("/")) -> Path:
    """Write the agent and see that it works; returns where it is.

    :param root: the folder that holds ``usr``, for packages and tests.
    :raises HavpnError: if the file there is not ours, cannot be written or does not work.
    """
    target = root / PLACE
    _check_ours(target)
    with files.replacing(target, text().encode(), durable=True, mode=0o755) as draft:
        _check_works(draft)
    return target


def uninstall(root: Path = Path("/")) -> Path | None:
    """Remove the agent; returns where it was, ``None`` if there was none.

    :raises HavpnError: if the file there is not ours or cannot be removed.
    """
    target = root / PLACE
    if not _check_ours(target):
        return None
    try:
        target.unlink()
        if not any(target.parent.iterdir()):
            target.parent.rmdir()
    except OSError as problem:
        raise HavpnError(f"{target}: {why(problem)}") from None
    return target


def _check_ours(target: Path) -> bool:
    """Say whether there is an agent of ours.

    :raises HavpnError: if something else is there.
    """
    if not os.path.lexists(target):
        return False
    try:
        ours = not target.is_symlink() and MARKER in (files.read_text(target) or "")
    except FileTrouble:
        ours = False
    if not ours:
        raise HavpnError(f"{target} was not written by havpn: move it away first")
    return True


def _check_works(agent: Path) -> None:
    """Have it print its meta-data, with nothing in its environment.

    :raises HavpnError: if it does not.
    """
    try:
        ended = subprocess.run(
            [agent, "meta-data"], env={}, capture_output=True, timeout=CHECK_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise HavpnError(f"{agent} meta-data did not end within {CHECK_S:g} s") from None
    if ended.returncode != 0 or b"</resource-agent>" not in ended.stdout:
        raise HavpnError(f"{agent} meta-data failed with status {ended.returncode}")
