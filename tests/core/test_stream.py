"""Two ends of a stream: when each knows of a cut, and what it takes for none."""

import pytest

from havpn_core.pair.wire.heads import Head
from havpn_core.pair.wire.keyring import Keyring
from havpn_core.plugging.stance import Stance
from havpn_core.rules.hysteresis import Outcome, Verdict
from havpn_core.rules.role import Role
from havpn_core.stream import packet
from havpn_core.stream import session as session_module
from havpn_core.stream.arrivals import LEAST_MARGIN_S
from tests.core.stream_world import ENDS, KEY, OTHER, World

MARGIN_S = LEAST_MARGIN_S
DELAYS = (0.0005, 0.01, 0.04, 0.1)
NEAR = 1e-6


def settled(**more):
    world = World(**more).run(5)
    assert world.nobody_down
    return world


def outcomes(world, end):
    return {outcome for _, outcome in world.counters[end].samples}


@pytest.mark.parametrize("delay_s", DELAYS)
def test_both_ends_hear_each_other_after_two_round_trips(delay_s):
    world = World(delay_s=delay_s)
    world.run(4 * delay_s + 2 * session_module.QUICK_S + 0.001)
    assert all(world.ends[end].heard for end in ENDS)


@pytest.mark.parametrize("delay_s", DELAYS)
@pytest.mark.parametrize("fall", [5, 8])
def test_a_silent_cut_is_decided_after_the_run_and_the_margin_whatever_the_distance(delay_s, fall):
    world = settled(delay_s=delay_s, fall=fall)
    cut_s = world.now_s
    world.cut = dict.fromkeys(ENDS, True)
    world.run(1)
    for end in ENDS:
        took_s = world.down(end) - cut_s - delay_s
        assert (fall - 1) * 0.01 + MARGIN_S - NEAR < took_s <= fall * 0.01 + MARGIN_S + NEAR


@pytest.mark.parametrize("delay_s", DELAYS)
@pytest.mark.parametrize("deaf", ENDS)
def test_a_one_way_cut_is_known_at_both_ends_one_one_way_delay_apart(delay_s, deaf):
    world = settled(delay_s=delay_s)
    cut_s = world.now_s
    world.cut[OTHER[deaf]] = True
    world.run(1)
    first, second = world.down(deaf), world.down(OTHER[deaf])
    assert first - cut_s - delay_s <= 5 * 0.01 + MARGIN_S + NEAR
    assert second - first == pytest.approx(delay_s, abs=NEAR)


def test_a_cut_that_heals_is_over_with_the_first_arrival_at_both_ends():
    world = settled()
    world.cut["a"] = True
    world.run(0.2)
    assert world.counters["a"].run > 5
    world.cut["a"] = False
    world.run(0.03)
    assert [world.counters[end].run for end in ENDS] == [0, 0]


def test_a_line_that_loses_both_ways_has_no_longer_runs_than_one_way_has():
    """Half of the packets each way: were the runs added up, one of 20 would come at once."""
    both, one = settled(fall=20, seed=4), settled(fall=20, seed=4)
    both.loss, one.loss["a"] = dict.fromkeys(ENDS, 0.5), 0.5
    longest = {}
    for name, world in (("both", both), ("one", one)):
        longest[name] = 0
        for _ in range(6000):
            world.run(0.01)
            longest[name] = max(longest[name], *(c.run for c in world.counters.values()))
    assert both.nobody_down
    assert longest["both"] <= longest["one"] + 4


def test_each_packet_counts_once():
    world = settled(seed=3)
    world.loss["b"] = 0.2
    for counter in world.counters.values():
        counter.samples.clear()
    lost = ok = fails = 0
    original = world.ends["a"].news

    def news():
        nonlocal lost, ok, fails
        found = original()
        for one in found:
            lost, ok = lost + one.lost, ok + (one.outcome is Outcome.OK)
            fails += one.outcome is Outcome.FAIL
        return found

    world.ends["a"].news = news
    sent = world.sent["b"]
    world.run(60)
    sent = world.sent["b"] - sent
    assert (lost + fails) / sent == pytest.approx(0.2, abs=0.03)
    assert ok + lost + fails == pytest.approx(sent, abs=3)


def test_nothing_but_errors_before_the_far_end_was_heard():
    world = World()
    world.cut["b"] = True
    world.run(30)
    assert world.counters["a"].samples == []
    assert world.ends["a"].state(world.clock("a")) is Outcome.ERROR
    assert world.sent["a"] <= 34, "once a second until both hear"


