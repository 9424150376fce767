"""How much a line loses, whether another loses clearly less, and how often that moves the role."""

import random
from math import comb

import pytest

from havpn_core.pair.lines.loss import (
    MARGIN,
    LossFacts,
    clearly_better,
    facts_of,
    no_worse,
    percent,
    words,
)
from havpn_core.pair.lines.record import ENOUGH, LEAST, LONGEST_S, SPAN_S, Record, Records, of_paths
from havpn_core.pair.lines.resting import NOWHERE, LineRules, LineState, kept, over_s
from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.target.loss import SURE, Loss, as_number, of_number, worst
from havpn_core.rules.vote import Kinds, Sent

OK, FAIL, ERROR, REFUSED = Outcome.OK, Outcome.FAIL, Outcome.ERROR, Outcome.REFUSED

# --- bounds and their comparison ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "samples", "clump", "low", "high"),
    [
        # lost, samples, clump: Wilson's bounds at 2.33, in per mille
        (0, 200, 1.0, 0.0, 26.4),
        (0, 40, 1.0, 0.0, 119.5),
        (200, 200, 1.0, 973.6, 1000.0),
        (20, 200, 1.0, 60.67, 160.52),
        (100, 200, 1.0, 418.7, 581.3),
        (72, 200, 1.0, 285.57, 441.83),
        (20, 200, 5.0, 33.61, 262.00),
        (0, 200, 5.0, 0.0, 119.5),
    ],
)
def test_the_bounds_are_wilsons(lost, samples, clump, low, high):
    loss = Loss(lost / samples, samples, clump)
    assert loss.low * 1000 == pytest.approx(low, abs=0.06)
    assert loss.high * 1000 == pytest.approx(high, abs=0.06)
    for bound in (loss.low, loss.high):  # what is so many deviations of its own away
        deviation = (bound * (1 - bound) * clump / samples) ** 0.5
        assert abs(loss.share - bound) == pytest.approx(2.33 * deviation)


def within(lost, samples, share):
    """Give the chance of at most so many losses."""
    return sum(comb(samples, k) * share**k * (1 - share) ** (samples - k) for k in range(lost + 1))


@pytest.mark.parametrize("lost", [0, 1, 5, 20, 72])
def test_a_line_that_loses_more_than_the_upper_bound_is_rare(lost):
    assert SURE == 2.33
    assert within(lost, 200, Loss(lost / 200, 200).high) <= 0.012


@pytest.mark.parametrize("lost", [20, 72])
def test_a_line_that_loses_less_than_the_lower_bound_is_rare(lost):
    """Of few losses the lower bound is less sure: the upper one makes up for it."""
    assert 1 - within(lost - 1, 200, Loss(lost / 200, 200).low) <= 0.02


@pytest.mark.parametrize(
    ("own", "partner", "moves"),
    [
        ((0.36, 200), (0.0, 200), True),
        ((0.19, 200), (0.0, 200), True),
        ((0.095, 800), (0.0, 800), True),
        ((0.095, 200), (0.0, 200), True),
        ((0.09, 200), (0.0, 200), True),  # half of 5.3 % is above 2.64 %, by a hair
        ((0.085, 200), (0.0, 200), False),
        ((0.36, 200), (0.10, 200), False),  # half of 28.6 % is below 16 %
        ((0.36, 200), (0.08, 200), True),
        ((0.10, 200), (0.10, 200), False),
        ((1.0, 200), (0.9, 200), False),
        ((0.027, 20000), (0.0, 20000), True),
        ((0.022, 20000), (0.0, 20000), False),  # far below half, and not worth two points
        ((0.026, 20000), (0.0, 1000), False),
        ((0.0, 200), (0.36, 200), False),
    ],
)
def test_a_partner_is_clearly_better_by_half_and_by_two_points(own, partner, moves):
    assert clearly_better(Loss(*own), Loss(*partner)) is moves


def test_losses_in_clumps_are_less_evidence_on_both_sides():
    """Five spells on a line, none on the other, within 20 s: two alike do that all the time."""
    assert clearly_better(Loss(0.125, 800), Loss(0.0, 800))
    assert not clearly_better(Loss(0.125, 800, 20.0), Loss(0.0, 800))
    assert not clearly_better(Loss(0.36, 200), Loss(0.0, 200, 20.0))
    assert clearly_better(Loss(0.36, 800, 2.0), Loss(0.0, 800))
    assert Loss(0.1, 200, 3.0).high_in(2.0) == Loss(0.1, 200, 3.0).high
    assert Loss(0.1, 200, 2.0).high_in(3.0) == Loss(0.1, 200, 3.0).high


