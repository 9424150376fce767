"""Two gateways of a cluster whose roads fail: a router stays, where a road is, and no ping-pong.

Every road comes and goes at every moment. Each gateway follows its own road and withdraws by what
it sees; the clusters are those of :mod:`tests.core.test_withdraw`. A tick is a second.
"""

import random
from functools import cache
from itertools import pairwise

import pytest
from msgspec import Struct

from havpn_core.rules.cluster.road import NOTHING, Here, LoneRoad, follow, look, trial_s
from havpn_core.rules.cluster.withdraw import AGAIN_S, Withdrawal, withdraw
from havpn_core.rules.road.state import NO_LOOK, USUAL, Look, RoadRules
from tests.core.test_withdraw import CLUSTERS, RUNNING, STOPPED, older
from tests.core.values import replace

QUICK = RoadRules(trials_s=(6.0, 9.0), clear_s=8.0, prompt=2)
"""Rules of which a test sees all; the usual ones have longer times."""
SIDES = (0, 1)
HERE = Withdrawal()
NAMES = ("Pacemaker", "failback", "no failback", "no failback, quick stop")


class Node(Struct, frozen=True):
    """One gateway: whether a host behind the far gateway replies to it, and what it knows."""

    road: bool = True
    state: LoneRoad = NOTHING
    gone: Withdrawal = HERE
    look: Look = NO_LOOK
    found: bool | None = None


class World(Struct, frozen=True):
    """Both gateways, and what the cluster does."""

    nodes: tuple[Node, Node]
    phases: tuple

    def road(self, side, works):
        nodes = [*self.nodes]
        nodes[side] = replace(nodes[side], road=works)
        return replace(self, nodes=tuple(nodes))

    @property
    def roads(self):
        return tuple(node.road for node in self.nodes)


class Pair:
    """Two gateways in a cluster, by rules of the road."""

    def __init__(self, cluster, rules):
        self.cluster, self.rules = cluster, rules
        self.longest_s = -2 * max(*rules.trials_s, rules.clear_s)
        self.tick = cache(self._tick)

    def begin(self):
        return World((Node(), Node()), self.cluster.begin())

    def holder(self, world):
        """Say who has the address; in Pacemaker the preferred one of those that would."""
        serving = self.cluster.serving(world.phases)
        return min(serving) if serving else None

    def _tick(self, world, order):
        """Let a second go by, in which one gateway looks and decides before the other."""
        nodes, phases = [*world.nodes], world.phases
        for me in order:
            node = nodes[me]
            state = follow(self.rules, node.state, self._here(node, phases[me]), 0.0)
            gone = withdraw(node.gone, state.trouble, self.cluster.look(me, phases), 0.0)
            nodes[me] = replace(node, state=state, gone=gone)
            if self.cluster.quick:
                phases = self.cluster.step(phases, [each.gone for each in nodes])
        if not self.cluster.quick:
            phases = self.cluster.step(phases, [each.gone for each in nodes])
        after = [self._after(node, phase) for node, phase in zip(nodes, phases, strict=False)]
        return World(tuple(after), phases)

    def _here(self, node, phase):
        active = {RUNNING: True, STOPPED: False}.get(phase)
        withdrawn = bool(node.gone.reason)
        return Here(True, active, withdrawn, node.found, node.look, up=True)

    def _after(self, node, phase):
        """Say what is known a second later: the verdict of probes that ran all that time."""
        wanted = look(node.state, self._here(node, phase))
        ran = wanted == node.look and wanted != NO_LOOK
        state = replace(
            node.state, off_s=self._back(node.state.off_s), well_s=self._back(node.state.well_s)
        )
        found = node.road if ran else None
        return replace(node, state=state, gone=older(node.gone), look=wanted, found=found)

    def _back(self, at_s):
        return None if at_s is None else max(at_s - 1, self.longest_s)

    def run(self, world, ticks):
        """Give all worlds of so many seconds in which nothing else happens."""
        passed = [world]
        for _ in range(ticks):
            passed.append(self.tick(passed[-1], SIDES))
        return passed

    def explore(self, depth, faults):
        """Give all worlds that so many misfortunes in so many seconds lead to."""
        layer = {self.calm(): faults}
        found = dict(layer)
        for _ in range(depth):
            after = {}
            for world, left in layer.items():
                for bad, cost in self._misfortunes(world, left):
                    for order in (SIDES, SIDES[::-1]):
                        then = self.tick(bad, order)
                        if found.get(then, -1) < left - cost:
                            found[then] = after[then] = left - cost
            layer = after
        return found

    def calm(self):
        return self.run(self.begin(), 20)[-1]

    @staticmethod
    def _misfortunes(world, left):
        yield world, 0
        if left:
            for side in SIDES:
                yield world.road(side, not world.nodes[side].road), 1


def moves(pair, passed):
    holders = [pair.holder(world) for world in passed]
    holders = [holder for holder in holders if holder is not None]
    return sum(before != after for before, after in pairwise(holders))


def quick(name):
    return Pair(CLUSTERS[NAMES.index(name)], QUICK)


def usual(name):
    return Pair(CLUSTERS[NAMES.index(name)], USUAL)


