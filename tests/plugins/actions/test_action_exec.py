"""The action ``exec`` with real scripts."""

import asyncio
import logging
import time

import msgspec
import pytest
from havpn_plugins.actions.exec import Exec, ExecOptions, havpn_register_actions

from havpn_core import ActionError, Context, Role

TYPE = next(iter(havpn_register_actions()))


@pytest.fixture
def script(tmp_path):
    def write(name, body):
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)
        return [str(file)]

    return write


def build(**options):
    resolve, changes = (lambda host, family: host), (lambda: 0)
    logger = logging.getLogger("test")
    context = Context("action.mine", "gw-aa", logger, time.monotonic, resolve, changes)
    return Exec(ExecOptions(**{"active": ["true"], "standby": ["true"], **options}), context)


def test_each_role_runs_its_own_command_with_role_names_and_deadline(script, tmp_path):
    body = f'echo "$0 $HAVPN_ROLE $HAVPN_INSTANCE $HAVPN_NODE $HAVPN_TIMEOUT" >>{tmp_path}/said'
    action = build(active=script("up", body), standby=script("down", body))
    asyncio.run(action.apply(Role.STANDBY, 10.0))
    asyncio.run(action.apply(Role.ACTIVE, 7.5))
    assert (tmp_path / "said").read_text().splitlines() == [
        f"{tmp_path}/down standby action.mine gw-aa 10",
        f"{tmp_path}/up active action.mine gw-aa 7.5",
    ]


def test_failure_carries_the_last_line_that_the_command_wrote(script):
    action = build(standby=script("down", "echo first; echo 'no such address' >&2; exit 3"))
    with pytest.raises(ActionError, match="status 3: no such address"):
        asyncio.run(action.apply(Role.STANDBY, 10.0))


def test_failure_names_the_program_and_none_of_its_arguments(script):
    tool = script("take", 'echo "usage: take $*" >&2; exit 3')
    action = build(active=[*tool, "--token=hunter", "hunter"])
    with pytest.raises(ActionError) as caught:
        asyncio.run(action.apply(Role.ACTIVE, 10.0))
    assert str(caught.value) == "take ended with status 3: usage: take *** ***"
    action = build(active=["/bin/sh", "-c", "sleep 300", "hunter"])
    with pytest.raises(ActionError, match=r"^sh did not end within 0.1 s; it was killed$"):
        asyncio.run(action.apply(Role.ACTIVE, 0.1))


def test_command_that_does_not_end_is_killed_at_the_deadline(script):
    action = build(active=script("up", "sleep 300"))
    began = time.monotonic()
    with pytest.raises(ActionError, match="did not end"):
        asyncio.run(action.apply(Role.ACTIVE, 0.5))
    assert time.monotonic() - began < 8


def test_command_that_is_not_there_is_an_error_that_names_it():
    with pytest.raises(ActionError, match="/no/such/command"):
        asyncio.run(build(active=["/no/such/command"]).apply(Role.ACTIVE, 5.0))


@pytest.mark.parametrize(
    ("body", "role"),
    [
        ("echo active", Role.ACTIVE),
        ("echo standby", Role.STANDBY),
        ("exit 0", None),
        ("exit 1", None),
        ("echo active; exit 1", None),
        ("echo perhaps", None),
    ],
)
def test_only_a_clear_word_and_success_is_a_role(script, body, role):
    assert asyncio.run(build(observe=script("look", body)).observe()) is role


def test_nothing_is_observed_without_a_command_or_with_one_that_is_not_there():
    assert asyncio.run(build().observe()) is None
    assert asyncio.run(build(observe=["/no/such/command"]).observe()) is None


def test_check_names_the_commands_that_are_not_there():
    options = ExecOptions(active=["true"], standby=["/no/down"], observe=["/no/look"])
    problems = " ".join(TYPE.missing(options))
    assert "/no/down" in problems
    assert "/no/look" in problems
    assert "true" not in problems


@pytest.mark.parametrize("options", [{}, {"active": ["true"]}, {"active": [], "standby": ["true"]}])
def test_both_commands_are_required(options):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, ExecOptions)
