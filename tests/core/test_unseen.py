"""Whether no other gateway of a cluster is seen: by the latest look, while it is fresh."""

import asyncio
import contextlib

import pytest

from havpn_core.daemon.actions.withdrawing import Withdrawing
from havpn_core.daemon.state.memory import Memory
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.cluster.withdraw import FRESH_S
from havpn_core.rules.role import Role


class Seeing:
    def __init__(self, serves):
        self.serves = serves

    async def partner_serves(self, timeout_s):
        return self.serves

    def turn(self):
        return 0


def looked(serves, now, *, trouble="no witness replies", counts=True, also=False, changed=list):
    made = Withdrawing(
        lambda event: None,
        lambda: now[0],
        Memory(),
        seeing=lambda: [Caller(Seeing(serves), "test")],
        observed=lambda: Role.ACTIVE,
        trouble=lambda: trouble,
        also=lambda: also,
        counts=lambda: counts,
        changed=changed,
    )

    async def look():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(made.run(), 0.3)

    asyncio.run(look())
    return made


@pytest.mark.parametrize(("serves", "unseen"), [(False, True), (True, False), (None, False)])
def test_what_a_look_shows(serves, unseen):
    made = looked(serves, [100.0])
    assert made.unseen is unseen
    assert made.seen is serves


def test_only_what_was_looked_for_counts():
    assert not looked(False, [100.0], trouble="").unseen
    assert not looked(False, [100.0], counts=False).unseen


@pytest.mark.parametrize("serves", [True, False])
def test_a_look_may_be_wanted_though_nothing_is_wrong(serves):
    """As while this gateway is in maintenance; it does not withdraw for that."""
    changes = []
    made = looked(serves, [100.0], trouble="", also=True, changed=lambda: changes.append(1))
    assert made.seen is serves
    assert made.reason == ""
    assert changes == [1], "once, as what is seen is another"
    assert looked(serves, [100.0], trouble="", also=True, counts=False).seen is None


def test_a_look_that_shows_nothing_new_changes_nothing():
    changes = []
    looked(None, [100.0], trouble="", also=True, changed=lambda: changes.append(1))
    assert changes == []


def test_an_old_look_says_nothing():
    now = [100.0]
    made = looked(False, now)
    now[0] += FRESH_S
    assert made.unseen
    now[0] += 0.1
    assert not made.unseen
    assert made.seen is None