def run_to(pair, world, **roads):
    """Let roads change, and give the seconds until all has come to rest."""
    for side, works in roads.items():
        world = world.road("ab".index(side), works)
    return pair.run(world, 20)


@pytest.mark.parametrize("name", NAMES)
def test_a_road_that_fails_here_alone_moves_the_role_and_a_reply_brings_it_back(name):
    pair = quick(name)
    gone = run_to(pair, pair.calm(), a=False)[:12]
    assert pair.holder(gone[-1]) == 1
    assert moves(pair, gone) == 1
    back = run_to(pair, gone[-1], a=True)
    assert pair.holder(back[-1]) == (1 if name.startswith("no") else 0)
    assert moves(pair, back) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_road_of_the_other_alone_moves_nobody(name):
    pair = quick(name)
    passed = run_to(pair, pair.calm(), b=False)
    assert {pair.holder(world) for world in passed} == {0}


@pytest.mark.parametrize("name", NAMES)
def test_whatever_befalls_the_roads_and_when_a_router_stays_where_a_road_is(name):
    """All that four misfortunes in 18 s lead to, whoever looks first in each of them."""
    pair = quick(name)
    worlds = pair.explore(18, 4)
    assert len(worlds) > 500
    assert {world.roads for world in worlds} == {(a, b) for a in (True, False) for b in (a, not a)}
    for world in worlds:
        check(pair, world)


def check(pair, world):
    """Nobody is left without a router, and trials are all that moves the role in the end."""
    passed = pair.run(world, 80)
    holders = [pair.holder(each) for each in passed]
    assert None not in holders, f"no router after {world}"
    end, roads = passed[-1], world.roads
    assert moves(pair, passed) <= (1 if all(roads) or roads[0] else 10), f"to and fro after {world}"
    if any(roads):
        # A trial of the preferred gateway's dead road takes 2 to 3 s, twice in so many seconds.
        last = [roads[holder] for holder in holders[40:]]
        assert last.count(False) <= (0 if roads[0] else 6), f"no road under the role after {world}"
    if all(roads):
        assert all(not node.gone.reason for node in end.nodes)
        assert all(node.state.failures == 0 for node in end.nodes if node.look != NO_LOOK)


# --- no ping-pong ---------------------------------------------------------------------------------

HOUR = 3600


def pass_hour(pair, world, before):
    """Go on for an hour; gives the end, and each change of holder with its second."""
    changes, holder = [], pair.holder(world)
    for at in range(HOUR):
        world = pair.tick(before(world), SIDES)
        now = pair.holder(world)
        assert now is not None
        if now != holder:
            changes.append((at, now))
        holder = now
    return world, changes


def dead(world):
    return world.road(0, False)


def both_dead(world):
    return world.road(0, False).road(1, False)


def deceiving(pair, sides):
    """The worst that there is: the road works for whoever does not have the role."""

    def before(world):
        for side in sides:
            world = world.road(side, pair.holder(world) != side)
        return world

    return before


@pytest.mark.parametrize("name", NAMES[:2])
@pytest.mark.parametrize("before", [dead, both_dead])
def test_a_road_that_is_down_for_good_is_tried_after_1_2_4_8_and_15_minutes(name, before):
    pair = usual(name)
    _, changes = pass_hour(pair, pair.calm(), before)
    begun = [0, *(at for at, holder in changes if holder == 0)]
    assert len(changes) == 1 + 2 * (len(begun) - 1)
    pauses = [after - at for at, after in pairwise(begun)]
    assert len(pauses) == 6
    for pause, wanted in zip(pauses, (60, 120, 240, 480, 900, 900), strict=True):
        assert wanted <= pause <= wanted + 3 * AGAIN_S


@pytest.mark.parametrize("name", NAMES[2:])
def test_without_failback_no_trial_moves_the_role(name):
    pair = usual(name)
    _, changes = pass_hour(pair, pair.calm(), dead)
    assert [holder for _, holder in changes] == [1]


@pytest.mark.parametrize("sides", [(0,), (1,), SIDES], ids=["one", "the other", "both"])
@pytest.mark.parametrize("name", NAMES)
def test_a_road_that_works_for_whoever_stands_by_moves_the_role_seldom(name, sides):
    pair = usual(name)
    before = deceiving(pair, sides)
    world, first = pass_hour(pair, pair.calm(), before)
    assert len(first) <= 16
    _, second = pass_hour(pair, world, before)
    assert len(second) <= 8


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_roads_that_come_and_go_at_random_move_the_role_seldom(name, seed):
    chance, pair = random.Random(seed), usual(name)

    def flips(world):
        for side in SIDES:
            if chance.random() < 0.2:
                world = world.road(side, not world.roads[side])
        return world

    _, changes = pass_hour(pair, pair.calm(), flips)
    assert len(changes) <= 40


def test_after_minutes_of_a_road_that_does_well_the_pauses_are_short_again():
    pair = usual("Pacemaker")
    world = pair.run(pair.calm().road(0, False), 20)[-1]
    assert trial_s(USUAL, world.nodes[0].state) is not None
    world = pair.run(world.road(0, True), 100)[-1]
    assert (pair.holder(world), world.nodes[0].state.failures) == (0, 1)
    world = pair.run(world, 300)[-1]
    assert world.nodes[0].state.failures == 0
