"""What is passed on of the lines to a cluster, and when."""

import asyncio

import pytest

from havpn_core import ActionError
from havpn_core.daemon.ranking import AGAIN_S, Ranking
from havpn_core.daemon.state.memory import Memory
from havpn_core.pair.lines.score import Seen
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.target.loss import Loss

GOOD = Seen(Verdict.UP, loss=Loss(0.0, 800))
SICK = Seen(Verdict.UP, loss=Loss(0.1, 800))
DEAD = Seen(Verdict.DOWN)


class Cluster:
    """An action that takes scores, or refuses them."""

    def __init__(self):
        self.scores, self.refuses = [], ""

    async def rank(self, score, timeout_s):
        self.scores.append(score)
        if self.refuses:
            raise ActionError(self.refuses)


class World:
    """A ranking, with the clock of a test."""

    def __init__(self, steps=None):
        self.now, self.events, self.lines, self.forced = 0.0, [], {"vpn": (GOOD, True)}, False
        self.give_up_on, self.action, self.memory = "any", Cluster(), Memory(steps=steps or {})
        self.callers = {"cluster": Caller(self.action, "action.cluster")}
        self.changes = 0
        self.ranking = Ranking(
            self.events.append,
            lambda: self.now,
            self.memory,
            ranking=lambda: self.callers,
            lines=lambda: self.lines,
            forced=lambda: self.forced,
            give_up_on=lambda: self.give_up_on,
        )

    async def changed(self):
        self.changes += 1

    def turn(self, after_s=1.0):
        """Let it look once, and give what was passed on by that."""
        self.now += after_s
        before = len(self.action.scores)
        asyncio.run(self.ranking.turn(self.changed))
        return self.action.scores[before:]


def test_a_score_is_passed_on_when_it_changed_and_now_and_then():
    world = World()
    assert world.turn() == [200]
    assert [world.turn() for _ in range(4)] == [[]] * 4
    assert world.turn(AGAIN_S - 4) == [200], "the cluster may have forgotten it"
    world.lines = {"vpn": (SICK, True)}
    assert world.turn() == [140]
    world.lines = {"vpn": (DEAD, False)}
    assert world.turn() == [0]
    assert [str(event) for event in world.events] == [
        "quality vpn: score 200 -> score 140 (loses 10 %, at least 7.8 %, at most 13 %)"
    ], "a line that is down is no news of its quality"


def test_another_instance_is_told_at_once():
    world = World()
    world.turn()
    world.action = Cluster()
    world.callers = {"cluster": Caller(world.action, "action.cluster")}
    assert world.turn() == [200]


def test_what_is_known_outlives_a_restart():
    world = World()
    world.turn()
    assert (world.changes, world.memory.steps) == (0, {})
    world.lines = {"vpn": (SICK, True)}
    world.turn()
    assert (world.changes, world.memory.steps) == (1, {"vpn": 3})
    world.turn()
    assert world.changes == 1
    later = World(steps=world.memory.steps)
    later.lines = {"vpn": (Seen(Verdict.UP), True)}
    assert later.turn() == [140]


def test_nothing_is_said_while_nothing_is_known_or_nothing_may_change():
    world = World()
    world.lines = {"vpn": (Seen(Verdict.UNKNOWN), None)}
    assert world.turn() == []
    assert world.ranking.scores == {"vpn": None}


def test_nothing_is_reckoned_while_nobody_passes_it_on():
    world = World()
    world.callers, world.lines = {}, {"vpn": (SICK, True)}
    assert world.turn() == []
    assert (world.ranking.scores, world.memory.steps) == ({}, {})


@pytest.mark.parametrize(("give_up_on", "score"), [("any", 140), ("all", 200)])
def test_several_paths(give_up_on, score):
    world = World()
    world.give_up_on, world.lines = give_up_on, {"a": (GOOD, True), "b": (SICK, True)}
    assert world.turn() == [score]
    assert world.ranking.scores == {"a": 200, "b": 140}


def test_an_operator_who_wants_this_gateway():
    world = World()
    world.forced, world.lines = True, {"vpn": (SICK, True)}
    assert world.turn() == [200]
    world.forced = False
    assert world.turn() == [140]


def test_a_refusal_is_reported_once_and_tried_again():
    world = World()
    world.action.refuses = "Pacemaker does not run on this node"
    assert world.turn() == [200]
    assert world.turn() == [], "not once a second"
    assert world.turn(AGAIN_S) == [200]
    assert [str(event) for event in world.events] == [
        "action cluster: failed (score 200: Pacemaker does not run on this node)"
    ]
    assert world.events[0].severity == "warning"
    world.action.refuses = ""
    world.turn(AGAIN_S)
    world.action.refuses = "gone again"
    world.turn(AGAIN_S)
    assert len(world.events) == 2


def test_a_path_that_is_reloaded_away_is_forgotten():
    world = World(steps={"old": 2, "vpn": 1})
    world.turn()
    assert world.memory.steps == {"vpn": 1}
