"""A real daemon on this machine, with a real echo responder and an action kept in a file."""

import json
import os
import signal
import subprocess
import sys
import time

TEMPLATE = """
[node]
name = "gw"
state_dir = "{dir}/state"
run_dir = "{dir}/run"
{node}
[path.vpn1]
interval = "50ms"
timeout = "200ms"
fall = 3
rise = 10
{path}
[path.vpn1.probe.echo]
type = "exec"
command = ["{dir}/line"]
[action.gateway]
type = "exec"
active = ["{dir}/take"]
standby = ["{dir}/give"]
observe = ["/bin/cat", "{dir}/role"]
deadline = "2s"
{more}
"""


class Daemon:
    """One gateway whose line is a file: there, the line is up."""

    def __init__(self, folder, node="", path="", more=""):
        self.dir = folder
        self.file = folder / "havpn.toml"
        self.process = None
        self.script("line", f"test -e {folder}/up || exit 2")
        self.script("take", f"echo active > {folder}/role; echo take >> {folder}/calls")
        self.script("give", f"echo standby > {folder}/role; echo give >> {folder}/calls")
        (folder / "role").write_text("active\n")
        self.configure(node, path, more)
        self.heal()

    def configure(self, node="", path="", more=""):
        self.file.write_text(TEMPLATE.format(dir=self.dir, node=node, path=path, more=more))

    def script(self, name, text):
        draft = self.dir / f"{name}.new"
        draft.write_text(f"#!/bin/sh\n{text}\n")
        draft.chmod(0o755)
        draft.rename(self.dir / name)

    def heal(self):
        (self.dir / "up").touch()

    def cut(self):
        (self.dir / "up").unlink(missing_ok=True)

    @property
    def role(self):
        return (self.dir / "role").read_text().strip()

    @property
    def calls(self):
        file = self.dir / "calls"
        return file.read_text().split() if file.exists() else []

    def start(self):
        with (self.dir / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "havpn_core", "run", "-c", str(self.file)], stderr=log
            )
        self.wait(lambda s: s["pid"] == self.process.pid, "the daemon's first status")
        return self

    def end(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, number)
            self.process.wait(20)

    def status(self):
        try:
            return json.loads((self.dir / "run" / "status.json").read_text())
        except FileNotFoundError:
            return None

    def wait(self, condition, what, timeout=20.0):
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            status = self.status()
            if status and condition(status):
                return status
            time.sleep(0.02)
        raise AssertionError(f"{what} did not come; log:\n{self.log()}\nstatus: {status}")

    def wait_verdict(self, *verdicts):
        return self.wait(lambda s: s["paths"]["vpn1"]["verdict"] in verdicts, f"{verdicts}")

    def wait_role(self, role):
        return self.wait(
            lambda s: s["role"]["wanted"] == s["role"]["observed"] == role == self.role, role
        )

    def log(self):
        return (self.dir / "log").read_text()

    def havpn(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "havpn_core", *arguments, "-c", str(self.file)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