@pytest.mark.parametrize("own", [None, Loss(0.9, 200)])
@pytest.mark.parametrize("partner", [None, Loss(0.0, 200)])
def test_what_is_not_known_is_not_fled_to_or_from(own, partner):
    known = own is not None and partner is not None
    assert clearly_better(own, partner) is known
    if not known:
        assert no_worse(own, partner, unknown=True) is True
        assert no_worse(own, partner, unknown=False) is False


def test_the_role_comes_back_to_a_line_that_is_at_most_two_points_above():
    assert MARGIN == 0.02
    clean = Loss(0.0, 800)
    for share, may in ((0.0, True), (0.01, True), (0.012, True), (0.014, False), (0.05, False)):
        assert no_worse(Loss(share, 800), clean, unknown=not may) is may, share
    edge = Loss(0.0, 200).high - MARGIN
    assert no_worse(Loss(0.0, 200), Loss(edge, 10**12), unknown=False)
    assert not no_worse(Loss(0.0, 200), Loss(edge - 1e-5, 10**12), unknown=True)


def test_of_several_lines_the_worst_counts_or_the_best_where_any_will_do():
    good, bad, new = Loss(0.0, 800), Loss(0.2, 800), Loss(0.0, 40)
    assert worst([good, bad, new]) is bad
    assert worst([good, new]) is new, "of which less is known"
    assert worst([bad, new, good], best=True) is good
    assert worst([good, None]) is None
    assert worst([]) is None
    assert worst([], best=True) is None
    assert of_paths([(good, True), (bad, False)], "any") is bad
    assert of_paths([(good, True), (None, False)], "any") is None
    assert of_paths([(good, True), (bad, True)], "all") is good
    assert of_paths([(good, False), (bad, True)], "all") is bad
    assert of_paths([(None, False), (bad, True)], "all") is bad
    assert of_paths([(None, True), (bad, True)], "all") is None


def test_a_reason_names_both_figures():
    assert words(Loss(0.34, 400), Loss(0.0, 400), "here", "on the partner") == (
        "loses 34 % here, at most 1.3 % on the partner"
    )
    assert words(Loss(0.34, 400, 2.0), Loss(0.0, 400), "here", "there").endswith("2.6 % there")
    for one, other in ((None, Loss(0.1, 200)), (Loss(0.1, 200), None)):
        assert words(one, other, "here", "there") == "the line here lost more than the one there"
    assert [percent(share) for share in (0.0, 0.0994, 0.1, 1.0)] == [
        "0.0 %",
        "9.9 %",
        "10 %",
        "100 %",
    ]


def test_the_status_shows_the_bounds():
    assert facts_of(None) is None
    assert facts_of(Loss(0.1, 200, 1.0, 0.12345)) == LossFacts(0.1, 0.0607, 0.1605, 200, 0.123)


def test_a_loss_is_seven_bytes():
    assert as_number(None) is None
    number = as_number(Loss(0.2, 800, 2.5, 1.5))
    assert number.to_bytes(7).hex() == "3333032000fa0f"
    assert as_number(Loss(0.8, 1)) >> 40 == 52428
    assert of_number(number) == Loss(0.2, 800, 2.5, 1.5)
    assert of_number(as_number(Loss(2.0, 10**9, 1e9, 1e9))) == Loss(1.0, 65535, 655.35, 25.5)
    assert of_number(as_number(Loss(-1.0, -1, -1.0, -1.0))) == Loss(0.0, 1, 1.0, 0.0)
    for wrong in ("33330000006400", "33330001006300"):
        with pytest.raises(ValueError, match="loss is that of nothing"):
            of_number(int(wrong, 16))


# --- the record of a line ----------------------------------------------------------------------


def recorded(outcomes, interval_s, *, record=None, start_s=0.0):
    """Record outcomes at a cadence, ``x`` for lost; gives the record and the time of the last."""
    record = record or Record(interval_s)
    at = start_s
    for number, each in enumerate(outcomes):
        at = start_s + number * interval_s
        record.take(at, lost=each == "x", up=True)
    return record, at


