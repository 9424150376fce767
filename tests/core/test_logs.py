"""The log in the form that its reader understands: the journal, a terminal, a file."""

import logging
import os
import pty
import socket
import subprocess
import sys

import pytest

from havpn_core.host import logs
from havpn_core.host.logs import Form, Reader, reader_of
from tests.core.daemon import Daemon

COLOURS = {"TERM": "xterm"}


def record(level, text, trouble=None):
    made = logging.LogRecord("havpn", level, "file", 1, text, None, trouble)
    made.created, made.msecs = 1767225600.25, 250.0
    return made


def a_trouble():
    try:
        raise ValueError("bad")
    except ValueError:
        return sys.exc_info()


@pytest.mark.parametrize(
    ("level", "prefix"), [(10, "<7>"), (20, "<6>"), (30, "<4>"), (40, "<3>"), (50, "<2>")]
)
def test_the_journal_gets_the_priority_and_no_time(level, prefix):
    assert Form(Reader.JOURNAL).format(record(level, "role: active")) == f"{prefix}role: active"


def test_each_line_has_its_priority_for_the_journal():
    lines = Form(Reader.JOURNAL).format(record(40, "one\ntwo", a_trouble())).split("\n")
    assert lines[:2] == ["<3>one", "<3>two"] and lines[-1] == "<3>ValueError: bad"
    assert all(line.startswith("<3>") for line in lines)


def test_a_file_gets_the_time_and_the_level(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    logs.time.tzset()
    try:
        plain = Form(Reader.FILE).format(record(30, "role: active"))
        assert plain == "2026-01-01 00:00:00.250 WARNING role: active"
        assert Form(Reader.COLOURLESS).format(record(30, "role: active")) == plain
    finally:
        monkeypatch.undo()
        logs.time.tzset()


@pytest.mark.parametrize(
    ("level", "colour"), [(10, "\033[2m"), (30, "\033[33m"), (40, "\033[31m"), (50, "\033[1;31m")]
)
def test_a_terminal_shows_in_colours_what_is_not_mere_information(level, colour):
    shown = Form(Reader.TERMINAL).format(record(level, "text"))
    assert shown.startswith("\033[2m2") and f"\033[0m {colour}" in shown
    assert shown.endswith("text\033[0m")
    assert "\033[" not in Form(Reader.TERMINAL).format(record(20, "text")).split("\033[0m", 1)[1]


def test_the_journal_is_known_by_its_name_in_the_environment(tmp_path):
    with (tmp_path / "out").open("w") as stream:
        found = os.fstat(stream.fileno())
        name = f"{found.st_dev}:{found.st_ino}"
        assert reader_of(stream, {"JOURNAL_STREAM": name}) is Reader.JOURNAL
        # A unit whose standard error is sent elsewhere has the variable, too (systemd.exec(5)).
        assert reader_of(stream, {"JOURNAL_STREAM": "1:2"}) is Reader.FILE
        assert reader_of(stream, {}) is Reader.FILE


def test_the_journal_is_known_by_its_socket(tmp_path, monkeypatch):
    path = str(tmp_path / "stdout")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)
        with os.fdopen(os.dup(client.fileno()), "w") as stream:
            assert reader_of(stream, {}) is Reader.FILE, "any other socket"
            monkeypatch.setattr(logs, "JOURNAL", path)
            assert reader_of(stream, {}) is Reader.JOURNAL
            client.send(b"still open")


def test_a_terminal_has_colours_unless_they_are_not_wanted():
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, os.fdopen(ours, "rb"):
        assert reader_of(stream, COLOURS) is Reader.TERMINAL
        assert reader_of(stream, COLOURS | {"NO_COLOR": "1"}) is Reader.COLOURLESS
        assert reader_of(stream, {"TERM": "dumb"}) is Reader.COLOURLESS
        assert reader_of(stream, {}) is Reader.COLOURLESS


def test_a_stream_that_is_closed_or_has_no_descriptor_is_no_terminal(tmp_path):
    stream = (tmp_path / "out").open("w")
    stream.close()
    assert reader_of(stream, COLOURS) is Reader.FILE
    read, write = os.pipe()
    with os.fdopen(write, "w") as pipe, os.fdopen(read):
        assert reader_of(pipe, COLOURS) is Reader.FILE


class JournalDaemon(Daemon):
    """A daemon whose log is the journal, by the variable that systemd sets."""

    def launch(self):
        self.since = self.now()
        with (self.dir / "log").open("ab") as log:
            found = os.fstat(log.fileno())
            self.process = subprocess.Popen(
                [sys.executable, "-m", "havpn_core", "run", "-c", str(self.file)],
                stderr=log,
                env=os.environ | {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"},
            )


def test_the_daemon_writes_one_line_a_transition_with_its_priority(tmp_path):
    daemon = JournalDaemon(tmp_path).start()
    try:
        daemon.wait_role("active")
        daemon.cut()
        daemon.wait_role("standby")
        daemon.wait_event("action", "standby")
    finally:
        daemon.end()
    lines = daemon.log().splitlines()
    assert all(line[:3] in ("<6>", "<4>", "<3>") for line in lines), lines
    moved = [line for line in lines if "role: active -> standby" in line]
    cause = "path vpn1 down: line: exit code 2 (3 probes failed)"
    assert moved == [f"<4>role: active -> standby ({cause})"]
    assert [line for line in lines if "gateway: " in line and "standby" in line] == [
        "<6>action gateway: standby"
    ]
    assert "[Errno" not in daemon.log()


@pytest.mark.parametrize("command", ["run", "reload"])
def test_what_ends_a_command_of_the_unit_is_an_error_in_the_journal(tmp_path, command):
    """The unit runs both; without a priority it would be mere information."""
    named = ["-c", str(tmp_path / "no.toml")] + ["--run-dir", str(tmp_path)] * (command != "run")
    argv = [sys.executable, "-m", "havpn_core", command, *named]
    with (tmp_path / "err").open("w+") as err:
        found = os.fstat(err.fileno())
        env = os.environ | {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert subprocess.run(argv, stderr=err, env=env, check=False, timeout=30).returncode == 1
        err.seek(0)
        said = err.read()
    assert said.startswith("<3>") and said.count("\n") == 1
    plain = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30).stderr
    assert plain == said.removeprefix("<3>")
