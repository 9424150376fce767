"""What each way of a stream loses, and that both ends reckon with the same number."""

import pytest

from havpn_core.pair.lines.loss import clearly_better
from havpn_core.pair.lines.record import Record
from havpn_core.pair.wire.heads import Head
from havpn_core.pair.wire.keyring import Keyring
from havpn_core.plugging.stance import Stance
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.target.loss import Loss, as_number, of_number
from havpn_core.stream import packet
from havpn_core.stream.ways import MOST_MISSING, OVERTAKEN, REFRESH_S, Ways
from tests.core.stream_world import ENDS, KEY, World

UP, DOWN = Stance(verdict=Verdict.UP), Stance(verdict=Verdict.DOWN)
NUMBER = as_number(Loss(0.25, 400, 2.0, 1.0))


def losses(world):
    return [world.ends[end].ways.loss(world.clock(end)) for end in ENDS]


def figures(loss):
    return loss.share, loss.samples, loss.clump


def run(world, until_s, look=lambda: None):
    while world.step(until_s):
        look()


# --- one end -------------------------------------------------------------------------------------


def fed(ways, sequences, pace_s=0.01, far=0):
    """Let packets arrive at their times; gives when the last one did."""
    for count, sequence in enumerate(sequences, 1):
        ways.arrived(sequence, count, far, sequence * pace_s)
    return sequences[-1] * pace_s


def own(ways, now_s):
    return of_number(ways.said(now_s))


def test_what_is_missing_between_two_packets_is_lost_as_one_run():
    ways = Ways(0.01)
    at = fed(ways, [n for n in range(1, 1001) if n % 100 not in (1, 2, 3, 4)])
    found, record = own(ways, at), Record(0.01)
    for number in range(1, 993):
        if number > 4:
            record.take(number * 0.01, lost=number % 100 in (1, 2, 3, 4), up=True)
    assert figures(found) == figures(of_number(as_number(record.found(9.92))))
    assert found.clump > 3.5


def test_a_packet_that_newer_ones_overtook_is_not_lost():
    missing, late = Ways(0.01), Ways(0.01)
    for number in range(1, 1001):
        for one in (missing, late):
            if number % 10:
                one.arrived(number, number, 0, number * 0.01)
        if number % 10 == 3 and number > 10:
            late.overtaken(number - 3)
    assert own(missing, 9.99).share == pytest.approx(0.1, abs=0.002)
    assert own(late, 9.99).share == 0.0
    late.overtaken(5)
    late.overtaken(5000)
    assert own(late, 9.99 + REFRESH_S).share == 0.0


def test_what_this_host_was_too_late_to_read_is_no_loss():
    ways = Ways(0.01)
    fed(ways, range(1, 501))
    ways.void()
    for number in range(901, 1401):
        ways.arrived(number, number - 400, 0, number * 0.01)
    assert own(ways, 14.0).share == 0.0
    for number in range(1500, 1600):
        ways.arrived(number, number - 500, 0, number * 0.01)
    assert own(ways, 15.99).share > 0.05, "but only that once"


def test_a_dead_line_ends_what_was_known_and_its_silence_is_no_loss():
    ways = Ways(0.01)
    fed(ways, range(1, 801, 2))
    assert own(ways, 8.0).share == pytest.approx(0.5, abs=0.01)
    ways.believe(Verdict.DOWN, 0.01)
    for number in range(10 * MOST_MISSING, 10 * MOST_MISSING + 300):
        ways.arrived(number, number, 0, number * 0.01)
        ways.believe(Verdict.RECOVERING, 0.01)
    assert figures(own(ways, number * 0.01)) == (0.0, 300 - OVERTAKEN, 1.0)


def test_another_run_of_the_far_end_misses_nothing_of_the_one_before():
    ways = Ways(0.01)
    at = fed(ways, range(1, 401))
    ways.restart()
    for number in range(100, 400):
        ways.arrived(number, number, 0, at + (number - 99) * 0.01)
    found = own(ways, at + 3.0)
    assert (found.share, found.samples) == (0.0, 700 - 2 * OVERTAKEN)


