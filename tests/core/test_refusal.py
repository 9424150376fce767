"""Since when the far host refuses, and what is said of it."""

import pytest

from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.refusal import NEWS_S, News, Refusals

OK, FAIL, ERROR, REFUSED = Outcome.OK, Outcome.FAIL, Outcome.ERROR, Outcome.REFUSED


def after(*trace, fall=2, stale_s=5.0):
    """Feed outcomes with their times; ``None`` looks only. Gives the refusals and what was said."""
    refusals, said = Refusals(fall, stale_s), []
    for outcome, now_s in trace:
        if outcome is None:
            refusals.look(now_s)
        else:
            refusals.take(outcome, now_s)
        said += [(now_s, news) for news in refusals.news()]
    return refusals, said


@pytest.mark.parametrize(
    ("trace", "since_s"),
    [
        ([], None),
        ([(OK, 1)], None),
        ([(FAIL, 1)], None),
        ([(REFUSED, 1)], 1),
        ([(REFUSED, 1), (REFUSED, 2)], 1),
        ([(REFUSED, 1), (ERROR, 2)], 1),
        ([(REFUSED, 1), (FAIL, 2)], 1),
        ([(REFUSED, 1), (FAIL, 2), (FAIL, 3)], None),
        ([(REFUSED, 1), (FAIL, 2), (REFUSED, 3), (FAIL, 4)], 1),
        ([(FAIL, 1), (REFUSED, 2), (FAIL, 3)], 2),
        ([(FAIL, 1), (OK, 2), (REFUSED, 3), (FAIL, 4)], 3),
        ([(REFUSED, 1), (FAIL, 2), (FAIL, 3), (REFUSED, 4)], 4),
        ([(REFUSED, 1), (OK, 2)], None),
        ([(REFUSED, 1), (OK, 2), (REFUSED, 3)], 3),
        ([(REFUSED, 1), (None, 5.9)], 1),
        ([(REFUSED, 1), (None, 6.0)], None),
        ([(REFUSED, 1), (ERROR, 6.0)], None),
        ([(REFUSED, 1), (FAIL, 4), (None, 8.9)], 1),
        ([(REFUSED, 1), (FAIL, 4), (None, 9.0)], None),
        ([(REFUSED, 1), (REFUSED, 4), (None, 8.9)], 1),
    ],
)
def test_a_spell_begins_with_a_refusal_and_ends_with_a_reply_or_in_silence(trace, since_s):
    refusals, _ = after(*trace)
    assert refusals.since_s == since_s


def test_it_lasts_from_the_hold_on():
    refusals, _ = after((REFUSED, 10))
    assert not refusals.lasts(30.0, 39.9)
    assert refusals.lasts(30.0, 40.0)
    refusals.take(OK, 41)
    assert not refusals.lasts(30.0, 41)
    assert not Refusals(2, 5).lasts(0.0, 0.0)


MISSING = News(True, NEWS_S)


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        ([(REFUSED, 0), (REFUSED, 0.99)], []),
        ([(REFUSED, 0), (REFUSED, 1), (REFUSED, 2), (None, 3)], [(1, MISSING)]),
        ([(REFUSED, 0), (None, 1)], [(1, MISSING)]),
        ([(REFUSED, 0), (ERROR, 1)], [(1, MISSING)]),
        ([(REFUSED, 0), (REFUSED, 1), (OK, 3)], [(1, MISSING), (3, News(False, 3.0))]),
        ([(REFUSED, 0), (OK, 0.5), (OK, 1)], [
            (0.5, News(True, 0.5, brief=True)),
            (0.5, News(False, 0.5, brief=True)),
        ]),
        # Its host died meanwhile: that somebody listens again needs a reply.
        ([(REFUSED, 0), (REFUSED, 1), (FAIL, 2), (FAIL, 3), (REFUSED, 4), (REFUSED, 6), (OK, 7)], [
            (1, MISSING),
            (7, News(False, 7.0)),
        ]),
        ([(REFUSED, 0), (FAIL, 0.1), (FAIL, 0.2), (OK, 0.3)], []),
        ([(OK, 0), (FAIL, 1), (OK, 2)], []),
    ],
)  # fmt: skip
def test_each_thing_is_said_once(trace, said):
    assert MISSING.brief is False
    later = after(*((outcome, at + 128) for outcome, at in trace))[1]
    assert [(at - 128, news.missing, news.brief) for at, news in later] == [
        (at, news.missing, news.brief) for at, news in said
    ]
    assert [news.for_s for _, news in later] == pytest.approx([news.for_s for _, news in said])


def test_a_daemon_that_restarts_again_and_again_is_reported_at_most_every_ten_seconds():
    trace = []
    for number in range(100):
        trace += [(REFUSED, number * 0.5), (OK, number * 0.5 + 0.25)]
    _, said = after(*trace)
    brief = [at for at, news in said if news.missing]
    assert brief == [0.25 + n * 10 for n in range(5)]
    assert all(news.brief for _, news in said)
    assert len(said) == 10
