"""From a line's past to the shortest silence that keeps a target, without a clock."""

import json
import math
import random

import pytest

from havpn_core.rules.target.bounds import poisson_upper, wilson_upper
from havpn_core.rules.target.frequency import Frequency
from havpn_core.rules.target.lookback import Lookback
from havpn_core.rules.target.record import LOSS_HALF_LIFE_S, SPELL_HALF_LIFE_S, Record
from havpn_core.rules.target.rule import (
    ONE_WAY,
    ROUND_TRIP,
    Pace,
    Target,
    derive,
    most_fall,
    run_length,
    run_rate,
)
from havpn_core.rules.target.spells import BINS, Spells, Tail, bin_of, tail_of
from havpn_core.rules.target.words import often, sentence

HUNDRED_H = 1 / 360_000
FAST = Pace(0.025, 0.005, 0.016)
BALANCED = Pace(0.5, 0.08, 0.051)
CALM = Target(HUNDRED_H, ROUND_TRIP, 8.0)


def seen(probes=0, lost=0, spells=(), watched_s=0.0):
    record = Record()
    record.count(probes, lost, watched_s)
    for length_s in spells:
        record.spell(length_s)
    return record


# --- how it is written --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "every_s"),
    [
        ("1/100h", 360_000),
        ("0.5/h", 7200),
        ("1/30d", 2_592_000),
        ("2 / 1 m", None),
        ("1/2m", 120),
        (" 1/100h ", 360_000),
        ("1/60s", 60),
    ],
)
def test_a_frequency_is_read(text, every_s):
    if every_s is None:
        with pytest.raises(ValueError, match="once in 30 s: write one from once in 60 s"):
            Frequency.parse(text)
        return
    found = Frequency.parse(text)
    assert 1 / found == pytest.approx(every_s)
    assert str(found) == text.strip()


@pytest.mark.parametrize("value", ["", "100h", "1/0h", "0/h", "1/100", "-1/h", "1/h/h", 3, None])
def test_what_is_no_frequency_is_said_with_what_would_be(value):
    with pytest.raises(ValueError, match=r'no frequency: write "1/100h"'):
        Frequency.parse(value)


def test_a_frequency_too_rare_is_refused():
    with pytest.raises(ValueError, match="once in 1e\\+09 s"):
        Frequency.parse("1/20000d")


def test_a_frequency_made_of_a_number_has_a_text():
    assert str(Frequency(HUNDRED_H)) == "1/100h"


# --- bounds -------------------------------------------------------------------------------------


def test_wilson_is_what_the_formula_gives():
    # z = 1.645: (0.1 + 0.0135 + 1.645 sqrt(0.0009 + 0.0000677)) / 1.02706
    assert wilson_upper(10, 100) == pytest.approx(0.16036, abs=1e-4)
    assert wilson_upper(0, 1000) == pytest.approx(0.0027, abs=1e-4)
    assert wilson_upper(0, 0) == 1
    assert wilson_upper(5, 5) == pytest.approx(1)
    assert poisson_upper(4) == 6


def test_in_19_of_20_samples_the_bound_is_above_the_truth():
    chance = random.Random(1)
    above = sum(
        wilson_upper(sum(chance.random() < 0.05 for _ in range(400)), 400) > 0.05
        for _ in range(1000)
    )
    assert 925 <= above <= 975


# --- spells -------------------------------------------------------------------------------------


def test_bins_grow_by_a_factor_and_hold_what_is_beyond():
    assert (bin_of(0), bin_of(0.001), bin_of(0.0011), bin_of(0.00142)) == (0, 0, 1, 2)
    assert bin_of(60) < BINS - 1
    assert bin_of(1e6) == BINS - 1


def test_the_tail_of_exponential_spells_is_found():
    chance, spells = random.Random(3), Spells()
    for _ in range(2000):
        spells.add(chance.expovariate(1 / 0.5))
    tail = tail_of(spells, Spells(), 0.4, 36_000)
    beyond = 2000 * math.exp(-0.8)
    assert tail.mean_s == pytest.approx(0.5, rel=0.12)
    assert tail.per_s == pytest.approx(beyond / 36_000, rel=0.12)
    # T = tau ln(b/L), from the threshold on
    assert tail.silence_s(HUNDRED_H) == pytest.approx(
        0.4 + tail.mean_s * math.log(tail.per_s / HUNDRED_H)
    )
    assert tail.rate(tail.silence_s(HUNDRED_H)) == pytest.approx(HUNDRED_H)
    assert tail.rate(0.1) == tail.per_s


