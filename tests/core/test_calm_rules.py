"""A path that keeps a target, on a virtual clock: short where the line is clean, calm where not."""

import random

import pytest

from havpn_core.config.instances import PathConfig
from havpn_core.config.options import PathOptions
from havpn_core.rules.calm import Calm, Steady
from havpn_core.rules.hysteresis import Level, Outcome, Verdict
from havpn_core.rules.target.record import Record
from havpn_core.rules.watch import Watch
from havpn_core.study.loss import Changing, GilbertElliott, Independent, Periodic
from havpn_core.study.montecarlo import Course, summarise
from havpn_core.timing.promised import timing
from tests.core.profile import targeted as profile

OK, FAIL, ERROR, REFUSED = Outcome.OK, Outcome.FAIL, Outcome.ERROR, Outcome.REFUSED


def watched(name="fast", record=None, **changes):
    return Watch(profile(name, **changes).settings, 1, Level.UP, 0.0, known=True, record=record)


def feed(watch, outcomes, latency_s=0.001):
    """Send one probe after another, each at its time, and give each its outcome at once."""
    for outcome in outcomes:
        now = watch.send_s
        sent = watch.send(now)
        watch.reply(sent, 0, outcome, now_s=now, latency_s=latency_s if outcome is OK else None)
    return watch


# --- what the options say -----------------------------------------------------------------------


def test_a_balanced_path_with_a_fall_by_hand_is_as_it_was_before_there_were_targets():
    options = profile("balanced", fall=17)
    assert (float(options.confirm), float(options.window), options.window_min) == (0.25, 60.0, 60)
    chosen = profile("balanced", fall=9, window="2m")
    assert (chosen.fall, float(chosen.window), float(chosen.confirm)) == (9, 120.0, 0.25)


def test_article_and_a_fall_by_hand_have_no_target():
    assert type(watched("article").calm) is Steady
    assert not watched(fall=12).calm.applies
    assert isinstance(watched().calm, Calm)


@pytest.mark.parametrize(
    ("name", "fall", "confirm"), [("fast", 9, 0.005), ("balanced", 17, 0.25), ("article", 6, None)]
)
def test_who_writes_fall_keeps_what_the_profile_was_without_a_target(name, fall, confirm):
    options = profile(name, fall=fall, **({} if name == "article" else {"false_switches": "1/h"}))
    assert (options.fall, options.confirm, options.false_switches) == (fall, confirm, None)


def test_a_floor_above_the_ceiling_is_refused():
    with pytest.raises(ValueError, match="floor: must not be above ceiling"):
        PathOptions(interval=1.0, timeout=1.0, fall=3, rise=3, floor=9.0)


# --- the rules in force -------------------------------------------------------------------------


def test_a_clean_line_is_given_up_after_the_least_fall():
    watch = feed(watched(), [OK] * 100 + [FAIL] * 6)
    assert watch.state.verdict is Verdict.FAILING
    assert feed(watch, [FAIL]).state.level is Level.DOWN


def test_the_fall_rises_between_runs_and_never_in_one():
    watch = feed(watched(), [OK] * 100 + [FAIL, OK, FAIL, FAIL, OK])
    raised = watch.rules.fall
    assert raised > 12
    feed(watch, [FAIL] * (raised - 1))
    assert (watch.rules.fall, watch.state.verdict) == (raised, Verdict.FAILING)
    assert feed(watch, [FAIL]).state.level is Level.DOWN
    assert feed(watched(), [OK] * 100 + [FAIL, OK, FAIL, FAIL, OK] + [OK] * 100).rules.fall == 7


def test_what_could_not_be_tested_says_nothing_of_the_line():
    watch = feed(watched(), [OK] * 10 + [ERROR] * 50)
    assert (watch.calm.record.probes, watch.calm.record.lost, watch.rules.fall) == (10, 0, 7)


def test_a_refusal_ends_a_run_of_losses():
    watch = feed(watched(), [OK] * 10 + [FAIL] * 2 + [REFUSED])
    assert watch.calm.record.probes == 11  # of a burst only the first counts
    assert watch.calm.record.lost == 1


def test_the_silence_of_a_dead_line_is_neither_loss_nor_a_spell():
    watch = feed(watched(), [OK] * 40 + [FAIL] * 400 + [OK])
    assert (watch.calm.record.lost, watch.calm.record.spells.longest_s) == (0, 0)


def test_cuts_are_noticed_as_fast_however_soon_they_heal():
    """Whoever tries it out cuts a line for some tenths of a second, again and again."""
    watch = feed(watched(rise=3, damping=False), [OK] * 40)
    for _ in range(100):
        began = watch.send_s
        feed(watch, [FAIL] * 7)
        assert watch.state.level is Level.DOWN and watch.send_s - began < 0.08
        feed(watch, [FAIL] * 2 + [OK] * 40)
        assert watch.state.level is Level.UP and watch.rules.floor_s == 0
    assert watch.calm.record.lost == 0
    assert watch.calm.record.given_up.longest_s > 0.05


def test_a_line_that_is_given_up_again_and_again_has_spells():
    watch = feed(watched("balanced", rise=3, damping=False), [OK] * 40)
    for _ in range(160):
        feed(watch, [FAIL] * 8 + [OK] * 4)
    assert watch.calm.limits.silence_s > 0.9
    assert feed(watch, [FAIL] * 8).state.verdict is Verdict.FAILING


def test_spells_that_end_by_themselves_are_learned_at_once():
    watch = feed(watched("balanced"), [OK] * 40)
    for _ in range(4):
        feed(watch, [FAIL] * 5 + [OK] * 40)
    assert watch.calm.record.spells.longest_s == pytest.approx(0.3, abs=0.26)
    assert watch.calm.record.lost < 2
    assert watch.rules.floor_s > 0.6


