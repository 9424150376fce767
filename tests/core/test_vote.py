from itertools import product

import pytest

from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.vote import vote

OK, FAIL, ERROR = Outcome.OK, Outcome.FAIL, Outcome.ERROR


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
    ],
)
def test_vote(outcomes, require, expected):
    assert vote(outcomes, require) is expected


def test_an_early_decision_is_never_revised():
    for outcomes in product([OK, FAIL, ERROR, None], repeat=3):
        for require in (1, 2, 3):
            early = vote(outcomes, require)
            if early is None:
                continue
            choices = [[o] if o else [OK, FAIL, ERROR] for o in outcomes]
            assert {vote(final, require) for final in product(*choices)} == {early}
