"""A real daemon with a secret on every command line: it is in nothing that the daemon writes."""

import subprocess
import sys
from pathlib import Path

import pytest

from havpn_core.daemon.requests import request
from tests.core.daemon import Daemon

SECRET = "s3cr3t-T0ken"
MORE = """
[path.vpn1.probe.second]
type = "exec"
command = ["{dir}/usage", "--token={secret}"]
[path.vpn1.probe.third]
type = "exec"
command = ["{dir}/no-such {secret}"]
[path.vpn1.probe.fourth]
type = "exec"
command = ["{dir}/hang", "{secret}"]
[notifier.hook]
type = "exec"
command = ["{dir}/usage", "https://hook.example/{secret}"]
[notifier.slow]
type = "exec"
command = ["{dir}/hang", "{secret}"]
deadline = "1s"
[notifier.gone]
type = "exec"
command = ["{dir}/no-such", "{secret}"]
"""

ACTIONS = {
    "usage ended with status 2: usage: *** ***": """
type = "exec"
active = ["{dir}/usage", "--password", "{secret}"]
standby = ["{dir}/usage", "--password", "{secret}"]
observe = ["{dir}/usage", "{secret}"]
""",
    "hang did not end within 1 s; it was killed": """
type = "exec"
active = ["{dir}/hang", "https://user:{secret}@hook.example/x"]
standby = ["{dir}/hang", "https://user:{secret}@hook.example/x"]
deadline = "1s"
""",
    "ocf:tried:it start: no ***": """
type = "ocf"
agent = "ocf:tried:it"
root = "{dir}"
params = {{ password = "{secret}" }}
""",
}


@pytest.fixture(params=ACTIONS)
def error(request):
    return request.param


@pytest.fixture
def daemon(tmp_path, error):
    more = f"{MORE}[action.second]{ACTIONS[error]}"
    made = Daemon(tmp_path, more=more.format(dir=tmp_path, secret=SECRET))
    made.script("usage", 'echo "usage: $*"; echo "usage: $*" >&2; exit 2')
    made.script("hang", "sleep 60")
    agent = tmp_path / "resource.d" / "tried" / "it"
    agent.parent.mkdir(parents=True)
    agent.write_text('#!/bin/sh\necho "ocf-exit-reason:no $OCF_RESKEY_password" >&2\nexit 6\n')
    agent.chmod(0o755)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def test_no_file_log_or_reply_has_what_stands_on_a_command_line(daemon, error):
    daemon.start()
    status = daemon.wait(
        lambda s: s.actions["second"].failures
        and all(notifier.failed for notifier in s.notifiers.values()),
        "every failure", 40,
    )  # fmt: skip
    assert status.actions["second"].error == error
    shown = str(request(daemon.dir / "run", do="status"))
    daemon.process.terminate()
    daemon.process.wait(60)
    shown += daemon.log()
    for folder in ("run", "state"):
        for file in filter(Path.is_file, (daemon.dir / folder).iterdir()):
            shown += f"\n{file.name}\n" + file.read_text()
    assert "events.jsonl" in shown
    assert "usage: ***" in shown
    assert SECRET not in shown
    argv = [sys.executable, "-m", "havpn_core", "check", "-c", str(daemon.file)]
    checked = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert "no-such is not there" in checked.stderr
    assert SECRET not in checked.stdout + checked.stderr