def test_the_worse_way_counts_and_both_must_be_known_and_fresh():
    ways = Ways(0.01)
    assert ways.said(0.0) == 0
    at = fed(ways, range(1, 401))
    assert ways.loss(at) is None, "the far end says nothing"
    ways.arrived(401, 401, NUMBER, at + 0.01)
    found = ways.loss(at + 0.01)
    assert figures(found) == figures(of_number(NUMBER))
    assert found.age_s == pytest.approx(1.0)
    assert ways.loss(at + 1.01).age_s == pytest.approx(2.0)
    assert ways.loss(at + 2.2) is None, "3.2 s old"
    at = fed(ways, range(402, 1402, 2), far=as_number(Loss(0.02, 400)))
    assert ways.loss(at).share == pytest.approx(0.4, abs=0.15)
    alone = Ways(0.01)
    alone.arrived(1, 1, NUMBER, 0.0)
    assert alone.loss(0.0) is None


def test_a_slow_stream_is_known_as_long_as_three_of_its_intervals():
    ways = Ways(0.01)
    ways.believe(Verdict.UP, 2.0)
    at = fed(ways, range(1, 60), pace_s=2.0, far=as_number(Loss(0.0, 400)))
    assert ways.loss(at + 5.9) is None or ways.loss(at + 5.9).age_s <= 6.0
    assert ways.loss(at + 6.2) is None


def test_a_packet_carries_the_loss_and_one_without_it_is_read_as_ever():
    head, keys = Head(2, b"", 7, b"n" * 8, b"e" * 8, 9), Keyring(KEY)
    plain, said = packet.Report(1), packet.Report(1, loss=NUMBER)
    short, long = (packet.write(head, report, keys) for report in (plain, said))
    assert (len(short), len(long)) == (packet.LEAST, packet.LEAST + 7)
    assert [packet.read(one)[1].loss for one in (short, long)] == [0, NUMBER]
    assert packet.fault(long, keys) == ""
    gone = packet.write(head, packet.Report(1, stance=Stance(left=True)), keys)
    assert packet.read(gone)[1].stance == Stance(left=True)


# --- both ends -----------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [(0.1, 0.0), (0.0, 0.1), (0.2, 0.05), (0.05, 0.2)])
def test_both_ends_give_the_same_number_within_a_delay(loss):
    world = World(wish_s=0.01, fall=50, delay_s=0.02)
    world.loss.update(zip(ENDS, loss, strict=True))
    world.stance.update(dict.fromkeys(ENDS, UP))
    seen = {end: [] for end in ENDS}

    def look():
        for end, found in zip(ENDS, losses(world), strict=True):
            if found is not None and (not seen[end] or seen[end][-1][1] != figures(found)):
                seen[end].append((world.now_s, figures(found)))

    run(world, 40.0, look)
    a, b = ({number for at, number in seen[end] if 12 < at < 38} for end in ENDS)
    assert len(a) >= 1 and len(a & b) >= 0.8 * max(len(a), len(b))
    share = seen["a"][-1][1][0]
    assert share == pytest.approx(max(loss), abs=0.035)


def test_a_stream_with_one_bad_way_is_left_by_both_ends_for_a_good_one_in_seconds():
    good = Loss(0.0, 2000)
    world = World(wish_s=0.01, fall=50)
    world.stance.update(dict.fromkeys(ENDS, UP))
    run(world, 30.0)
    world.loss["a"] = 0.2
    left = {}

    def look():
        for end, found in zip(ENDS, losses(world), strict=True):
            if clearly_better(found, good):
                left.setdefault(end, world.now_s - 30.0)

    run(world, 40.0, look)
    assert set(left) == set(ENDS)
    assert max(left.values()) < 6.0
    assert abs(left["a"] - left["b"]) <= 1.0


def test_a_cut_line_that_is_back_begins_anew():
    world = World(wish_s=0.01, fall=5)
    world.stance.update(dict.fromkeys(ENDS, UP))
    run(world, 20.0)
    world.cut = dict.fromkeys(ENDS, True)
    run(world, 20.2)
    world.stance.update(dict.fromkeys(ENDS, DOWN))
    run(world, 50.0)
    assert losses(world) == [None, None], "old"
    world.cut = dict.fromkeys(ENDS, False)
    run(world, 60.0)
    for found in losses(world):
        assert found.share == 0.0
        assert found.samples < 1150, "10 s of them"