def test_spells_that_are_rarer_than_the_target_need_no_silence():
    assert Tail(0.2, HUNDRED_H / 2, 1.0).silence_s(HUNDRED_H) == 0.2
    assert tail_of(Spells(), Spells(), 0.2, 100).per_s == 0


def alike(number, length_s=0.3):
    spells = Spells()
    for _ in range(number):
        spells.add(length_s)
    return spells


def test_few_spells_count_for_more_than_their_length():
    tail = tail_of(alike(4), Spells(), 0.1, 3600)
    assert tail.mean_s == pytest.approx(0.3)  # an excess of 0.2, and a deviation
    assert tail.per_s == pytest.approx(6 / 3600)
    assert alike(4).longest_s == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("ended", "given_up", "counted"),
    [(2, 0, 0), (3, 0, 3), (0, 149, 0), (2, 100, 0), (3, 12, 15), (3, 13, 0), (0, 150, 150)],
)
def test_outages_are_no_spells_unless_others_end_or_they_are_many(ended, given_up, counted):
    tail = tail_of(alike(ended), alike(given_up, 0.7), 0.1, 3600)
    assert tail.per_s == pytest.approx(poisson_upper(counted) / 3600)


def test_what_is_shorter_plays_no_part_in_that():
    assert tail_of(alike(3, 0.05), alike(1, 0.7), 0.1, 3600).per_s == 0


def test_faded_spells_are_forgotten_at_last():
    spells = Spells()
    spells.add(0.3)
    spells.fade(0.5)
    assert (sum(spells.counts), sum(spells.sums_s)) == (0.5, 0.15)
    spells.fade(0.03)
    assert (spells.counts, spells.longest_s) == ([0.0] * BINS, 0.0)


# --- the record ---------------------------------------------------------------------------------


def test_a_new_record_is_that_of_a_clean_line():
    record = Record()
    assert (record.loss, record.jitter_s, record.spells.longest_s) == (0, 0, 0)
    assert record.loss_upper == pytest.approx(0.0027, abs=1e-4)
    assert derive(CALM, FAST, record).fall == ROUND_TRIP


def test_loss_fades_in_hours_and_spells_in_days():
    record = seen(10_000, 1000, [0.5], 7200.0)
    assert not record.age(100.0)
    assert not record.age(109.0)
    assert record.age(100.0 + LOSS_HALF_LIFE_S)
    assert (record.probes, record.lost) == (pytest.approx(5000), pytest.approx(500))
    assert record.loss == pytest.approx(0.1)
    assert sum(record.spells.counts) > 0.97
    record.age(100.0 + SPELL_HALF_LIFE_S)
    assert sum(record.spells.counts) == pytest.approx(0.5)
    assert record.watched_s == pytest.approx(3600)


def test_jitter_is_that_of_rfc_3550():
    record = Record()
    record.trip(0.010)
    assert record.jitter_s == 0
    record.trip(0.026)
    assert record.jitter_s == pytest.approx(0.001)
    record.trip(0.026, times=3)
    assert record.jitter_s == pytest.approx(0.001 * (15 / 16) ** 3)


def test_a_record_outlives_json():
    record = seen(5000, 50, [0.03, 0.5, 0.51, 3.0], 7200.0)
    record.trip(0.01)
    record.trip(0.02)
    again = Record.from_builtins(json.loads(json.dumps(record.to_builtins())))
    assert again.to_builtins() == record.to_builtins()
    assert derive(CALM, FAST, again) == derive(CALM, FAST, record)
    assert len(json.dumps(record.to_builtins())) < 300