def test_the_slower_wish_counts_and_chance_takes_a_tenth_at_most():
    world = settled(wishes={"a": 0.01, "b": 0.1})
    before = dict(world.sent)
    world.run(100)
    for end in ENDS:
        assert 1000 <= world.sent[end] - before[end] <= 1000 / 0.9
        assert world.sent[end] - before[end] == pytest.approx(1000 / 0.95, rel=0.01)


def test_a_far_end_that_is_silent_for_long_gets_a_packet_a_second_and_comes_back_at_once():
    world = settled()
    world.cut = dict.fromkeys(ENDS, True)
    world.run(session_module.IDLE_S + 1)
    before = dict(world.sent)
    world.run(20)
    assert all(world.sent[end] - before[end] <= 23 for end in ENDS)
    samples = world.counters["a"].samples
    assert samples[-1][1] is Outcome.FAIL and samples[-1][0] > world.now_s - 2, "still samples"
    world.cut = dict.fromkeys(ENDS, False)
    world.run(1.2)
    before = dict(world.sent)
    world.run(1)
    assert all(world.sent[end] - before[end] >= 100 for end in ENDS)
    assert [world.counters[end].run for end in ENDS] == [0, 0]


@pytest.mark.parametrize("end", ENDS)
def test_an_end_that_restarts_and_says_goodbye_puts_nobody_down(end):
    world = settled()
    world.send(end, leaving=True)
    del world.ends[end]
    world.run(1.5)
    world.start(end)
    world.run(1)
    assert world.nobody_down
    assert Outcome.FAIL not in outcomes(world, OTHER[end])
    assert Outcome.REFUSED in outcomes(world, OTHER[end])
    assert world.counters[OTHER[end]].samples[-1][1] is Outcome.OK
    assert world.ends[end].heard


def test_a_goodbye_holds_for_a_while_only():
    world = settled()
    world.send("b", leaving=True)
    del world.ends["b"]
    world.run(session_module.LEAVING_S + 0.1)
    assert world.down("a") is not None


def test_an_end_that_dies_is_no_dead_line_while_its_host_refuses():
    world = settled()
    del world.ends["b"]
    for _ in range(10):
        world.ends["a"].refused(world.clock("a"))
        world.run(1)
    assert Outcome.FAIL not in outcomes(world, "a")
    world.run(session_module.REFUSAL_S)
    assert world.down("a") is not None


def test_an_end_that_dies_and_starts_again_is_believed_without_a_goodbye():
    world = settled(fall=1000)
    for end in ENDS:
        del world.ends[end]
        world.run(0.3)
        world.start(end)
        world.run(0.5)
        assert all(world.ends[each].heard for each in ENDS)
        assert [world.counters[each].run for each in ENDS] == [0, 0]


def test_records_are_never_believed_over_restarts_of_either_end():
    world = settled()
    records = list(world.recorded)
    world.start("a")
    world.run(0.5)
    world.start("b")
    world.run(0.5)
    world.cut = dict.fromkeys(ENDS, True)
    world.run(0.2)
    assert all(world.down(end) is not None for end in ENDS)
    believed = sum(said == "good" for _, said in world.verdicts)
    for sender, data in records[::7]:
        world.bring(OTHER[sender], data)
        world.run(0.01)
    assert sum(said == "good" for _, said in world.verdicts) == believed
    assert all(world.counters[end].run > 5 for end in ENDS)


def test_packets_of_this_run_that_come_again_keep_no_dead_line_up():
    world = settled()
    world.cut = dict.fromkeys(ENDS, True)
    for _ in range(20):
        for sender, data in world.recorded[-40:-20]:
            world.bring(OTHER[sender], data)
        world.run(0.01)
    assert all(world.down(end) is not None for end in ENDS)


def test_packets_that_overtake_each_other_and_come_twice_lose_nothing():
    world = World(delay_s=0.02)
    world.spread_s = dict.fromkeys(ENDS, 0.03)
    world.run(5)
    for _ in range(200):
        world.run(0.05)
        for sender, data in world.recorded[-3:]:
            world.bring(OTHER[sender], data, 0.05)
    assert world.nobody_down
    said = [verdict for _, verdict in world.verdicts]
    assert {"late", "duplicate"} <= set(said)
    assert world.ends["a"].ways.inwards.share == pytest.approx(0, abs=0.03)


def test_keys_change_in_steps_without_a_pause():
    old, new = b"k" * 32, b"n" * 32
    world = settled()
    steps = [(old, new), (new, old), (new,)]
    for keys in steps:
        for end in ENDS:
            world.ends[end].use(keys)
            world.run(0.5)
    assert world.nobody_down
    assert [world.counters[end].run for end in ENDS] == [0, 0]
    assert not {"key", "mac"} & {said for _, said in world.verdicts}


