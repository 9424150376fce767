"""Two sites and every two faults between their hosts: served where a road is, on one line, at rest.

The model is that of :mod:`tests.core.site_world`. In all of it, at every tick: no two owners at a
site for long while its LAN carries between them. Once things have settled: somebody has the address
where anybody can; where a road is whole, both sites use it and the hosts are served, and what an
operator has switched to standby is left alone.
"""

import random
from itertools import pairwise

import pytest

from tests.core.pair_world import ROAD
from tests.core.site_world import (
    AL,
    AR,
    BL,
    BR,
    FAULTS,
    NONE,
    OF_GATEWAYS,
    OF_LINES,
    SPEEDS,
    begun,
    bound,
    calm,
    mirrored,
    name,
    over,
    settle,
    ticked,
    wrong,
)  # fmt: skip

GRACE = {"quick": 26, "slow": 34}
"""Ticks after the last event within which all is as it should be."""
MOVES = 4
"""How often the role may move at one site after the last event."""
OFFSETS = {"quick": (0, 1, 6, 30), "slow": (0,)}
FIREWALL = "firewall"


def of_one_site(fault):
    """Whether a fault may come first: what begins at the other site is the same in a mirror."""
    kind, place = fault
    return kind in OF_LINES or place < (2 if kind in OF_GATEWAYS else 1)


FIRST = [fault for fault in FAULTS if of_one_site(fault)]


AT_A, AT_B = 0, 1
HIDES = {
    (FIREWALL, AR): ((FIREWALL, BL), ("hosts dead", AT_B)),
    (FIREWALL, BR): ((FIREWALL, AL), ("hosts dead", AT_A)),
}
"""By a firewall of the line that is not preferred, what drives both sites to it beside that."""


def hidden(left, ended):
    """Whether only a trial can find the whole road once one of two faults has ended.

    Who left the role for its own road waits for a reply. The replies come back by its partner,
    which drops them; so the end of what it left for is not seen before the trial.
    """
    return ended in HIDES.get(left, ())


def moves(passed):
    """Give how often the role comes to the other gateway, at the site where it does so more."""
    most = 0
    for site in (0, 1):
        holders = [now.router(site) for now in passed]
        holders = [holder for holder in holders if holder is not None]
        most = max(most, sum(before != after for before, after in pairwise(holders)))
    return most


class Run:
    """What follows from a moment, worked out once."""

    def __init__(self, speed):
        self.rules, self.grace = SPEEDS[speed], GRACE[speed]
        self.known, self.ends = {}, {}

    def passed(self, now):
        if now not in self.known:
            self.known[now] = settle(self.rules, now)
        return self.known[now]

    def checked(self, now, told):
        """Check what follows; gives how it ends, and whether that is as it should be."""
        if now not in self.ends:
            passed = settle(self.rules, now)
            # Where no road is whole, one that is down both ways may be left later than that.
            late = [one for one in passed[self.grace :] if any(map(one.whole, range(2)))]
            settled = not wrong(passed[-1]) and not any(map(wrong, late))
            assert not settled or moves(passed) <= MOVES, told
            self.ends[now] = passed[-1], settled
        return self.ends[now]


RUNS = {speed: Run(speed) for speed in SPEEDS}
CALM = {speed: calm(rules) for speed, rules in SPEEDS.items()}


@pytest.mark.parametrize("speed", SPEEDS)
def test_calm_is_on_the_preferred_line(speed):
    now = CALM[speed]
    assert now.holders == (True, False, True, False)
    assert not wrong(now)
    assert now.served()
    assert all(now.road(gateway) and now[gateway].replies for gateway in range(4))


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("fault", FAULTS, ids=name)
def test_every_single_fault_is_survived_and_forgotten(speed, fault):
    run, now = RUNS[speed], CALM[speed]
    end, well = run.checked(begun(now, fault), name(fault))
    assert well, wrong(end)
    assert end.served() or fault[0] == "switch dead"
    back, well = run.checked(over(end, fault), name(fault))
    assert well, wrong(back)
    assert back.holders == now.holders


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("first", FIRST, ids=name)
def test_every_other_fault_beside_it_at_any_time_and_both_endings(speed, first):
    run, now = RUNS[speed], begun(CALM[speed], first)
    moments = [now, *run.passed(now)]
    last = len(moments) - 1
    for second in FAULTS:
        if second == first:
            continue
        for offset in OFFSETS[speed]:
            pair(run, moments[min(offset, last)], first, second, offset)