def test_a_line_that_lost_all_is_a_record_too():
    assert Record.from_builtins(seen(5, 5).to_builtins()).loss == 1


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("version", 1, "version"),
        ("version", None, "version"),
        ("probes", -1, "probes"),
        ("probes", True, "probes"),
        ("lost", 1e300, "lost"),
        ("lost", 9e3, "more than"),
        ("watched_s", "x", "watched_s"),
        ("jitter_s", float("nan"), "jitter_s"),
        ("spells", None, "no list"),
        ("given_up", None, "given_up is no list"),
        ("spells", [[0, 1]], "list of three"),
        ("spells", [[0, 1, 1, 1]], "list of three"),
        ("spells", [["0", 1, 1]], "from 0 to"),
        ("spells", [[True, 1, 1]], "from 0 to"),
        ("spells", [[BINS, 1, 1]], "from 0 to"),
        ("spells", [[-1, 1, 1]], "from 0 to"),
        ("spells", [[0, -1, 1]], "count"),
        ("spells", [[0, 1, None]], "sum"),
    ],
)
def test_a_damaged_record_is_refused(key, value, said):
    good = seen(5000, 50, [0.5]).to_builtins()
    with pytest.raises(ValueError, match=said):
        Record.from_builtins(good | {key: value})


def test_what_is_no_record_is_refused():
    with pytest.raises(ValueError, match="no object"):
        Record.from_builtins([1])


# --- the rule -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "needed", "kept_by_12"),
    # n for one in 100 h at 25 ms, and false switches an hour with fall = 12
    [
        (0.001, 3, 0),
        (0.01, 4, 0),
        (0.05, 6, 3.34e-11),
        (0.1, 8, 1.3e-7),
        (0.2, 11, 4.7e-4),
        (0.3, 14, 0.054),
    ],
)
def test_the_run_rule_is_that_of_the_theory(loss, needed, kept_by_12):
    assert run_length(loss, 40, HUNDRED_H) == needed
    assert run_rate(12, loss, 40) * 3600 == pytest.approx(kept_by_12, rel=0.05, abs=1e-12)


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.1, 0.2, 0.36, 0.5])
def test_the_least_run_keeps_the_target_and_one_less_does_not(loss):
    least = run_length(loss, 40, HUNDRED_H)
    assert run_rate(least, loss, 40) <= HUNDRED_H < run_rate(least - 1, loss, 40)


@pytest.mark.parametrize("loss", [0.05, 0.0975, 0.19, 0.36])
def test_most_spans_of_the_target_pass_without_a_false_switch_by_chance(loss):
    """Of both ends of a line in 100 h at the most one in ten spans has one."""
    found = derive(CALM, FAST, seen(100_000, 100_000 * loss))
    assert 2 * run_rate(found.fall, loss, FAST.chances(loss)) * 360_000 < 0.1


def test_the_edges_of_the_run_rule():
    assert run_length(0, 40, HUNDRED_H) == 1
    assert run_length(0.5, 1e-9, HUNDRED_H) == 1


def test_never_fewer_than_the_bound_and_never_beyond_the_ceiling():
    clean = Record()
    ten_ms = Pace(0.010, 0.010, 0.025)
    assert derive(Target(HUNDRED_H, ONE_WAY, 1.0), ten_ms, clean).fall == 5
    assert derive(CALM, ten_ms, clean).fall == 6
    dead = seen(10_000, 9900)
    found = derive(Target(HUNDRED_H, ROUND_TRIP, 0.05), FAST, dead)
    assert (found.fall, found.kept) == (11, False)  # 10 x 5 ms
    assert derive(CALM, FAST, dead).fall == most_fall(CALM, FAST) > 20


def test_a_burst_that_sends_ahead_of_long_round_trips_begins_more_runs():
    far = Pace(0.025, 0.005, 0.095)
    assert far.chances(0) == FAST.chances(0) == 40
    assert far.chances(0.3) == pytest.approx(40 * (1 + 0.3 * 19))
    assert far.chances(0.3) > FAST.chances(0.3) > 40
    assert Pace(0.5, 0.5, 0.3).chances(0.3) == 2  # no burst sends ahead
    sick = seen(100_000, 30_000)
    assert derive(CALM, far, sick).fall >= derive(CALM, FAST, sick).fall