def test_something_is_known_from_200_probes_on_or_20_s():
    assert (ENOUGH, SPAN_S, LEAST, LONGEST_S) == (200, 20.0, 40, 60.0)
    record, at = recorded("." * 199, 0.025)
    assert record.found(at) is None
    record, at = recorded("." * 200, 0.025)
    assert record.found(at) == Loss(0.0, 200)
    record, at = recorded("." * 40, 0.5)
    assert record.found(at) is None, "19.5 s"
    record, at = recorded("." * 41, 0.5)
    assert record.found(at) == Loss(0.0, 41)
    record, at = recorded("." * 40, 0.5, start_s=100.0)
    assert record.found(at) is None
    record, at = recorded("." * 39, 1.0)
    assert record.found(at) is None, "20 s, but of few probes"
    record, at = recorded("." * 40, 1.0)
    assert record.found(at) == Loss(0.0, 40)
    assert Record(1.0).found(0.0) is None


def test_the_span_is_20_s_or_600_probes_but_never_over_a_minute():
    record, at = recorded("." * 1000, 0.025)
    assert record.found(at).samples == 800
    record, at = recorded("." * 1000, 0.05)
    assert record.found(at).samples == 600, "of 30 s"
    record, at = recorded("." * 1000, 0.125)
    assert record.found(at).samples == 480
    record, at = recorded("." * 1000, 0.5)
    assert record.found(at).samples == 120
    record, at = recorded("." * 1000, 1.0)
    assert record.found(at).samples == 60


@pytest.mark.parametrize(("interval_s", "fresh_s"), [(0.025, 3.0), (0.5, 3.0), (1.25, 3.75)])
def test_what_is_older_than_3_s_and_three_intervals_is_not_known(interval_s, fresh_s):
    record, at = recorded("." * 200, interval_s)
    assert record.found(at + fresh_s).age_s == fresh_s
    assert record.found(at + fresh_s + 0.001) is None
    assert record.found(at - 1.0).age_s == 0.0
    record.take(at + 100.0, lost=False, up=True)
    assert record.found(at + 100.0) is None, "what there was is too old by then"


def test_the_share_is_that_of_the_span():
    record, at = recorded("x" * 400 + "." * 600, 0.025)
    assert record.found(at).share == 200 / 800
    record, at = recorded("." * 800, 0.025, record=record, start_s=at + 0.025)
    assert record.found(at) == Loss(0.0, 800)
    record.take(at, lost=True, up=True)
    assert record.found(at).share == pytest.approx(1 / 801, rel=0.01), "not an old figure"


@pytest.mark.parametrize(
    ("outcomes", "clump"),
    [
        ("." * 200, 1.0),
        ("x" * 200, 1.0),
        ("x........." * 20, 1.0),
        ("xxxxx" + "." * 195, 5.0 * 195 / 205),
        (("xxxxx" + "." * 35) * 5, 5.0 * 175 / 225),
        ("xx.xx.x.x." * 20, 1.0),
        # runs of 9 and 1: a loss is in a mean run of 82 / 10
        ("xxxxxxxxx." + "x." + "." * 188, 8.2 * 190 / 210),
        ("x.xxxxxxxxx." + "." * 188, 8.2 * 190 / 210),
    ],
)
def test_the_clump_is_the_mean_run_of_losses_that_a_loss_is_in(outcomes, clump):
    """Less what it would be without clumps: (1 + share) / (1 - share)."""
    record, at = recorded(outcomes, 0.025)
    assert record.found(at).clump == pytest.approx(clump)


def test_a_run_that_leaves_the_span_gets_shorter():
    record, at = recorded("xxxxxxxx" + "." * 4 + "xx" + "." * 790, 0.025)
    assert record.found(at).share == pytest.approx(6 / 800)
    assert record.found(at).clump == pytest.approx((16 + 4) / 6 * 794 / 806)
    record, at = recorded("....", 0.025, record=record, start_s=at + 0.025)
    assert record.found(at).share == pytest.approx(2 / 800)
    assert record.found(at).clump == pytest.approx(2.0 * 798 / 802)
    record, at = recorded("xxx", 0.025, record=record, start_s=at + 0.025)
    assert record.found(at).clump == pytest.approx((4 + 9) / 5 * 795 / 805)


