"""The action ``ocf`` with real resource agents, in a host of its own."""

import asyncio
import logging
import time

import msgspec
import pytest
from havpn_plugins.actions.ocf import Ocf, OcfOptions, missing, reason

from havpn_core import ActionError, Context, Finished, Role
from havpn_core.testing.lab import wait_for
from havpn_core.testing.lab.hosts.leftovers import start_of


def made(agent, root="/usr/lib/ocf", **params):
    context = Context(
        instance="action.ip",
        node="gw",
        logger=logging.getLogger("test"),
        clock=time.monotonic,
        resolve=lambda host, family: host,
        network_changes=lambda: 0,
    )
    return Ocf(OcfOptions(agent=agent, root=str(root), params=params), context)


def agent(folder, body):
    file = folder / "resource.d" / "tried" / "it"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return made("ocf:tried:it", root=folder)


@pytest.mark.parametrize(
    ("status", "role"),
    [(0, Role.ACTIVE), (8, Role.ACTIVE), (190, Role.ACTIVE), (191, Role.ACTIVE), (7, Role.STANDBY),
     (1, None), (2, None), (3, None), (4, None), (5, None), (6, None), (9, None)],
)  # fmt: skip
def test_what_a_monitor_s_status_means(tmp_path, status, role):
    assert asyncio.run(agent(tmp_path, f"exit {status}").observe()) is role


def test_an_agent_s_own_reason_is_the_error(tmp_path):
    tried = agent(tmp_path, "echo ocf-exit-reason:no such device eth7 >&2; exit 5")
    with pytest.raises(ActionError, match="ocf:tried:it start: no such device eth7"):
        asyncio.run(tried.apply(Role.ACTIVE, 5))


def test_a_parameter_s_value_is_in_no_error(tmp_path):
    for words in ("ocf-exit-reason:bad password $OCF_RESKEY_text", "cannot use $OCF_RESKEY_text"):
        agent(tmp_path, f'echo "{words}" >&2; exit 6')
        tried = made("ocf:tried:it", root=tmp_path, text="hunter2", number=31337, flag=True)
        with pytest.raises(ActionError, match=r"\*\*\*$") as caught:
            asyncio.run(tried.apply(Role.ACTIVE, 5))
        assert "hunter" not in str(caught.value)


def test_without_a_reason_the_status_is_put_into_words():
    assert reason(Finished(6, "", "")) == "status 6 (its parameters are wrong)"
    assert reason(Finished(77, "", "")) == "status 77 (an unknown status)"


def test_an_agent_that_hangs_is_killed_with_what_it_started(tmp_path):
    tried = agent(tmp_path, f"sleep 60 & echo $! >{tmp_path}/child; wait")
    with pytest.raises(ActionError, match="did not end"):
        asyncio.run(tried.apply(Role.ACTIVE, 0.5))
    child = int((tmp_path / "child").read_text())
    wait_for(lambda: start_of(child) is None, 5, "its child's end")


def test_parameters_arrive_whatever_is_in_them(tmp_path):
    (tmp_path / "resource.d" / "tried").mkdir(parents=True)
    tried = agent(tmp_path, f'printf %s "$OCF_RESKEY_text|$OCF_RESKEY_flag" >{tmp_path}/got')
    tried = made("ocf:tried:it", root=tmp_path, text="a b'\"$(id)", flag=True)
    asyncio.run(tried.apply(Role.ACTIVE, 5))
    assert (tmp_path / "got").read_text() == "a b'\"$(id)|true"


def test_dummy_of_the_real_resource_agents(tmp_path):
    tried = made("ocf:heartbeat:Dummy", state=str(tmp_path / "state"))

    async def through():
        seen = [await tried.observe()]
        for role in (Role.ACTIVE, Role.ACTIVE, Role.STANDBY, Role.STANDBY):
            await tried.apply(role, 10)
            seen.append(await tried.observe())
        return seen

    active, standby = Role.ACTIVE, Role.STANDBY
    assert asyncio.run(through()) == [standby, active, active, standby, standby]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"agent": "IPaddr2"}, "ocf:PROVIDER:TYPE"),
        ({"agent": "ocf:../x:y"}, "ocf:PROVIDER:TYPE"),
        ({"agent": "ocf:heartbeat:Dummy", "params": {"a b": "1"}}, "no name of a parameter"),
    ],
)
def test_options_that_cannot_be(options, words):
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(options, OcfOptions)


def test_check_says_that_an_agent_is_not_there():
    assert "is not installed" in missing(OcfOptions(agent="ocf:nobody:Nothing"))[0]
    assert missing(OcfOptions(agent="ocf:heartbeat:IPaddr2")) == []
