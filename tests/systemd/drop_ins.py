"""Drop-ins of the packaged unit, put in force and taken away again."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from havpn_core.testing.lab.hosts.waiting import wait_for
from tests.systemd.fresh import FILE, WORKS_S, Fresh
from tests.systemd.machine import Machine

SHIPPED = "/usr/share/havpn/systemd"
PLACE = "/etc/systemd/system/havpn.service.d"


@contextlib.contextmanager
def in_force(machine: Machine, *names: str, own: str = "") -> Iterator[None]:
    """Have drop-ins in force after the next start of the unit, linked as docs/packaging.md says.

    :param own: the text of one of the lab's own besides.
    """
    machine.run("mkdir", "-p", PLACE)
    for name in names:
        machine.run("ln", "-s", f"{SHIPPED}/{name}.conf", f"{PLACE}/")
    if own:
        machine.write(f"{PLACE}/lab.conf", own)
    machine.systemctl("daemon-reload")
    try:
        yield
    finally:
        machine.run("rm", "-rf", PLACE)
        machine.systemctl("daemon-reload")


@contextlib.contextmanager
def configured(lab: Fresh, files: dict[str, str]) -> Iterator[None]:
    """Have machines run with other files, and then with those of before."""
    before = {name: lab.hosts[name].read(FILE) for name in files}
    try:
        for name, text in files.items():
            lab.hosts[name].write(FILE, text)
        yield
    finally:
        for name, text in before.items():
            lab.hosts[name].write(FILE, text)


def restart(machine: Machine) -> None:
    """Start the daemon anew, and wait until it works."""
    machine.systemctl("restart", "havpn", timeout=WORKS_S)
    pid = machine.shown("MainPID")
    wait_for(lambda: status(machine).get("pid") == int(pid), WORKS_S, "its status", poll=0.1)


def status(machine: Machine) -> dict[str, Any]:
    """Give the status as the daemon wrote it; empty while there is none."""
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(Path(machine.root / "run/havpn/status.json").read_text())
        return found
    return {}


def wait_status(
    machine: Machine, what: str, holds: Any, timeout: float = WORKS_S
) -> dict[str, Any]:
    """Wait until something is true of the status; gives it."""
    found: list[dict[str, Any]] = [{}]

    def true() -> bool:
        found[0] = status(machine)
        try:
            return bool(holds(found[0]))
        except (KeyError, TypeError):
            return False

    try:
        wait_for(true, timeout, f"{what} on {machine.name}", poll=0.1)
    except Exception as problem:
        said = json.dumps(found[0].get("actions")), json.dumps(found[0].get("paths"))
        log = machine.journal()[-3000:]
        raise AssertionError(f"{problem}: {said}\n{log}") from None
    return found[0]
