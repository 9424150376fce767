"""The one wish of a gateway: what decides, in which order, and with which reason."""

from itertools import product

import pytest

from havpn_core.rules.hysteresis import Level
from havpn_core.rules.role import PathView, Role
from havpn_core.rules.wish import PairWish, Situation, Stopping, Wish, decide

UP = PathView(Level.UP, known=True, heard=True)
DOWN = PathView(Level.DOWN, known=True, heard=True)
NEW = PathView(Level.UP, known=False, heard=False)
GONE = PathView(Level.UP, known=False, heard=True, release_unknown=True)

EVERYTHING = {
    "before": (None, Role.ACTIVE, Role.STANDBY),
    "paths": ({}, {"a": UP}, {"a": DOWN}, {"a": NEW}, {"a": UP, "b": DOWN}, {"a": GONE}),
    "give_up_on": ("any", "all"),
    "unfit": ("", "the LAN has no carrier"),
    "pair": (None, PairWish(None, "?"), PairWish(Role.ACTIVE, "p"), PairWish(Role.STANDBY, "q")),
    "forced": (None, Role.ACTIVE, Role.STANDBY),
    "paused": (False, True),
    "stopping": (None, Stopping.KEEP, Stopping.RELEASE),
}
SITUATIONS = [
    Situation(**dict(zip(EVERYTHING, values, strict=True)))
    for values in product(*EVERYTHING.values())
]


def test_nothing_brings_the_role_back_while_the_daemon_releases_it():
    wishes = {decide(s) for s in SITUATIONS if s.stopping is Stopping.RELEASE}
    assert wishes == {Wish(Role.STANDBY, "the daemon stops and releases the role")}


def test_nothing_is_carried_out_while_the_daemon_stops_and_keeps_the_role():
    for situation in SITUATIONS:
        if situation.stopping is Stopping.KEEP:
            wish = decide(situation)
            assert (wish.role, wish.held) == (situation.before, True)


def test_a_pause_or_a_pair_that_wants_nothing_yet_holds_whatever_was_wanted():
    for situation in SITUATIONS:
        if situation.stopping is None:
            waits = situation.pair is not None and situation.pair.role is None
            assert decide(situation).held is (situation.paused or waits)


def test_the_pair_decides_where_there_is_one():
    for situation in SITUATIONS:
        if situation.stopping is None and situation.pair is not None:
            wish = decide(situation)
            assert wish.role is (situation.pair.role or situation.before)
            assert wish.reason == situation.pair.reason


def test_where_nothing_is_known_the_role_before_stays():
    for situation in SITUATIONS:
        alone = situation.pair is None and situation.stopping is None and not situation.unfit
        if alone and situation.forced is None and situation.paths == {"a": NEW}:
            wish = decide(situation)
            assert wish.role is situation.before
            assert wish.reason == "nothing is known yet of path a"


def test_an_unfit_gateway_stands_by_even_if_it_is_forced():
    for situation in SITUATIONS:
        if situation.unfit and situation.pair is None and situation.stopping is None:
            assert decide(situation).role is Role.STANDBY


def test_a_force_beats_the_paths():
    for situation in SITUATIONS:
        alone = situation.pair is None and situation.stopping is None and not situation.unfit
        if alone and situation.forced is not None:
            assert decide(situation).role is situation.forced


@pytest.mark.parametrize(
    ("paths", "give_up_on", "role", "reason"),
    [
        ({"a": UP}, "any", Role.ACTIVE, "path a up"),
        ({"a": UP, "b": UP}, "any", Role.ACTIVE, "paths a, b up"),
        ({"a": DOWN}, "any", Role.STANDBY, "path a down"),
        ({"a": UP, "b": DOWN}, "any", Role.STANDBY, "path b down"),
        ({"a": UP, "b": DOWN}, "all", Role.ACTIVE, "path a up"),
        ({"a": DOWN, "b": DOWN}, "all", Role.STANDBY, "paths a, b down"),
        ({"a": GONE}, "any", Role.STANDBY, "path a unknown"),
        ({"a": DOWN, "b": GONE}, "any", Role.STANDBY, "path a down, path b unknown"),
        ({}, "any", Role.ACTIVE, "no path calls for standby"),
    ],
)
def test_the_paths_decide_and_are_named(paths, give_up_on, role, reason):
    assert decide(Situation(paths=paths, give_up_on=give_up_on)) == Wish(role, reason)


CAUSES = {"a": "line: no reply in 6 probes", "b": "tunnel: no reply in 12 probes"}


@pytest.mark.parametrize(
    ("paths", "causes", "reason"),
    [
        ({"a": DOWN}, CAUSES, "path a down: line: no reply in 6 probes"),
        ({"a": DOWN, "b": UP}, {"b": "old"}, "path a down"),
        (
            {"a": DOWN, "b": DOWN},
            CAUSES,
            "path a down: line: no reply in 6 probes; path b down: tunnel: no reply in 12 probes",
        ),
        ({"a": DOWN, "b": DOWN}, {"b": "x"}, "path a down; path b down: x"),
        ({"a": DOWN, "b": GONE}, {"b": "no name"}, "path a down; path b unknown: no name"),
        (
            dict.fromkeys("abcde", DOWN),
            dict.fromkeys("abcde", "x"),
            "path a down: x; path b down: x; path c down: x; 2 more down",
        ),
        (
            dict.fromkeys("abc", DOWN),
            dict.fromkeys("abc", "x"),
            "path a down: x; path b down: x; path c down: x",
        ),
        (dict.fromkeys("abcde", DOWN), {}, "paths a, b, c, d, e down"),
        ({"a": UP}, CAUSES, "path a up"),
    ],
)
def test_the_reason_says_why_a_path_is_not_up(paths, causes, reason):
    assert decide(Situation(paths=paths, causes=causes)).reason == reason


BEHIND = "; path a down: line: no reply in 6 probes"


@pytest.mark.parametrize(
    ("reason", "paths", "more"),
    [
        ("path down here, up on the partner", {"a": DOWN}, BEHIND),
        ("handed the role over: path recovering here, up on the partner", {"a": DOWN, "b": UP},
         BEHIND),
        ("path unknown here, up on the partner", {"a": DOWN}, BEHIND),
        ("path down here, up on the partner", {"a": UP}, ""),
        ("path down here, up on the partner", {"c": DOWN}, ""),
        ("the partner handed the role over: path down on the partner, up here", {"a": DOWN}, ""),
        ("the partner is silent on all links", {"a": DOWN}, ""),
        ("unfit here", {"a": DOWN}, "; lan has no carrier"),
    ],
)  # fmt: skip
def test_the_reason_of_a_pair_is_completed_with_what_only_this_gateway_knows(reason, paths, more):
    pair = PairWish(Role.STANDBY, reason)
    situation = Situation(paths=paths, pair=pair, causes=CAUSES, unable="lan has no carrier")
    assert decide(situation) == Wish(Role.STANDBY, reason + more)
    assert decide(Situation(paths=paths, pair=pair)) == Wish(Role.STANDBY, reason)


def test_every_wish_of_a_role_has_a_reason():
    for situation in SITUATIONS:
        wish = decide(situation)
        if wish.role is not situation.before:
            assert wish.reason
