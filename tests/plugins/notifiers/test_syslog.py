"""The notifier ``syslog`` against real datagram sockets."""

import asyncio
import logging
import os
import re
import socket
import time
from datetime import UTC, datetime

import msgspec
import pytest
from havpn_plugins.notifiers.syslog import Syslog, SyslogOptions, havpn_register_notifiers

from havpn_core import Context, Event, HavpnError

AT = datetime(2026, 3, 1, 14, 30, 5, tzinfo=UTC)
EVENT = Event("role", "", "active", "standby", "vpn1 is down", "warning", "gw-aa", AT)


def listen(path):
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(str(path))
    receiver.settimeout(5)
    return receiver


@pytest.fixture
def log(tmp_path):
    with listen(tmp_path / "log") as receiver:
        yield receiver


@pytest.fixture
def journal(tmp_path):
    (tmp_path / "journal").mkdir()
    with listen(tmp_path / "journal" / "socket") as receiver:
        yield receiver


@pytest.fixture
def build(tmp_path):
    def make(**options):
        paths = {
            "socket": str(tmp_path / "log"),
            "journal_socket": str(tmp_path / "journal" / "socket"),
        }
        resolve, changes = (lambda host, family: host), (lambda: 0)
        logger = logging.getLogger("test")
        context = Context("notifier.log", "gw-aa", logger, time.monotonic, resolve, changes)
        return Syslog(SyslogOptions(**{**paths, **options}), context)

    return make


def tell(notifier, event=EVENT):
    asyncio.run(notifier.notify(event, 1.0))


def fields(entry):
    """Read the journal's native format as its documentation describes it."""
    found = {}
    while entry:
        line, _, entry = entry.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length = int.from_bytes(entry[:8], "little")
            value, end, entry = (
                entry[8 : 8 + length],
                entry[8 + length : 9 + length],
                entry[9 + length :],
            )
            assert end == b"\n"
        assert name.decode() not in found
        found[name.decode()] = value.decode()
    return found


def test_event_is_one_line_as_the_c_library_writes_it(log, build):
    tell(build())
    local = AT.astimezone()
    stamp = f"Mar {local.day:2d} {local:%H:%M:%S}"
    assert log.recv(4096).decode() == f"<28>{stamp} HA-VPN[{os.getpid()}]: {EVENT}"


@pytest.mark.parametrize(
    ("severity", "facility", "priority"),
    [
        ("info", "daemon", 30),
        ("warning", "local0", 132),
        ("error", "user", 11),
        ("odd", "daemon", 28),
    ],
)
def test_severity_and_facility_make_the_priority(log, build, severity, facility, priority):
    tell(build(facility=facility), Event("role", "", "", "active", severity=severity))
    assert log.recv(4096).startswith(b"<%d>" % priority)


def test_tag_can_be_chosen(log, build):
    tell(build(tag="vpn"))
    assert b" vpn[" in log.recv(4096)


def test_line_breaks_cannot_forge_a_second_line(log, build):
    tell(build(), Event("plugin", "x", "", "failed", "one\n<8>two\0\x1b[2J"))
    line = log.recv(4096)
    assert not re.search(rb"[\x00-\x1f]", line)
    assert b"one <8>two" in line


def test_very_long_event_is_cut_between_characters(log, build):
    tell(build(), Event("plugin", "x", "", "failed", "ä" * 100_000))
    line = log.recv(100_000)
    assert len(line) < 2200
    line.decode()


def test_journal_and_a_syslogd_beside_it_get_one_each(log, journal, build):
    tell(build())
    assert log.recv(4096)
    found = fields(journal.recv(65536))
    assert found == {
        "MESSAGE": str(EVENT),
        "PRIORITY": "4",
        "SYSLOG_FACILITY": "3",
        "SYSLOG_IDENTIFIER": "HA-VPN",
        "HAVPN_NODE": "gw-aa",
        "HAVPN_KIND": "role",
        "HAVPN_SUBJECT": "",
        "HAVPN_BEFORE": "active",
        "HAVPN_AFTER": "standby",
    }


def test_journal_that_serves_the_syslog_socket_gets_no_second_entry(tmp_path, journal, build):
    with listen(tmp_path / "journal" / "dev-log") as behind:
        (tmp_path / "log").symlink_to(tmp_path / "journal" / "dev-log")
        tell(build())
        assert journal.recv(65536)
        behind.settimeout(0.3)
        with pytest.raises(TimeoutError):
            behind.recv(4096)


def test_value_of_several_lines_cannot_forge_a_journal_field(log, journal, build):
    tell(build(), Event("plugin", "x\nPRIORITY=0", "", "failed"))
    found = fields(journal.recv(65536))
    assert found["HAVPN_SUBJECT"] == "x\nPRIORITY=0"
    assert found["PRIORITY"] == "6"


def test_restarted_syslogd_gets_the_next_event(tmp_path, build):
    notifier = build()
    with listen(tmp_path / "log") as first:
        tell(notifier)
        assert first.recv(4096)
    with pytest.raises(HavpnError):
        tell(notifier)
    (tmp_path / "log").unlink()
    with listen(tmp_path / "log") as second:
        tell(notifier)
        assert second.recv(4096)


def test_absent_syslogd_is_an_error_that_names_its_socket(tmp_path, build):
    with pytest.raises(HavpnError, match=str(tmp_path / "log")):
        tell(build())
    [problem] = next(iter(havpn_register_notifiers())).missing(
        SyslogOptions(socket="/no/log", journal_socket="/no/journal")
    )
    assert "/no/log" in problem


def test_syslogd_that_does_not_read_is_an_error_not_a_wait(log, build):
    notifier = build()
    began = time.monotonic()
    with pytest.raises(HavpnError):
        for _ in range(20_000):
            tell_fast(notifier)
    assert time.monotonic() - began < 30


def tell_fast(notifier):
    call = notifier.notify(EVENT, 1.0)
    with pytest.raises(StopIteration):
        call.send(None)


@pytest.mark.parametrize("tag", ["", "two words", "x" * 33, "a:b", "a[b"])
def test_tag_that_would_break_the_line_is_refused(tag):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"tag": tag}, SyslogOptions)
