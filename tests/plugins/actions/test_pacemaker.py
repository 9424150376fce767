"""The action ``pacemaker`` where no cluster runs; see tests/lab/test_pacemaker.py for one."""

import asyncio
import logging
import time

import msgspec
import pytest
from havpn_plugins.actions.pacemaker import PacemakerOptions, build, missing

from havpn_core import ActionError, Context, Role


def made(**options):
    context = Context(
        instance="action.cluster",
        node="gw",
        logger=logging.getLogger("test"),
        clock=time.monotonic,
        resolve=lambda host, family: host,
        network_changes=lambda: 0,
    )
    return build(PacemakerOptions(**options), context)


@pytest.mark.parametrize("mode", ["attribute", "health", "standby"])
def test_without_a_cluster_it_says_so_and_knows_nothing(mode):
    action = made(mode=mode)
    with pytest.raises(ActionError, match=r"Pacemaker does not run|status"):
        asyncio.run(action.apply(Role.ACTIVE, 20))
    assert asyncio.run(action.observe()) is None


def test_values_that_do_not_differ():
    with pytest.raises(msgspec.ValidationError, match="two values that differ"):
        msgspec.convert({"up_value": 1, "down_value": 1}, PacemakerOptions)


def test_what_is_not_installed_is_said(monkeypatch):
    assert missing(PacemakerOptions()) == []
    monkeypatch.setenv("PATH", "/nowhere")
    assert missing(PacemakerOptions()) == ["command attrd_updater is not there"]
