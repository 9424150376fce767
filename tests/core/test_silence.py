"""When the responder is silent, and when two sites are on different lines for long."""

from itertools import product

import pytest

from havpn_core.echo.silence import (
    ANNOUNCED_S,
    LONG_APART_S,
    MAINTENANCE,
    NOTICE_S,
    ROAD,
    Apart,
    known_role,
    why_silent,
)
from havpn_core.rules.fitness import Fitness
from havpn_core.rules.role import Role

BAD = "forwarding of IPv4 is off"
WITNESSES = "no witness replies, and the partner is silent"
FIT = [Fitness(), Fitness(True), Fitness(None, reason="no witness is known")]
UNSURE = Fitness(False, reason=BAD)
CERTAIN = Fitness(False, certain=True, reason=WITNESSES)
FLAGS = list(product([False, True], repeat=2))


def silent(observed, fitness=FIT[0], *, maintenance=False, left_road=False):
    return why_silent(observed, fitness, maintenance=maintenance, left_road=left_road)


@pytest.mark.parametrize("observed", [Role.ACTIVE, None])
@pytest.mark.parametrize("fitness", [*FIT, UNSURE], ids=str)
@pytest.mark.parametrize(("maintenance", "left_road"), FLAGS)
def test_who_is_not_seen_to_stand_by_replies_whatever_else_it_is(
    observed, fitness, maintenance, left_road
):
    assert silent(observed, fitness, maintenance=maintenance, left_road=left_road) == ""


@pytest.mark.parametrize("observed", [None, *Role])
@pytest.mark.parametrize(("maintenance", "left_road"), FLAGS)
def test_certain_unfitness_silences_whoever_it_is(observed, maintenance, left_road):
    said = silent(observed, CERTAIN, maintenance=maintenance, left_road=left_road)
    assert said == WITNESSES


@pytest.mark.parametrize("fitness", FIT, ids=str)
@pytest.mark.parametrize(
    ("maintenance", "left_road", "why"),
    [
        (False, False, ""),
        (True, False, MAINTENANCE),
        (False, True, ROAD),
        (True, True, MAINTENANCE),
    ],
)
def test_why_a_standby_that_is_fit_or_does_not_know_it_is_silent(
    fitness, maintenance, left_road, why
):
    assert silent(Role.STANDBY, fitness, maintenance=maintenance, left_road=left_road) == why


@pytest.mark.parametrize(("maintenance", "left_road"), FLAGS)
def test_of_a_standby_that_is_unfit_that_is_the_reason(maintenance, left_road):
    said = silent(Role.STANDBY, UNSURE, maintenance=maintenance, left_road=left_road)
    assert said == BAD


@pytest.mark.parametrize("fit", [True, None])
def test_only_who_is_unfit_can_be_certain_of_it(fit):
    assert silent(Role.ACTIVE, Fitness(fit, certain=True, reason=BAD)) == ""
    assert silent(Role.STANDBY, Fitness(fit, certain=True, reason=BAD)) == ""


@pytest.mark.parametrize(
    ("observed", "certain"), [(Role.STANDBY, False), (Role.STANDBY, True), (Role.ACTIVE, True)]
)
def test_no_gateway_replies_for_want_of_a_reason(observed, certain):
    """An empty reason would read as a responder that replies."""
    assert silent(observed, Fitness(False, certain=certain)) == "unfit"


@pytest.mark.parametrize("seen", [True, False, None])
@pytest.mark.parametrize("observed", [None, *Role])
def test_what_is_observed_counts_where_it_is_no_advice(observed, seen):
    assert known_role(observed, advised=False, seen=seen) is observed


@pytest.mark.parametrize(
    ("observed", "seen", "role"),
    [
        (Role.STANDBY, True, Role.STANDBY),
        (Role.STANDBY, False, None),
        (Role.STANDBY, None, None),
        (Role.ACTIVE, True, Role.ACTIVE),
        (Role.ACTIVE, False, Role.ACTIVE),
        (None, True, None),
        (None, False, None),
    ],
)
def test_a_standby_that_is_advice_counts_while_another_is_seen_serving(observed, seen, role):
    assert known_role(observed, advised=True, seen=seen) is role


def test_nothing_that_a_path_says_takes_part():
    """Two sites that are silent for each other's silence would stay so for ever."""
    names = why_silent.__code__.co_varnames[: why_silent.__code__.co_argcount + 2]
    assert names == ("observed", "fitness", "maintenance", "left_road")


def test_the_times_are_these():
    assert (ANNOUNCED_S, NOTICE_S, LONG_APART_S) == (1.0, 1.0, 10.0)


# --- sites on different lines -------------------------------------------------------------------


def looked(*looks):
    """Give what is said at each look, which is a moment and whether the sites are apart."""
    apart = Apart()
    return [apart.look(each, at) for at, each in looks]


def test_that_they_are_apart_is_said_once_after_10_s():
    assert looked((5.0, True), (14.9, True), (15.0, True), (15.1, True), (99.0, True)) == [
        None, None, True, None, None,
    ]  # fmt: skip


def test_its_beginning_may_be_the_moment_0():
    assert looked((0.0, True), (9.9, True), (10.0, True)) == [None, None, True]


def test_its_end_is_said_once_where_its_beginning_was():
    assert looked((0.0, True), (10.0, True), (11.0, False), (12.0, False)) == [
        None, True, False, None,
    ]  # fmt: skip
    assert looked((0.0, False)) == [None]
    assert looked((0.0, True), (9.9, False), (10.0, False)) == [None, None, None]


def test_a_moment_together_begins_the_time_anew():
    assert looked((0.0, True), (9.0, False), (9.1, True), (19.0, True), (19.1, True)) == [
        None, None, None, None, True,
    ]  # fmt: skip


def test_what_is_over_is_said_again_when_it_comes_again():
    assert looked((0.0, True), (10.0, True), (11.0, False), (12.0, True), (22.0, True),
                  (23.0, False)) == [None, True, False, None, True, False]  # fmt: skip