def pair(run, now, first, second, offset):
    told = f"{name(first)}, and {name(second)} {offset} ticks later"
    both, well = run.checked(begun(now, second), told)
    assert well or misleads(first, second), f"{told}: {wrong(both)}"
    for one, other in ((first, second), (second, first)):
        left, well = run.checked(over(both, one), f"{told}, without the {name(one)}")
        assert well or hidden(other, one), f"{told}, without the {name(one)}: {wrong(left)}"
        end, well = run.checked(over(left, other), f"{told}, all over")
        assert well, f"{told}, all over: {wrong(end)}"
        assert end.holders == CALM["quick"].holders, told


def misleads(one, other):
    """Whether these are such that the probes of the road cannot tell which one is whole.

    Every probed host is dead, and a firewall of the other site's standby drops what the cross
    gateway, the last that replies, sends to its partner.
    """
    return any(
        hidden(fault, dead) and dead[0] == "hosts dead"
        for fault, dead in ((one, other), (other, one))
    )


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize(
    ("left", "ended"), [(left, ended) for left, all_ended in HIDES.items() for ended in all_ended]
)
def test_what_only_a_trial_can_find_it_finds(speed, left, ended):
    rules, now = SPEEDS[speed], begun(begun(CALM[speed], left), ended)
    both = settle(rules, now)[-1]
    passed = settle(rules, over(both, ended), int(ROAD.trials_s[0]) + GRACE[speed])
    assert wrong(passed[0])
    assert not wrong(passed[-1])
    assert passed[-1].holders == CALM[speed].holders
    assert moves(passed) == 1
    assert not wrong(settle(rules, over(passed[-1], left))[-1])


@pytest.mark.parametrize("site", [AL, BL])
def test_no_site_is_silent_for_the_silence_of_the_other(site):
    """Everybody unfit, and one after the other fit again, in either order."""
    rules = SPEEDS["quick"]
    now = CALM["quick"]
    everybody = [("forwarding off", gateway) for gateway in range(4)]
    for fault in everybody:
        now = settle(rules, begun(now, fault))[-1]
    assert not now.served()
    for gateway in (site, AR, BR, AL + BL - site):
        now = settle(rules, over(now, ("forwarding off", gateway)))[-1]
        assert not wrong(now)
    assert now.holders == CALM["quick"].holders


@pytest.mark.parametrize(
    "kinds",
    [
        ("forwarding off", "line cut", "LAN link cut"),
        ("switched to standby", "line cut one way"),
        pytest.param(
            ("LAN port without carrier", "ESP dropped", "cable pulled"), marks=pytest.mark.more
        ),
        pytest.param(("LAN port isolated", "line cut", "cable deaf"), marks=pytest.mark.more),
    ],
)
def test_all_that_these_faults_can_ever_lead_to_one_after_the_other(kinds):
    """To the end: every combination, from every place of the roles, once all has settled."""
    run, faults = RUNS["quick"], [fault for fault in FAULTS if fault[0] in kinds]
    layer, seen = {CALM["quick"]}, {(NONE, CALM["quick"].holders)}
    while layer:
        after = set()
        for now in layer:
            for fault in faults:
                struck = over(now, fault) if fault in now.faults else begun(now, fault)
                end, well = run.checked(struck, sorted(map(name, struck.faults)))
                assert well, (sorted(map(name, struck.faults)), wrong(end))
                if (end.faults, end.holders) not in seen:
                    seen.add((end.faults, end.holders))
                    after.add(end)
        layer = after
    assert len({among for among, _ in seen}) == 2 ** len(faults)


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("seed", range(4))
def test_a_hundred_faults_of_all_kinds(speed, seed):
    """Any number at once, at any moment; all of it mended now and then."""
    chance, rules, now = random.Random(seed), SPEEDS[speed], CALM[speed]
    for count in range(100):
        fault = chance.choice(FAULTS)
        now = over(now, fault) if fault in now.faults else begun(now, fault)
        for _ in range(chance.choice([0, 1, 1, 2, 3, 5, 8, 30])):
            now = ticked(rules, now)
            assert max(now.double) <= bound(now)
        if count % 10 == 9:
            for each in sorted(now.faults):
                now = over(now, each)
            passed = settle(rules, now)
            assert not [at for at, one in enumerate(passed) if at >= GRACE[speed] and wrong(one)]
            assert passed[-1].holders == CALM[speed].holders
            assert moves(passed) <= MOVES
            now = chance.choice(passed)


def test_a_mirror_shows_the_same():
    for fault in FAULTS:
        assert mirrored(mirrored(fault)) == fault
        ends = [
            settle(SPEEDS["quick"], begun(CALM["quick"], f))[-1] for f in (fault, mirrored(fault))
        ]
        assert ends[0].holders == (*ends[1].holders[2:], *ends[1].holders[:2])