def test_of_lines_without_memory_the_clump_is_one():
    chance = random.Random(4)
    record = Record(0.025)
    seen = []
    for number in range(40_000):
        record.take(number * 0.025, lost=chance.random() < 0.36, up=True)
        if number % 800 == 799:
            seen.append(record.found(number * 0.025).clump)
    assert 1.0 <= sum(seen) / len(seen) < 1.1


def test_a_dead_line_is_no_line_that_loses():
    """What was before its death says nothing of the line that comes back; silence is no loss."""
    record, at = recorded("." * 400, 0.025)
    for number in range(1, 100):
        record.take(at + number * 0.025, lost=True, up=False)
        assert record.found(at + number * 0.025) is None
    back = at + 100 * 0.025
    record.take(back, lost=False, up=False)
    for number in range(1, 200):
        record.take(back + number * 0.025, lost=number % 10 == 0, up=number > 100)
    assert record.found(back + 199 * 0.025) == Loss(19 / 200, 200, 1.0)


def test_a_line_that_is_dead_at_the_start_begins_with_its_first_reply():
    record = Record(0.025)
    for number in range(300):
        record.take(number * 0.025, lost=True, up=False)
    assert record.found(7.5) is None
    for number in range(300, 500):
        record.take(number * 0.025, lost=False, up=False)
    assert record.found(12.475) == Loss(0.0, 200)


# --- the record of a path ----------------------------------------------------------------------


def sent_to(records, at, outcomes, *, regular=True, kinds=None, void=False):
    sent = records.send(Sent(at, len(outcomes), regular=regular, kinds=kinds))
    for position, outcome in enumerate(outcomes):
        if outcome is not None:
            found = sent.take(position, outcome, 1)
            sent.result = sent.result or found
    if void:
        sent.result = ERROR
    return sent


LINE = Kinds.of(("line",))


def filled(records, outcomes, times=200, **how):
    for number in range(times):
        sent_to(records, number * 0.025, outcomes, **how)
        records.look(number * 0.025, up=True)
    return records.found((times - 1) * 0.025)


@pytest.mark.parametrize(
    ("outcomes", "how", "share"),
    [
        ([OK], {}, 0.0),
        ([FAIL], {}, 1.0),
        ([FAIL, OK], {}, 0.0),
        ([FAIL, FAIL], {}, 1.0),
        ([FAIL, ERROR], {}, None),
        ([ERROR], {}, None),
        ([REFUSED], {}, None),
        ([OK], {"regular": False}, None),
        ([FAIL], {"void": True}, None),
        ([OK], {"void": True}, None),
        ([OK, FAIL], {"kinds": Kinds.of(["line", "tunnel"])}, 1.0),
        ([OK, OK], {"kinds": Kinds.of(["line", "tunnel"])}, 0.0),
        ([OK, REFUSED], {"kinds": Kinds.of(["line", "tunnel"])}, None),
    ],
)
def test_what_counts_of_a_path_is_what_its_probes_vote_for_each_kind(outcomes, how, share):
    found = filled(Records(how.get("kinds", LINE), 0.025), outcomes, **how)
    assert found == (None if share is None else Loss(share, 200))


def test_losses_count_in_the_order_in_which_they_were_sent():
    """A loss is known later than the replies to what was sent after it."""
    records = Records(LINE, 0.025)
    run = [sent_to(records, number * 0.025, [None]) for number in range(5)]
    for number in range(5, 200):
        sent_to(records, number * 0.025, [OK])
        records.look(5.0, up=True)
    assert records.found(5.0) is None
    for sent in run:
        sent.result = sent.take(0, FAIL, 1)
    records.look(5.0, up=True)
    assert records.found(5.0) == Loss(5 / 200, 200, pytest.approx(5 * 195 / 205))
    for number in range(200, 800):
        sent_to(records, number * 0.025, [OK])
        records.look(5.0, up=False)
    assert records.found(5.0) == Loss(0.0, 600), "since it was down"


# --- how often ---------------------------------------------------------------------------------

RULES = LineRules(rest_s=600.0)


