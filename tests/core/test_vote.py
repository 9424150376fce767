from itertools import product

import pytest

from havpn_core.rules.cadence import NOBODY
from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.vote import Sent, vote

OK, FAIL, ERROR, REFUSED = Outcome.OK, Outcome.FAIL, Outcome.ERROR, Outcome.REFUSED


@pytest.mark.parametrize(
    ("outcomes", "require", "expected"),
    [
        ([OK], 1, OK),
        ([FAIL], 1, FAIL),
        ([ERROR], 1, ERROR),
        ([OK, None], 1, OK),
        ([FAIL, None], 1, None),
        ([FAIL, None], 2, FAIL),
        ([FAIL, ERROR], 1, ERROR),
        ([OK, FAIL, ERROR], 2, ERROR),
        ([OK, FAIL, FAIL], 2, FAIL),
        ([REFUSED], 1, REFUSED),
        ([REFUSED, None], 1, None),
        ([OK, REFUSED], 1, OK),
        ([OK, REFUSED], 2, REFUSED),
        ([FAIL, REFUSED], 1, REFUSED),
        ([FAIL, REFUSED], 2, FAIL),
        ([ERROR, REFUSED], 1, REFUSED),
        ([ERROR, REFUSED], 2, REFUSED),
        ([OK, FAIL, REFUSED], 2, REFUSED),
        ([OK, FAIL, REFUSED], 3, FAIL),
        ([FAIL, FAIL, REFUSED], 2, FAIL),
        ([OK, ERROR, REFUSED], 2, REFUSED),
        ([REFUSED, REFUSED, REFUSED], 3, REFUSED),
    ],
)
def test_vote(outcomes, require, expected):
    assert vote(outcomes, require) is expected


def test_an_early_decision_is_never_revised():
    for outcomes in product([OK, FAIL, ERROR, REFUSED, None], repeat=3):
        for require in (1, 2, 3):
            early = vote(outcomes, require)
            if early is None:
                continue
            choices = [[o] if o else [OK, FAIL, ERROR, REFUSED] for o in outcomes]
            assert {vote(final, require) for final in product(*choices)} == {early}


def test_ok_and_fail_are_decided_as_soon_as_they_can_be():
    """Where a round stays open, it is neither for certain."""
    for outcomes in product([OK, FAIL, ERROR, REFUSED, None], repeat=3):
        for require in (1, 2, 3):
            if vote(outcomes, require) is None:
                choices = [[o] if o else [OK, FAIL, ERROR, REFUSED] for o in outcomes]
                found = {vote(final, require) for final in product(*choices)}
                assert found not in ({OK}, {FAIL})


def test_one_outcome_s_place_among_the_probes_does_not_matter():
    for outcomes in product([OK, FAIL, ERROR, REFUSED], repeat=3):
        for require in (1, 2, 3):
            assert vote(outcomes, require) is vote(outcomes[::-1], require)


def sent(*outcomes):
    made = Sent(1.5, len(outcomes), regular=True)
    made.outcomes = list(outcomes)
    return made


def test_what_is_sent_is_awaited_until_it_is_decided():
    made = Sent(1.5, 3, regular=True)
    assert (made.sent_s, made.regular, made.serial) == (1.5, True, NOBODY)
    assert (made.outcomes, made.result, made.latency_s) == ([None] * 3, None, None)
    assert Sent(0, 1, regular=False).regular is False
    made.leave_out([0, 2])
    assert made.outcomes == [ERROR, None, ERROR]
    assert made.take(1, FAIL, 1) is ERROR
    assert made.outcomes == [ERROR, FAIL, ERROR]


@pytest.mark.parametrize(
    ("outcomes", "refusing", "require", "expected"),
    [
        ([None], (), 1, FAIL),
        ([None], (0,), 1, REFUSED),
        ([None, None], (1,), 1, REFUSED),
        ([None, None], (1,), 2, FAIL),
        ([None, OK], (0,), 2, REFUSED),
        ([None, OK], (1,), 2, FAIL),
        ([None, OK], (), 1, OK),
        ([FAIL, None], (0, 1), 1, REFUSED),
        ([FAIL, None], (0,), 1, FAIL),
    ],
)
def test_silence_is_a_failure_but_where_the_target_refuses(outcomes, refusing, require, expected):
    made = sent(*outcomes)
    assert made.lost(require, refusing) is expected
    assert made.outcomes == outcomes, "a reply may come after all"