def test_a_wrong_key_changes_nothing_and_is_said():
    world = settled()
    before = list(world.counters["a"].samples)
    other = World(keys=(b"x" * 32,))
    assert world.ends["a"].take(other.send("b"), world.clock("a"), "somebody") == "key"
    forged = bytearray(world.recorded[-1][1])
    forged[-1] ^= 1
    assert world.ends["a"].take(bytes(forged), world.clock("a"), "somebody") == "mac"
    assert world.ends["a"].take(b"HAV", world.clock("a"), "somebody") == "length"
    assert list(world.ends["a"].news()) == []
    assert world.counters["a"].samples == before
    assert world.ends["a"].address == "at b"


def test_a_far_end_with_a_new_address_is_followed_and_a_record_from_elsewhere_is_not():
    world = settled()
    world.bring("a", world.recorded[-5][1], address="a thief")
    world.run(0.1)
    assert world.ends["a"].address == "at b"
    world.address["b"] = "at b, moved"
    world.run(0.1)
    assert world.ends["a"].address == "at b, moved"


def test_a_far_end_that_starts_again_elsewhere_gets_a_packet_there():
    world = settled()
    del world.ends["b"]
    world.start("b")
    world.address["b"] = "at b, moved"
    world.send("b")
    world.run(0.0006)
    assert world.ends["a"].greeter == "at b, moved"


@pytest.mark.parametrize("sleeps_s", [0.1, 0.5, 3.0])
def test_own_lateness_is_void_at_the_end_that_starves(sleeps_s):
    world = settled(fall=3)
    world.cut["b"] = True  # nothing waits in the socket: it looks as after a pause of the host
    world.sleep("a", sleeps_s)
    world.run(sleeps_s)
    world.cut["b"] = False
    world.run(0.5)
    assert world.down("a") is None
    assert world.ends["a"].voided >= 1


def test_what_the_far_end_misses_for_own_lateness_is_void_here():
    world = settled(fall=3)
    world.sleep("a", 0.06)
    world.run(1)
    assert world.counters["b"].samples and world.down("b") is not None, "it cannot know"
    assert world.down("a") is None


def test_a_cut_after_own_lateness_is_found_all_the_same():
    world = settled()
    world.sleep("a", 0.06)
    world.run(0.06)
    world.cut["a"] = True
    world.run(1)
    assert world.down("a") is not None


def test_a_cut_is_found_by_an_end_that_is_a_little_late_each_time():
    world = settled()
    world.cut["b"] = True
    for _ in range(200):
        world.sleep("a", 0.004)
        world.run(0.008)
    assert world.down("a") is not None


def test_a_packet_that_the_way_refuses_fails_at_once():
    world = settled()
    quote = world.recorded[-1] if world.recorded[-1][0] == "a" else world.recorded[-2]
    assert world.ends["a"].sent_lately(quote[1][:60])
    assert not world.ends["b"].sent_lately(quote[1][:60])
    assert not world.ends["a"].sent_lately(quote[1][:20])
    world.ends["a"].unreachable(world.clock("a"))
    assert [one.outcome for one in world.ends["a"].news()] == [Outcome.FAIL]


def test_the_jitter_of_the_line_makes_the_margin_and_a_calm_line_the_least_one():
    world = World(delay_s=0.05)
    world.run(20)
    assert world.ends["a"].margin_s == MARGIN_S
    world.spread_s["b"] = 0.06
    world.run(20)
    assert 0.03 < world.ends["a"].margin_s < 0.1
    assert world.nobody_down


def test_each_end_knows_loss_of_each_direction_and_the_round_trip_time():
    world = settled(delay_s=0.02, fall=1000)
    world.loss = {"a": 0.1, "b": 0.3}
    world.delay_s["b"] = 0.06
    world.run(40)
    for end in ENDS:
        session = world.ends[end]
        assert session.ways.outwards.share == pytest.approx(world.loss[end], abs=0.04)
        assert session.ways.inwards.share == pytest.approx(world.loss[OTHER[end]], abs=0.04)
        assert session.rtt_s == pytest.approx(0.08, abs=0.001)


def test_what_the_far_gateway_says_of_itself_arrives():
    world = settled()
    stance = Stance(
        Role.STANDBY, False, maintenance=True, paused=True, no_road=True, verdict=Verdict.RECOVERING
    )
    world.stance["b"] = stance
    world.run(0.02)
    assert world.ends["a"].far.stance == stance
    assert world.ends["a"].far.wish_s == 0.01


