import pytest

from havpn_core.rules.hysteresis import Level
from havpn_core.rules.role import PathView, Role, may_serve, starting_level, wanted_role

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
