"""Run command lines of ``havpn`` one after the other, each in a fork, and print how they ended.

Standard input is a JSON list of cases; see :class:`tests.core.test_commands.Case`. Everything is
imported before the first fork, so that a case costs no interpreter.
"""

import importlib
import json
import os
import pkgutil
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import havpn_core.cli
from havpn_core.pacemaker import agent
from havpn_core.plugging import scaffold
from havpn_core.plugging.registry import BUILTIN

OF_OTHERS = ("rich.console", "rich.table", "matplotlib.figure", "matplotlib.backends.backend_svg")
LONGEST_S = 40.0
OF_DAEMON_S = 1.5
IDLE_LOOKS = 20


def import_all():
    for found in pkgutil.walk_packages(havpn_core.cli.__path__, "havpn_core.cli."):
        importlib.import_module(found.name)
    names = (
        "daemon.supervisor",
        "doctor.runner",
        "study.demo.acts",
        "study.plots",
        "config.schema",
        "config.describe",
    )
    for name in (*BUILTIN, *(f"havpn_core.{each}" for each in names), *OF_OTHERS):
        importlib.import_module(name)
    # Another user need not be allowed to read what is imported only by these.
    agent.text()
    scaffold.files("foo", "probe")


def child(case, out, err):
    """Become the command; ends the process as the command does."""
    os.chdir(case["cwd"])
    for number, to in ((1, out), (2, err)):
        os.dup2(to, number)
    match case["stdout"]:
        case "closed":
            os.close(1)
            sys.stdout = None
        case "full":
            os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
        case "broken":
            reader, writer = os.pipe()
            os.close(reader)
            os.dup2(writer, 1)
    if case["stderr"] == "closed":
        os.close(2)
        sys.stderr = None
    if case["user"]:
        os.setgroups([])
        os.setgid(case["user"])
        os.setuid(case["user"])
    os.environ |= case["env"]
    havpn_core.cli.main([os.fsdecode(bytes.fromhex(each)) for each in case["argv"]])


def sleeps(pid):
    """Whether a process waits for something, and not for a processor."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return stat.rpartition(")")[2].split()[0] == "S"


def ended(pid, daemon):
    """Wait for the end; gives its status, ``None`` if it had to be killed."""
    until, term = time.monotonic() + LONGEST_S, time.monotonic() + OF_DAEMON_S
    waiting = 0
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        # One that a busy host keeps from its end must not be taken for one at work.
        waiting = waiting + 1 if sleeps(pid) else 0
        if daemon and time.monotonic() > term and waiting >= IDLE_LOOKS:
            os.kill(pid, signal.SIGTERM)
            term = until
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def run(case):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            child(case, out.fileno(), err.fileno())
        status = ended(pid, case["daemon"])
        found = {"status": status}
        for name, file in (("out", out), ("err", err)):
            file.seek(0)
            found[name] = file.read().decode(errors="replace")
        return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    import_all()
    results = []
    for each in json.load(sys.stdin):
        results.append(run(each))
    print(json.dumps(results))
