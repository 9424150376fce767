"""The notifier ``exec`` with real scripts."""

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from havpn_plugins.notifiers.exec import Exec, ExecOptions, havpn_register_notifiers

from havpn_core import Context, Event, EventKind, HavpnError

AT = datetime(2026, 3, 1, 14, 30, 5, 250000, tzinfo=timezone(timedelta(hours=2)))
EVENT = Event("verdict", "vpn1", "failing", "down", "no reply", "warning", "gw-aa", AT)
TYPE = next(iter(havpn_register_notifiers()))


@pytest.fixture
def script(tmp_path):
    def write(body):
        file = tmp_path / "tell"
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)
        return [str(file)]

    return write


def tell(command, event=EVENT, timeout_s=10.0, **options):
    resolve, changes = (lambda host, family: host), (lambda: 0)
    logger = logging.getLogger("test")
    context = Context("notifier.mine", "gw-aa", logger, time.monotonic, resolve, changes)
    notifier = Exec(ExecOptions(command=command, **options), context)
    asyncio.run(notifier.notify(event, timeout_s))


def test_event_comes_in_environment_variables(script, tmp_path):
    tell(script(f"env >{tmp_path}/env"))
    seen = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    expected = {
        "KIND": "verdict",
        "SUBJECT": "vpn1",
        "BEFORE": "failing",
        "AFTER": "down",
        "DETAIL": "no reply",
        "SEVERITY": "warning",
        "NODE": "gw-aa",
        "MESSAGE": str(EVENT),
    }
    assert {name: seen[f"HAVPN_{name}"] for name in expected} == expected
    at = datetime.fromisoformat(seen["HAVPN_AT"])
    assert at == AT
    assert at.utcoffset() == UTC.utcoffset(None)


def test_only_the_chosen_kinds_run_the_command(script, tmp_path):
    command = script(f"echo $HAVPN_KIND >>{tmp_path}/kinds")
    tell(command, only=["role"])
    assert not (tmp_path / "kinds").exists()
    tell(command, Event("role", "", "active", "standby"), only=["role"])
    assert (tmp_path / "kinds").read_text() == "role\n"


def test_misspelt_kind_is_refused_instead_of_matching_nothing():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"command": ["true"], "only": ["rolle"]}, ExecOptions)


def test_failure_carries_status_and_last_line(script):
    with pytest.raises(HavpnError, match="status 4: no modem"):
        tell(script("echo 'no modem' >&2; exit 4"))


def test_failures_name_the_program_and_none_of_its_arguments(script):
    [tool] = script('echo "usage: tool $*" >&2; exit 4')
    for command, said in (
        ([tool, "--token=hunter"], "^tell ended with status 4: usage: tool \\*\\*\\*$"),
        (["/bin/sh", "-c", "sleep 300", "hunter"], "^sh did not end within 0.5 s$"),
        (["/no/such/curl", "hunter"], "^/no/such/curl: No such file or directory$"),
        (["/no/such/curl --token=hunter"], "^/no/such/curl: No such .* write each argument"),
    ):
        with pytest.raises(HavpnError, match=said) as caught:
            tell(command, timeout_s=5 if tool in command else 0.5)
        assert "hunter" not in str(caught.value)
    [problem] = TYPE.missing(ExecOptions(command=["/no/such/curl --token=hunter"]))
    assert "hunter" not in problem


def test_command_that_does_not_end_is_killed_at_the_deadline(script, tmp_path):
    began = time.monotonic()
    with pytest.raises(HavpnError, match="did not end"):
        tell(script(f"(sleep 2; echo late >{tmp_path}/late) & wait"), timeout_s=0.5)
    assert time.monotonic() - began < 8
    time.sleep(2.5)
    assert not (tmp_path / "late").exists()


def test_command_that_is_not_there_is_an_error_that_names_it():
    with pytest.raises(HavpnError, match="/no/such/command"):
        tell(["/no/such/command"])
    [problem] = TYPE.missing(ExecOptions(command=["/no/such/command"]))
    assert "/no/such/command" in problem


def test_event_that_no_environment_could_hold_is_told_all_the_same(script, tmp_path):
    event = Event("plugin", "a\0b", "", "x" * 500_000, "y\0z\n" * 100_000)
    tell(script(f'echo "$HAVPN_SUBJECT" >{tmp_path}/subject'), event)
    assert (tmp_path / "subject").read_text() == "ab\n"


def test_every_kind_of_event_can_be_chosen():
    kinds = [kind.value for kind in EventKind]
    assert msgspec.convert({"command": ["true"], "only": kinds}, ExecOptions).only == kinds
