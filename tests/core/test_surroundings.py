"""What the code of a plugin leaves behind as it is loaded: threads, a directory, a handler."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from havpn_core.cli import main
from havpn_core.plugging import interrupt
from havpn_core.plugging.registry import Registry
from tests.core.daemon import Daemon
from tests.core.test_plugin_files import SOURCE, folder, put, record

__all__ = ["folder"]
THREAD = "import threading, time\nthreading.Thread(target=time.sleep, args=(1e6,)).start()\n"


def loaded(folder, source):
    put(folder, "foo", source)
    return record(folder, "foo", "foo")


@pytest.mark.parametrize(
    ("command", "status"),
    [("plugin list --json", 0), ("plugin check foo", 0), ("config schema", 0), ("check", 1)],
)
def test_a_thread_that_never_ends_keeps_no_command_from_ending(folder, tmp_path, command, status):
    put(folder, "foo", THREAD)
    config = tmp_path / "havpn.toml"
    config.write_text(f'[plugins]\nenable = ["foo"]\nfolder = "{folder}"\n[path.a]\nfall = 0\n')
    ended = subprocess.run(
        [sys.executable, "-m", "havpn_core", *command.split(), "-c", str(config)],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert ended.returncode == status, ended.stderr
    if status == 0 and "check" not in command:
        assert json.loads(ended.stdout)


def test_a_thread_of_who_calls_the_command_is_none_of_its_plugins():
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        with pytest.raises(SystemExit) as ended:
            main(["--version"])
        assert ended.value.code == 0
    finally:
        done.set()
        thread.join()


def test_nor_the_daemon(folder, tmp_path):
    put(folder, "foo", THREAD)
    gateway = Daemon(tmp_path, more=f'[plugins]\nenable = ["foo"]\nfolder = "{folder}"\n')
    gateway.start()
    began = time.monotonic()
    gateway.end()
    assert gateway.process.returncode == 0
    assert time.monotonic() - began < 10


def test_a_fork_does_not_go_on_as_a_second_command(folder, tmp_path):
    put(folder, "foo", "import os\nos.fork()\n")
    config = tmp_path / "havpn.toml"
    config.write_text(f'[plugins]\nenable = ["foo"]\nfolder = "{folder}"\n')
    ended = subprocess.run(
        [sys.executable, "-m", "havpn_core", "plugin", "list", "--json", "-c", str(config)],
        capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    assert json.loads(ended.stdout)[-1]["status"] == "active"


def test_the_working_directory_and_the_output_stay(folder, capsys):
    here, out = Path.cwd(), sys.stdout
    found = loaded(folder, "import os\nprint('loud')\nos.chdir('/')\n")
    assert found.error is None
    assert (Path.cwd(), sys.stdout) == (here, out)
    assert capsys.readouterr() == ("", "loud\n")


def test_a_working_directory_that_is_gone_is_no_trouble(folder, tmp_path):
    gone, here = tmp_path / "gone", Path.cwd()
    gone.mkdir()
    os.chdir(gone)
    try:
        gone.rmdir()
        put(folder, "foo", SOURCE.format(name="foo"))
        assert Registry.load(["foo"], folder).get("probe", "foo")
    finally:
        os.chdir(here)


def test_ctrl_c_ends_the_program_whatever_a_plugin_has_set(folder):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        loaded(folder, "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_plugin_that_takes_long_to_load_is_named_meanwhile(folder, monkeypatch, capsys):
    monkeypatch.setattr(interrupt, "SLOW_S", 0.05)
    assert loaded(folder, "x = 1\n").error is None
    time.sleep(0.2)
    assert capsys.readouterr().err == ""
    put(folder, "bar", "import time\ntime.sleep(0.5)\nraise ValueError('x')\n")
    assert record(folder, "bar", "bar").error == "ValueError: x"
    said = capsys.readouterr().err
    assert f"plugin 'bar' ({folder / 'bar.py'}) has been loading for 0.05 s" in said
    assert "remove it from plugins.enable" in said


def test_what_never_ends_is_named_before_the_command_is_given_up(folder, tmp_path):
    put(folder, "foo", "while True:\n    pass\n")
    config = tmp_path / "havpn.toml"
    config.write_text(f'[plugins]\nenable = ["foo"]\nfolder = "{folder}"\n')
    program = (
        "import sys; from havpn_core.plugging import interrupt; interrupt.SLOW_S = 0.5\n"
        f"from havpn_core.cli import main; main(['run', '-c', {str(config)!r}])"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    try:
        assert f"plugin 'foo' ({folder / 'foo.py'}) has been" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 1
    finally:
        process.kill()
        process.communicate()
