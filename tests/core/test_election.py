import pytest

from havpn_core.rules.hysteresis import Level, Outcome, PathRules, Verdict
from havpn_core.rules.role import Assumption, PathView, Role, may_serve, starting_level, wanted_role

UP = PathView(Level.UP, known=True, heard=True)
DOWN = PathView(Level.DOWN, known=True, heard=True)
BETTER = PathView(Level.DOWN, known=True, heard=True, recovering=True)
RISING = PathView(Level.UP, known=True, heard=True, recovering=True)
SILENT = PathView(Level.UP, known=False, heard=False)
A, S = Role.ACTIVE, Role.STANDBY


@pytest.mark.parametrize(
    ("paths", "on_any", "on_all"),
    [
        ([UP], A, A),
        ([DOWN], S, S),
        ([UP, DOWN], S, A),
        ([DOWN, DOWN], S, S),
        ([SILENT], None, None),
        ([SILENT, UP], None, A),
        ([SILENT, DOWN], S, None),
        ([], A, A),
    ],
)
def test_role_wanted_of_the_paths(paths, on_any, on_all):
    assert wanted_role(paths, give_up_on="any") is on_any
    assert wanted_role(paths, give_up_on="all") is on_all


@pytest.mark.parametrize(
    ("paths", "on_any", "on_all"),
    [
        ([UP], True, True),
        ([RISING], True, True),
        ([BETTER], True, True),
        ([DOWN], False, False),
        ([UP, BETTER], True, True),
        ([UP, DOWN], False, True),
        ([BETTER, DOWN], False, True),
        ([DOWN, DOWN], False, False),
        ([SILENT], True, True),
        ([], True, True),
    ],
)
def test_a_gateway_serves_better_than_none_where_its_paths_get_replies(paths, on_any, on_all):
    assert may_serve(paths) is on_any
    assert may_serve(paths, give_up_on="any") is on_any
    assert may_serve(paths, give_up_on="all") is on_all


def test_the_other_role():
    assert (A.other, S.other) == (S, A)


def test_unknown_path_keeps_its_role_unless_told_otherwise():
    lost = PathView(Level.UP, known=False, heard=True)
    assert wanted_role([lost]) is A
    assert wanted_role([PathView(Level.UP, False, True, release_unknown=True)]) is S
    assert wanted_role([PathView(Level.DOWN, False, True)]) is S


@pytest.mark.parametrize(
    ("samples", "after"),
    [
        ([], True),
        ([(Outcome.OK, Verdict.RECOVERING)] * 9, True),
        ([(Outcome.OK, Verdict.RECOVERING), (Outcome.OK, Verdict.UP)], False),
        ([(Outcome.OK, Verdict.UP)], False),
        ([(Outcome.FAIL, Verdict.DOWN)] * 2, True),
        ([(Outcome.FAIL, Verdict.DOWN)] * 3, False),
        (
            [
                (Outcome.FAIL, Verdict.DOWN),
                (Outcome.FAIL, Verdict.DOWN),
                (Outcome.OK, Verdict.RECOVERING),
                (Outcome.FAIL, Verdict.DOWN),
            ],
            True,
        ),
        (
            [
                (Outcome.FAIL, Verdict.DOWN),
                (Outcome.REFUSED, Verdict.DOWN),
                (Outcome.ERROR, Verdict.DOWN),
                (Outcome.FAIL, Verdict.DOWN),
            ],
            True,
        ),
        (
            [
                (Outcome.FAIL, Verdict.DOWN),
                (Outcome.FAIL, Verdict.DOWN),
                (Outcome.REFUSED, Verdict.DOWN),
                (Outcome.FAIL, Verdict.DOWN),
            ],
            True,
        ),
        ([(Outcome.REFUSED, Verdict.UNKNOWN)] * 99, True),
        (
            [(Outcome.FAIL, Verdict.DOWN), (Outcome.OK, Verdict.RECOVERING)] * 12
            + [(Outcome.OK, Verdict.RECOVERING)],
            True,
        ),
        ([(Outcome.FAIL, Verdict.DOWN), (Outcome.OK, Verdict.RECOVERING)] * 13, False),
    ],
)
def test_a_level_is_assumed_until_samples_say_more(samples, after):
    rules = PathRules(fall=3, rise=10, stale_s=10.0)
    made, never = Assumption(rules, holds=True), Assumption(rules, holds=False)
    assert (made.holds, never.holds) == (True, False)
    for outcome, verdict in samples:
        made.take(outcome, verdict)
        never.take(outcome, verdict)
    assert (made.holds, never.holds) == (after, False)
    for _ in range(3):
        made.take(Outcome.FAIL, Verdict.DOWN)
    made.take(Outcome.OK, Verdict.RECOVERING)
    assert not made.holds, "it ends for good"


@pytest.mark.parametrize(
    ("remembered", "expected", "observed", "busy", "level"),
    [
        (None, None, A, False, Level.UP),
        (None, None, S, False, Level.DOWN),
        (None, None, None, False, Level.UP),
        (Level.DOWN, S, S, False, Level.DOWN),
        (Level.DOWN, S, A, False, Level.UP),  # the boot took it back: adopt
        (Level.DOWN, S, A, True, Level.DOWN),  # killed during `heartbeat stop`: go on
        (Level.DOWN, None, None, False, Level.DOWN),
        (Level.UP, A, S, False, Level.UP),
        (Level.UP, A, A, False, Level.UP),
    ],
)
def test_starting_level(remembered, expected, observed, busy, level):
    assert starting_level(remembered, expected, observed, busy=busy) is level