def test_the_floor_is_a_silence_and_no_number_of_probes():
    record = Record()
    for _ in range(5):
        record.spell(0.3)
    watch = feed(watched(record=record, ceiling="1s"), [OK] * 3)
    floor_s = watch.rules.floor_s
    assert floor_s > 0.3
    began = watch.send_s
    while watch.state.level is Level.UP:
        feed(watch, [FAIL])
    assert floor_s - 1e-6 <= watch.state.since_s - began <= floor_s + 0.03


def test_a_fault_of_this_host_teaches_nothing():
    watch = feed(watched(), [OK] * 40 + [FAIL] * 3)
    watch.block(watch.send_s, True)
    feed(watch, [FAIL] * 3)
    watch.block(watch.send_s, False)
    feed(watch, [OK] * 3)
    assert (watch.calm.record.lost, watch.calm.record.spells.longest_s) == (0, 0)
    assert watch.calm.limits.fall == 7


def test_a_late_reply_ends_the_run():
    watch = feed(watched(), [OK] * 40)
    sent = watch.send(watch.send_s)
    now = watch.deadline_s
    watch.judge(now)
    assert watch.state.verdict is Verdict.FAILING
    watch.reply(sent, 0, OK, now_s=now + 0.01, latency_s=0.03)
    assert watch.state.verdict is Verdict.UP
    assert watch.calm.record.lost == 1


def test_what_is_skipped_is_learned_as_if_it_were_sent():
    one, many = feed(watched(), [OK] * 1001), feed(watched(), [OK])
    many.skip(1000, 0.001)
    for key in ("probes", "lost", "watched_s"):
        assert getattr(one.calm.record, key) == pytest.approx(
            getattr(many.calm.record, key), rel=0.01
        )
    assert one.rules == many.rules


def test_a_probe_in_a_thread_has_the_pace_of_its_timeout():
    watch = watched()
    watch.take_turns([0])
    assert watch.calm.now.silence_s > 5 * 0.35


def test_the_sentence_uses_the_round_trips_of_now():
    watch = feed(watched(), [OK] * 200)
    assert watch.calm.text().startswith("gives up after 0.046 s of silence: loss 0 %, no spells;")


# --- on lines -----------------------------------------------------------------------------------


def cut(name, loss=0.0, rtt_s=0.001):
    chance = random.Random(5)
    line = Independent(loss, chance)
    return summarise(profile(name).settings, line, hours=0.01, chance=chance, rtt_s=rtt_s, cuts=40)


def test_a_cut_of_a_clean_line_is_noticed_in_no_time():
    assert cut("fast").percentile_s(1) < 0.080
    assert cut("balanced").percentile_s(1) < 1.0


@pytest.mark.parametrize(("loss", "times"), [(0.2, 200), (0.36, 400)])
def test_a_clean_line_that_becomes_lossy_is_not_given_up(loss, times):
    """A round trip that loses 36 % loses 20 % on each way; benchmarks.calm does it more often."""
    settings, false = profile("fast").settings, 0
    for seed in range(times):
        line = Changing(Independent(0, random.Random(0)), Independent(loss, random.Random(seed)), 9)
        course = Course(settings, line, 0.001)
        course.run(10.5)
        false += course.switches > 0
    assert false <= times / 100


@pytest.mark.parametrize("name", ["fast", "balanced"])
@pytest.mark.parametrize("each_way", [0.01, 0.05, 0.1, 0.2])
def test_loss_by_chance_moves_nothing(name, each_way):
    hours = 0.1 if name == "fast" else 1
    line = Independent(1 - (1 - each_way) ** 2, random.Random(11))
    course = Course(profile(name).settings, line, 0.001)
    course.run(hours * 3600)
    assert course.switches == 0
    assert course.watch.calm.limits.kept


def test_balanced_rides_out_the_spells_that_it_has_learned():
    line = GilbertElliott(0.05, 0.5, random.Random(7))
    course = Course(profile("balanced").settings, line, 0.001)
    course.run(2 * 3600)
    learning = course.switches
    assert 0 < learning < 20
    course.run(12 * 3600)
    assert course.switches == learning
    assert 4.0 < course.watch.rules.floor_s <= 8.0
    assert "spells to" in course.watch.calm.text()


def test_fast_rides_out_no_silence_above_its_ceiling():
    course = Course(profile("fast").settings, Periodic(30, 0.5, 20.0), 0.001)
    course.run(600)
    assert course.watch.calm.limits.floor_s <= 1.0
    course.run(610, 601.0)
    assert course.watch.state.level is Level.DOWN


# --- what is promised ---------------------------------------------------------------------------


def promised(name, **changes):
    return timing(PathConfig("vpn1", profile(name, **changes), ()), [])


def test_check_promises_the_times_of_a_clean_line_and_says_what_puts_them_off():
    assert promised("fast")[1:3] == [
        "  detection within 475ms, within 82ms on a line of 1ms",
        "  that is on a clean line; its loss and silent spells put it off by what false_switches = "
        '"1/100h" needs, to 250ms of silence at the most',
    ]
    assert promised("balanced")[1] == "  detection within 2.65s, within 852ms on a line of 1ms"
    assert "floor" not in promised("fast")[1]
    assert promised("fast", floor="200ms")[1].endswith("within 257ms on a line of 1ms")


def test_check_promises_the_times_of_a_fall_by_hand():
    assert promised("fast", fall=12)[1] == "  detection within 600ms, within 107ms on a line of 1ms"
    assert promised("fast", fall=12)[2].startswith("  fall = 12 is written, so the line's own past")
    assert not any("false_switches" in line for line in promised("fast", fall=5))
    assert promised("article")[2] == "  failback within 181s"
