"""The folder of a lab, and the hosts that an earlier, killed run may have left behind.

A lab's folder is named after the process that owns it (pid and start time) and holds one small
file for each host. A pid is trusted only together with its start time, the boot and the pid
namespace, so that a recycled pid is never ended.
"""

import json
import os
import select
import shutil
import signal
import stat
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from havpn_core.testing.lab.hosts.inside import handle_of, resume_wrappers

# Fixed, not $TMPDIR: a later run must look where the earlier one wrote. Visible in every host.
BASE = Path("/tmp")
PREFIX = "havpn-lab"


@dataclass(frozen=True)
class Life:
    """One process beyond doubt: its pid cannot be mistaken for a later process of the same pid.

    :param start: clock ticks from boot to its start.
    :param space: boot id and pid namespace in which the pid means something.
    """

    pid: int
    start: int
    space: str


def start_of(pid: int) -> int | None:
    """Return the start of a process in clock ticks since boot; None if there is none."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = line.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def this_space() -> str:
    """Name the boot and the pid namespace this process counts pids in."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def life_of(pid: int) -> Life | None:
    """Describe a living process; None if it is gone."""
    start = start_of(pid)
    return None if start is None else Life(pid, start, this_space())


def is_alive(life: Life) -> bool:
    """Tell whether exactly this process lives."""
    return life.space == this_space() and start_of(life.pid) == life.start


def end(life: Life, timeout: float = 5.0) -> bool:
    """SIGKILL exactly this process and wait until it is gone; False if it was gone before.

    :param timeout: seconds to wait for its end; passing it is not an error.
    """
    handle = handle_of(life.pid)
    if handle is None:
        return False
    try:
        if not is_alive(life):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [], timeout)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def open_folder() -> Path:
    """Make the folder of a lab owned by this process."""
    owner = life_of(os.getpid())
    assert owner is not None
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}-{owner.pid}-{owner.start}-", dir=BASE))
    (folder / "owner.json").write_text(json.dumps(asdict(owner)), encoding="utf-8")
    return folder


def record(folder: Path, name: str, life: Life) -> None:
    """Note a host's pid 1, so that a later run can end it."""
    draft = folder / f".{name}.draft"
    draft.write_text(json.dumps(asdict(life)), encoding="utf-8")
    draft.rename(folder / f"{name}.host")


def _read(file: Path) -> Life | None:
    try:
        return Life(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _is_ours(folder: Path) -> bool:
    facts = folder.lstat()
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid()


def _is_orphan(folder: Path) -> bool:
    """A folder without a readable owner counts as one only if its name's process is gone."""
    owner = _read(folder / "owner.json")
    if owner is not None:
        return not is_alive(owner)
    pid, start = folder.name.removeprefix(f"{PREFIX}-").split("-")[:2]
    return start_of(int(pid)) != int(start)


def sweep() -> list[str]:
    """End the hosts and remove the folders of labs whose owner is dead.

    :returns: the names of the hosts that were still alive.
    """
    ended = []
    for folder in BASE.glob(f"{PREFIX}-[0-9]*-[0-9]*-*"):
        try:
            if not _is_ours(folder) or not _is_orphan(folder):
                continue
        except (OSError, ValueError):
            continue
        for file in folder.glob("*.host"):
            life = _read(file)
            if life is None or not is_alive(life):
                continue
            resume_wrappers(life.pid)
            if end(life):
                ended.append(file.stem)
        shutil.rmtree(folder, ignore_errors=True)
    return ended