def test_spells_ask_for_a_silence_and_the_estimate_says_what_remains():
    line = seen(10_000, 10, [0.3] * 20, 36_000)
    found = derive(CALM, FAST, line)
    assert (found.fall, found.kept) == (ROUND_TRIP, True)
    assert found.floor_s > 0.3
    assert found.silence_s == pytest.approx(found.floor_s + 0.016)
    assert found.per_s == pytest.approx(HUNDRED_H / 2, rel=0.01)
    short = derive(Target(HUNDRED_H, ROUND_TRIP, 0.2), FAST, line)
    assert (short.floor_s, short.kept) == (0.2, False)
    assert short.per_s > found.per_s


def test_a_silence_that_the_run_takes_anyway_is_no_floor():
    found = derive(CALM, BALANCED, seen(10_000, 10, [0.1] * 20, 36_000))
    assert (found.fall, found.floor_s) == (6, 0)


def test_the_floor_of_the_profile_holds_on_a_clean_line():
    found = derive(Target(HUNDRED_H, ROUND_TRIP, 8.0, 0.5), FAST, Record())
    assert (found.floor_s, found.silence_s) == (0.5, pytest.approx(0.516))


# --- the last moments ---------------------------------------------------------------------------


def test_a_second_loss_soon_after_the_first_raises_the_fall_at_once():
    lookback, clean = Lookback(), Record()

    def fall():
        return derive(CALM, FAST, clean, lookback.loss).fall

    lookback.take(lost=True)
    assert fall() == 13
    lookback.take(lost=False)
    lookback.take(lost=True)
    assert fall() == 18
    lookback.take(lost=False, times=60)
    assert fall() == ROUND_TRIP


def test_the_worst_of_four_lengths_counts():
    for times, share in ((1, 1 / 5), (5, 1 - 0.8**5)):
        lookback = Lookback()
        lookback.take(lost=True, times=times)
        assert lookback.loss == pytest.approx(share)
    lookback.take(lost=False, times=500)
    faint = (1 - (511 / 512) ** 5) * (511 / 512) ** 500
    assert lookback.loss == pytest.approx(faint)
    middle = Lookback()
    middle.take(lost=True, times=10)
    middle.take(lost=False, times=20)
    assert middle.loss == pytest.approx((1 - (23 / 24) ** 10) * (23 / 24) ** 20)
    middle.take(lost=False, times=80)
    assert middle.loss == pytest.approx((1 - (95 / 96) ** 10) * (95 / 96) ** 100)


def test_many_at_once_are_as_one_by_one():
    one, many = Lookback(), Lookback()
    for lookback in (one, many):
        lookback.take(lost=True, times=5)
    for _ in range(30):
        one.take(lost=False)
    many.take(lost=False, times=30)
    assert one.loss == pytest.approx(many.loss)


# --- words --------------------------------------------------------------------------------------


def test_the_sentence_says_when_and_why():
    line = seen(100_000, 300, [0.2] * 3, 360_000)
    found = sentence(derive(CALM, FAST, line), line, CALM)
    assert found == (
        "gives up after 0.69 s of silence: loss 0.3 %, spells to 0.2 s; about 1 false switch in "
        "200 h"
    )


def test_the_sentence_of_a_clean_line():
    assert sentence(derive(CALM, FAST, Record()), Record(), CALM) == (
        "gives up after 0.041 s of silence: loss 0 %, no spells; less than 1 false switch in "
        "10000 h"
    )


def test_the_sentence_of_a_line_that_keeps_no_target():
    line, target = seen(100_000, 300, [0.5] * 300, 36_000), Target(HUNDRED_H, ROUND_TRIP, 1.0)
    assert sentence(derive(target, FAST, line), line, target).endswith(
        "false switches an hour, more than wanted: no silence over 1 s is waited for"
    )


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0.01, "about 1e+02 false switches an hour"),
        (0.5, "about 2 false switches an hour"),
        (1, "about 1 false switch in 1 h"),
        (9.94, "about 1 false switch in 9.9 h"),
        (10.6, "about 1 false switch in 11 h"),
        (244, "about 1 false switch in 240 h"),
        (1234, "about 1 false switch in 1230 h"),
        (9999, "about 1 false switch in 10000 h"),
        (10001, "less than 1 false switch in 10000 h"),
    ],
)
def test_how_often_is_said_in_hours(hours, text):
    assert often(1 / (hours * 3600)) == text


def test_never_is_less_than_the_least():
    assert often(0) == "less than 1 false switch in 10000 h"