@pytest.mark.parametrize(
    ("state", "partner_age_s", "now_s", "after"),
    [
        (NOWHERE, None, 1000.0, NOWHERE),
        (LineState(400.1, off=True), None, 1000.0, LineState(400.1, off=True)),
        (LineState(400.0, off=True), None, 1000.0, NOWHERE),
        (LineState(400.0, off=True), 300.0, 1000.0, LineState(700.0)),
        (NOWHERE, 0.0, 1000.0, LineState(1000.0)),
        (NOWHERE, 593.0, 1000.0, LineState(407.0)),
        (NOWHERE, 594.0, 1000.0, NOWHERE),
        (NOWHERE, 700.0, 1000.0, NOWHERE),
        # one's own memory counts, or the way of each frame would make the rest longer
        (LineState(900.0, off=True), 50.0, 1000.0, LineState(900.0, off=True)),
        (LineState(900.0), 0.0, 1000.0, LineState(900.0)),
    ],
)
def test_a_move_is_remembered_for_a_rest_by_both(state, partner_age_s, now_s, after):
    assert kept(RULES, state, partner_age_s, now_s) == after


def test_two_that_remind_each_other_forget_all_the_same():
    """Frames that take 150 ms, five a second, clocks that differ: the rest is one rest."""
    a, b, on_the_way, at = LineState(0.0, off=True), NOWHERE, [], 0.0
    while a.moved_s is not None or b.moved_s is not None or at < 600.0:
        for side in "ab":
            state = a if side == "a" else b
            on_the_way.append((at + 0.15, side, state.age_s(at)))
        at = round(at + 0.05, 3)
        for due in [each for each in on_the_way if each[0] <= at]:
            on_the_way.remove(due)
            if due[1] == "a":
                b = kept(RULES, b, due[2], at)
            else:
                a = kept(RULES, a, due[2], at)
        a, b = kept(RULES, a, None, at), kept(RULES, b, None, at)
        assert at < 601.0
    assert (a, b) == (NOWHERE, NOWHERE)


def test_what_a_state_says():
    assert NOWHERE.age_s(5.0) is None
    assert LineState(2.0).age_s(5.0) == 3.0
    assert not LineState(2.0).off
    assert LineState(2.0, off=True).back == LineState(2.0)
    assert over_s(RULES, LineState(2.0)) == 602.0
    assert over_s(RULES, NOWHERE) is None
    assert LineRules() == LineRules(on=True, rest_s=600.0)


# --- calm --------------------------------------------------------------------------------------


def skipping(chance, share, spell, count):
    """Give the losses of a line by the number of the probe, geometrically skipped."""
    lost, at = set(), 0
    while at < count:
        at += 1 + int(chance.expovariate(share / spell))
        lost.update(range(at, at + spell))
    return lost


@pytest.mark.parametrize(
    ("share", "interval_s", "spell"),
    [(0.1, 0.5, 1), (0.03, 0.5, 1), (0.05, 0.5, 1), (0.05, 1.0, 3)],
)
def test_two_lines_alike_never_move_the_role_in_100_hours(share, interval_s, spell):
    chance, count = random.Random(11), int(100 * 3600 / interval_s)
    a, b = Record(interval_s), Record(interval_s)
    lost_a, lost_b = (skipping(chance, share, spell, count) for _ in range(2))
    known = 0
    for number in range(count):
        at = number * interval_s
        a.take(at, lost=number in lost_a, up=True)
        b.take(at, lost=number in lost_b, up=True)
        if number % 7 == 0:
            ours, theirs = a.found(at), b.found(at)
            known += ours is not None
            assert not clearly_better(ours, theirs), (at, ours, theirs)
            assert not clearly_better(theirs, ours), (at, ours, theirs)
    assert known > count / 8


@pytest.mark.parametrize(
    ("share", "interval_s", "within_s"),
    [
        (0.36, 0.025, 6.0),
        (0.19, 0.025, 8.0),
        (0.0975, 0.025, 15.0),
        (0.36, 0.1, 14.0),
        (0.0975, 0.05, 29.0),
    ],
)
def test_a_line_that_becomes_bad_is_left_in_seconds(share, interval_s, within_s):
    for seed in range(20):
        chance, good, bad = random.Random(seed), Record(interval_s), Record(interval_s)
        change = int(60 / interval_s)
        for number in range(change + int(within_s / interval_s)):
            at = number * interval_s
            good.take(at, lost=False, up=True)
            bad.take(at, lost=number > change and chance.random() < share, up=True)
        assert clearly_better(bad.found(at), good.found(at)), seed
