"""One way of a simulated line: rows of losses drawn ahead are as long and as frequent as any."""

import random
from itertools import groupby

import pytest

from havpn_core.study.loss import GilbertElliott, Independent, Periodic
from havpn_core.study.ways import Chance, Drawn, ways_of


def rows(way, packets):
    """The lengths of the rows of losses in so many packets."""
    found = groupby(way.lost(0.0) for _ in range(packets))
    return [len(list(group)) for lost, group in found if lost]


@pytest.mark.parametrize("loss", [0.02, 0.2, 0.6])
@pytest.mark.parametrize("least", [0, 3])
def test_each_packet_is_lost_with_the_chance_whether_rows_are_foreseen_or_not(loss, least):
    way, found, sent = Chance(loss, random.Random(3)), [], 200_000
    for _ in range(sent // 100):
        if least:
            way.foresee(least)
        found += [way.lost(0.0) for _ in range(100)]
    assert sum(found) / sent == pytest.approx(loss, rel=0.05)


def test_before_the_long_row_that_is_foreseen_all_are_short():
    way = Chance(0.3, random.Random(1))
    while any(way.lost(0.0) for _ in range(4)):
        pass
    way.foresee(5)
    shorts = []
    while way.least:
        shorts += rows(way, 1)
    whole = Chance(0.3, random.Random(1))
    assert max(rows(whole, 10_000)) > 5, "else the next line says nothing"
    again = Chance(0.3, random.Random(2))
    again.lost(0.0)
    again.foresee(5)
    lost, packets = [], 0
    while again.least:
        lost.append(again.lost(0.0))
        packets += 1
    lengths = [len(list(group)) for bad, group in groupby(lost) if bad]
    assert lengths[-1] >= 5
    assert all(length < 5 for length in lengths[1:-1]), "the first was drawn before"


def test_the_packets_to_the_next_long_row_are_those_of_the_geometric_distribution():
    """Feller I, XIII.7: the mean number of trials to a run of r with chance p."""
    loss, least, seen = 0.3, 4, []
    for seed in range(400):
        way = Chance(loss, random.Random(seed))
        way.foresee(least)
        seen.append(way.foreseen)
    mean = (1 - loss**least) / ((1 - loss) * loss**least)
    assert sum(seen) / len(seen) == pytest.approx(mean, rel=0.2)


def test_what_is_left_out_brings_the_long_row_nearer():
    way = Chance(0.1, random.Random(4))
    way.foresee(6)
    before = way.foreseen
    way.foresee(6)
    assert way.foreseen == before, "what is drawn is drawn"
    way.leave_out(before / 2)
    assert way.foreseen == pytest.approx(before / 2, rel=0.01)
    way.leave_out(10 * before)
    assert way.foreseen == 0


def test_a_good_way_loses_nothing_and_foresees_nothing():
    way = Chance(0.0, random.Random(1))
    way.foresee(6)
    assert way.foreseen > 1e18 and way.quiet(0.0, 0.01) > 1e18
    way.leapt(10**9)
    assert rows(way, 1000) == []


def test_chance_loses_each_way_by_itself_and_a_spell_befalls_both():
    both = ways_of(Independent(0.5, random.Random(1)), random.Random(1))
    assert all(isinstance(way, Chance) for way in both)
    assert [both[0].lost(0) for _ in range(50)] != [both[1].lost(0) for _ in range(50)]
    spells = GilbertElliott(0.5, 1.0, random.Random(1))
    there, back = ways_of(spells, random.Random(1))
    assert [there.lost(at) == back.lost(at) for at in range(100)] == [True] * 100


def test_a_way_says_for_how_long_nothing_is_lost():
    way = Drawn(Periodic(10.0, 1.0, 5.0))
    assert way.quiet(0.0, 0.1) == pytest.approx(50)
    assert way.quiet(5.5, 0.1) == 0
    assert Drawn(type("Line", (), {"lost": lambda self, at: False})()).quiet(0.0, 0.1) == 0
