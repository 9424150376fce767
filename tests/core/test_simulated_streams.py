"""Both ends of a stream on a virtual clock, and what the shortcuts leave as it is."""

import math
import random

import pytest

from havpn_core.rules.hysteresis import Level
from havpn_core.stream.reported import reported
from havpn_core.stream.session import StreamSession
from havpn_core.study import rows, streams
from havpn_core.study.ends import Delay
from havpn_core.study.loss import Changing, GilbertElliott, Independent, Periodic
from havpn_core.study.streams import StreamCourse, summarise_stream
from havpn_core.study.ways import ways_of
from tests.core.profile import profile, targeted

PACE_S = 0.01


def course(options, line, seed=1, **more):
    chance = random.Random(seed)
    return StreamCourse(reported(options.settings, PACE_S), ways_of(line, chance), chance, **more)


def restless(fall, **more):
    """Rules that fall and rise again and again."""
    return profile(
        "fast", fall=fall, rise=20, rise_loss=0.5, damping=False, on_poor="report", **more
    )


def outcome(made):
    return [
        (end.switches, end.down_s, end.watch.state.level, end.tally.counted) for end in made.ends
    ]


def test_values_in_place_of_signed_bytes_change_nothing():
    def session(number):
        chance = random.Random(number).random
        key, nonce = (b"k" * 32,), bytes([number]) * 8
        return StreamSession(key, number, nonce, wish_s=0.01, now_s=0.0, chance=chance)

    signed, plain, heard = [session(1), session(2)], [session(1), session(2)], 0
    dice = random.Random(5)
    for step in range(20_000):
        now_s = step * 0.0005
        for end in (0, 1):
            for pair in (signed, plain):
                pair[end].wake(now_s)
            assert signed[end].send_s == plain[end].send_s
            if signed[end].send_s > now_s:
                continue
            packet, (head, report) = signed[end].make(now_s), plain[end].compose(now_s)
            if dice.random() < 0.2:
                continue
            said = signed[1 - end].take(packet, now_s + 0.0001)
            assert plain[1 - end].hear(head, report, now_s + 0.0001) == said
            heard += said == "good"
        assert [list(one.news()) for one in signed] == [list(one.news()) for one in plain]
    assert heard > 1000


@pytest.mark.parametrize(
    "line",
    [
        lambda: GilbertElliott(0.05, 0.5, random.Random(3)),
        lambda: Periodic(20.0, 0.3, 5.0),
        lambda: Periodic(60.0, 2.0, 5.0),
    ],
)
@pytest.mark.parametrize("options", [targeted("fast"), restless(6), profile("fast", fall=5)])
def test_passing_over_what_arrives_for_sure_changes_nothing(line, options):
    made = [course(options, line(), leaps=leaps) for leaps in (False, True)]
    for one in made:
        one.run(85)
    slow, quick = made
    assert quick.behind_s > 40 and slow.behind_s == 0
    for one, other in zip(slow.ends, quick.ends, strict=True):
        assert one.switches == other.switches
        assert one.down_s == pytest.approx(other.down_s, abs=0.1)
        assert one.watch.state.level is other.watch.state.level
        heard, there = one.tally.counted[0], other.tally.counted[0]
        lost, lost_there = one.tally.counted[1], other.tally.counted[1]
        # A run that the far end still speaks of when this one hears again may count once more.
        assert heard - lost == pytest.approx(there - lost_there, rel=0.01)
        assert one.watch.rules.floor_s == pytest.approx(other.watch.rules.floor_s, rel=0.1)
    assert sum(end.switches for end in slow.ends) > 0 or line().lost(5.1)


def test_leaving_out_short_rows_keeps_the_law(monkeypatch):
    """As many falls an hour, and as much learned, as with every packet sent."""
    monkeypatch.setattr(rows, "LEARN", 3000)
    monkeypatch.setattr(rows, "WARM", 300)
    line, options = Independent(0.1, random.Random()), restless(3)
    slow, quick = course(options, line, 1, rows=False, leaps=False), course(options, line, 2)
    slow.run(300)
    quick.run(3000)
    assert quick.behind_s > 1800, "most of it is left out"
    falls = [sum(end.switches for end in made.ends) / 2 for made in (slow, quick)]
    assert falls[0] > 10
    # Both ends fall by the same rows: a Poisson number of events, each counted once or twice.
    spread = 2 * math.sqrt(falls[0] * (1 + 1 / 10))
    assert falls[1] / 10 == pytest.approx(falls[0], abs=4 * spread)
    for one, other in zip(slow.ends, quick.ends, strict=True):
        assert other.tally.loss == pytest.approx(one.tally.loss, rel=0.05)


def test_a_hundred_hours_of_a_lossy_line_learn_its_loss_and_switch_nothing():
    made = course(targeted("fast"), Independent(0.1, random.Random()))
    made.run(100 * 3600)
    for end in made.ends:
        assert end.switches == 0
        assert end.tally.loss == pytest.approx(0.105, abs=0.01)
        assert 8 <= end.least_fall <= 10
        assert end.sent < 500_000, "of 38 million packets"


def test_a_path_that_cannot_come_up_again_is_left_down():
    made = course(profile("fast", fall=5), Independent(0.35, random.Random()))
    made.run(100 * 3600)
    for end in made.ends:
        assert end.switches == 1 and end.watch.state.level is Level.DOWN
        assert end.sent < 1_000_000


@pytest.mark.parametrize("one_way_s", [0.0005, 0.04])
def test_a_cut_is_found_after_the_run_whatever_the_distance(one_way_s):
    found = summarise_stream(
        targeted("fast").settings, Independent(0, random.Random(1)),
        pace_s=PACE_S, hours=0.1, chance=random.Random(1), delay=Delay(one_way_s), cuts=12,
    )  # fmt: skip
    assert (found.switches, found.far_switches, len(found.detection_s)) == (0, 0, 12)
    half_s = one_way_s / 2
    assert all(0.055 - 1e-6 <= took - half_s <= 0.066 for took in found.detection_s)


def test_a_line_that_changes_is_another_one_from_that_moment():
    chance = random.Random(1)
    line = Changing(Independent(0, chance), Independent(0.2, chance), 60.0)
    found = summarise_stream(
        targeted("fast").settings, line, pace_s=PACE_S, hours=0.2, chance=chance, cuts=4
    )
    assert (found.switches, found.far_switches) == (0, 0)
    assert min(found.detection_s) > 0.09, "it knows what its line has become"


def test_jitter_and_loss_together_are_no_cut():
    made = course(targeted("fast"), Independent(0.05, random.Random()), delay=Delay(0.02, 0.008))
    made.run(300)
    assert [end.switches for end in made.ends] == [0, 0]
    assert 0 < made.ends[0].session.jitter_s < 0.004
    assert made.ends[0].session.rtt_s == pytest.approx(0.048, abs=0.01)


def test_a_cut_stops_what_has_not_passed_the_middle_of_the_line():
    made = course(targeted("fast"), Independent(0, random.Random(1)), delay=Delay(0.1))
    _, end_s = streams.cut(made, 5.0)
    assert end_s == pytest.approx(5.0 + 0.05 + 0.06, abs=0.012)