def test_a_far_gateway_that_is_not_to_be_used_is_a_failure_sooner_than_by_silence():
    world = settled()
    began_s = world.now_s
    world.stance["b"] = Stance(away=True)
    world.run(1)
    assert world.down("a") - began_s <= 5 * 0.01 + 0.001
    assert world.down("b") is None


def signed(**more):
    head = Head(2, b"", 7, b"n" * 8, b"e" * 8, 9)
    return packet.write(head, packet.Report(1_000_000, **more), Keyring(KEY))


def resigned(content, at, value):
    body = bytearray(content[:-16])
    body[at : at + 1] = value
    return bytes(body) + Keyring(KEY).sign(packet.PURPOSE + bytes(body))


def test_a_packet_says_what_was_written_and_bounds_what_it_cannot_say():
    stance = Stance(Role.ACTIVE, True, away=True, verdict=Verdict.UP)
    report = packet.Report(
        2**40 + 3, 8, 2**32 + 5, 0.25, 6, 0.01, 1.5, late=1000, stance=stance, leaving=True
    )
    head = Head(2, b"", 7, b"n" * 8, b"e" * 8, 9)
    whole = packet.write(head, report, Keyring(KEY))
    assert len(whole) == packet.LEAST and packet.fault(whole, Keyring(KEY)) == ""
    found, said = packet.read(whole)
    assert (found.run, found.echo, found.sequence) == (head.run, head.echo, head.sequence)
    assert (said.late, said.echoed_us) == (packet.MOST_LATE, 5)
    assert (said.sent_us, said.heard, said.held_s, said.received) == (2**40 + 3, 8, 0.25, 6)
    assert (said.pace_s, said.wish_s, said.stance, said.leaving) == (0.01, 1.5, stance, True)


def test_a_packet_of_a_later_release_is_read_as_far_as_it_is_known():
    body = signed(late=3)[:-16] + b"more"
    whole = body + Keyring(KEY).sign(packet.PURPOSE + body)
    assert packet.fault(whole, Keyring(KEY)) == ""
    assert packet.read(whole)[1].late == 3
    session = World().ends["a"]
    assert session.take(resigned(signed(), 0, b"\x02"), 1.0) == "version"
    assert session.take(bytes([1]) * (packet.LARGEST + 1), 1.0) == "length"
    for states in (b"\x03", b"\x0c", b"\x70"):
        assert session.take(resigned(signed(), packet.LEAST - 16 - 2, states), 1.0) == "content"


FIXED = packet.LEAST - 16


@pytest.mark.parametrize("loss", [0, 2**56 - 1])
@pytest.mark.parametrize("name", ["gw-ba", "fw-é-1", "g" * 64])
def test_a_packet_says_the_name_after_what_an_earlier_release_reads(name, loss):
    whole = signed(stance=Stance(Role.ACTIVE, name=name), loss=loss)
    assert packet.fault(whole, Keyring(KEY)) == ""
    said = packet.read(whole)[1]
    assert (said.stance, said.loss) == (Stance(Role.ACTIVE, name=name), loss)
    # It passes over what comes after the loss.
    assert int.from_bytes(whole[FIXED : FIXED + 7]) == loss
    assert whole[:FIXED] == signed(stance=Stance(Role.ACTIVE), loss=loss)[:FIXED]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (b"\x01\x02gw", "gw"), (b"\x07\x03abc\x01\x02gw", "gw"), (b"", ""), (b"\x01\x00", ""),
        (b"\x01\x09gw", ""), (b"\x01", ""), (b"\x01\x02gw\x01\x02gw", ""),
        (b"\x01\x07\x1b[2Jg\nw", "[2Jgw"), (b"\x01\x03g\xffw", "g\ufffdw"),
        (b"\x01\x50" + b"g" * 80, "g" * 61 + "…"),
    ],
)  # fmt: skip
def test_a_name_that_is_none_costs_no_packet(fields, name):
    body = signed(loss=77)[:-16] + fields
    whole = body + Keyring(KEY).sign(packet.PURPOSE + body)
    said = packet.read(whole)[1]
    assert (said.stance.name, said.loss) == (name, 77)


def test_both_ends_know_the_name_of_the_other():
    world = World()
    world.stance = {end: Stance(name=f"gw-{end}") for end in ENDS}
    world.run(1)
    assert [world.ends[end].far.stance.name for end in ENDS] == ["gw-b", "gw-a"]


def test_a_frame_of_the_pair_with_the_same_key_is_no_packet():
    body = signed()[:-16]
    assert World().ends["a"].take(body + Keyring(KEY).sign(body), 1.0) == "mac"
