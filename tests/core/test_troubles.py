"""The troubles of a pair as a table: facts and times in, beginnings and ends out."""

import pytest

from havpn_core.pair.health.standing import Standing
from havpn_core.pair.health.troubles import Foreign, Troubles
from tests.core.values import replace

WELL = Standing(priority=100, partner_priority=150, dead_s=0.6, links={"lan": 0.1, "cable": 0.1})
SILENT = replace(WELL, partner_priority=None, links={"lan": 9.0, "cable": 9.0})
KEY = "frames come that are signed with another key: copy pair.key_file to both gateways and run "
KEY += "havpn reload on both"
VERSION = "frames come of another version of the protocol: install the same release of havpn on "
VERSION += "both gateways"
NAMES = "the partner has the name of this gateway: write another node.name on one of them"
EQUAL = "both gateways have priority 100, and neither is preferred: write another pair.priority on "
EQUAL += "one of them"
DEAF = "the partner lives and does not receive our frames: check its firewall, and the cables of "
DEAF += "pair.link in the direction to it"
LOST = "the partner is silent on all links: see whether it runs (havpn status there), and check "
LOST += "the cables and addresses of pair.link"
STOPPED = "the partner stopped in order, for a restart or an upgrade: start it again if it does "
STOPPED += "not come back"
RAISED = "pair.dead is raised from 150ms to 600ms, three times the slower interval of both "
RAISED += 'gateways: write dead = "600ms", or a shorter pair.interval on the slower one'
LINK = "link cable brings no frames any more: check its cable, its addresses and the firewall "
LINK += "(pair.link.cable)"

CASES = {
    "names": (
        {"same_name": True},
        ("equal names", NAMES, True),
        ("equal names over", "the names of the gateways differ now", False),
    ),
    "priorities": (
        {"partner_priority": 100},
        ("equal priorities", EQUAL, True),
        ("equal priorities over", "the priorities of the gateways differ now", False),
    ),
    "deaf": (
        {"hears": False},
        ("not heard by the partner", DEAF, True),
        (
            "not heard by the partner over",
            "the partner receives our frames, or is silent itself",
            False,
        ),
    ),
    "lost": (
        {"partner_priority": None},
        ("partner lost", LOST, True),
        ("partner back", "the partner is heard again", False),
    ),
    "stopped": (
        {"stopping": True},
        ("partner stopped", STOPPED, False),
        ("partner back", "the partner is heard again", False),
    ),
    "stopped and silent": (
        {"stopping": True, "partner_priority": None},
        ("partner stopped", STOPPED, False),
        ("partner back", "the partner is heard again", False),
    ),
    "raised": (
        {"raised": (0.15004, 0.60004)},
        ("dead raised", RAISED, True),
        ("dead raised over", "pair.dead is taken as it is written", False),
    ),
    "link": (
        {"links": {"lan": 0.1, "cable": 1.0}},
        ("link lost", LINK, True),
        ("link back", "link cable brings frames again", False),
    ),
}
BY_CASE = pytest.mark.parametrize(("bad", "begun", "over"), CASES.values(), ids=CASES)


def settled(now=0.0):
    """Give troubles after a quiet start, at 3 s."""
    made = Troubles(now)
    for n in range(30):
        assert made.update(WELL, now + n / 10) == []
    assert made.update(WELL, now + 3) == []
    return made


def over_time(made, standing, begin, end, step=0.1):
    """Give what was begun and ended, with the moment, while the facts stay the same."""
    steps = round((end - begin) / step)
    moments = [round(begin + n * step, 3) for n in range(steps)]
    return [(now, *news) for now in moments for news in made.update(standing, now)]


@BY_CASE
def test_each_trouble_begins_once_and_ends_once(bad, begun, over):
    made, standing = settled(), replace(WELL, **bad)
    [(at, *news)] = over_time(made, standing, 5, 20)
    assert (tuple(news), at) == (begun, 6.0 if begun[0].startswith("not heard") else 5.0)
    assert made.sentences == [begun[1]]
    [(at, *news)] = over_time(made, WELL, 20, 40)
    assert (tuple(news), at) == (over, 21.9)
    assert made.sentences == []


@BY_CASE
def test_a_trouble_that_comes_and_goes_is_one(bad, begun, over):
    made, standing = settled(), replace(WELL, **bad)
    news = []
    for n in range(20):
        news += over_time(made, standing, 5 + 3 * n, 6.5 + 3 * n)
        news += over_time(made, WELL, 6.5 + 3 * n, 8 + 3 * n)
    assert [each[1] for each in news] == [begun[0]]


@BY_CASE
def test_it_begins_again_ten_seconds_later_at_the_earliest(bad, begun, over):
    made, standing, news = settled(), replace(WELL, **bad), []
    for n in range(4):
        news += over_time(made, standing, 5 + 4.9 * n, 7 + 4.9 * n)
        news += over_time(made, WELL, 7 + 4.9 * n, 9.9 + 4.9 * n)
    begins = [at for at, word, _, _ in news if word == begun[0]]
    assert len(begins) == 2
    assert 10 <= begins[1] - begins[0] < 16
    assert [word for _, word, _, _ in news] == [begun[0], over[0]] * 2


def test_just_ten_seconds_after_its_beginning_it_may_begin_again():
    made, lost = settled(), replace(WELL, partner_priority=None)
    assert [n.word for n in made.update(lost, 5.0)] == ["partner lost"]
    assert made.update(WELL, 6.9) == []
    assert [n.word for n in made.update(WELL, 7.0)] == ["partner back"]
    assert made.update(lost, 14.9) == []
    assert [n.word for n in made.update(lost, 15.0)] == ["partner lost"]


@BY_CASE
def test_nothing_is_a_trouble_in_the_first_three_seconds(bad, begun, over):
    made = Troubles(100.0)
    assert over_time(made, replace(WELL, **bad), 100, 103) == []
    [(at, *news)] = over_time(made, replace(WELL, **bad), 103, 106)
    assert (tuple(news), at) == (begun, 104.0 if begun[0].startswith("not heard") else 103.0)


def test_a_start_is_as_patient_as_dead_is_long():
    made, lost = Troubles(0.0), replace(SILENT, dead_s=5.0)
    assert over_time(made, lost, 0, 5) == []
    assert [each.word for each in made.update(lost, 5.0)] == ["partner lost"]


def test_a_wake_is_as_patient_as_a_start():
    made = settled()
    made.wake(50.0)
    assert over_time(made, SILENT, 50, 53) == []
    assert [each.word for each in made.update(SILENT, 53.0)] == ["partner lost"]


def test_what_lasted_before_a_sleep_has_to_last_again():
    made, deaf = settled(), replace(WELL, hears=False)
    made.update(deaf, 5.0)
    made.wake(5.5)
    assert made.update(deaf, 9.0) == []
    assert made.update(deaf, 9.9) == []
    assert [each.word for each in made.update(deaf, 10.0)] == ["not heard by the partner"]


def test_a_partner_that_does_not_hear_is_given_as_long_as_dead():
    made = settled()
    [(at, word, *_)] = over_time(made, replace(WELL, hears=False, dead_s=2.0), 5, 9)
    assert (at, word) == (7.0, "not heard by the partner")


def test_a_silent_partner_is_one_trouble_and_leaves_the_links_alone():
    made = settled()
    assert [each[1] for each in over_time(made, SILENT, 5, 40)] == ["partner lost"]


def test_a_silent_partner_ends_no_trouble_that_needs_it():
    made = settled()
    bad = replace(
        WELL, partner_priority=100, same_name=True, links={"lan": 9.0, "cable": 0.1}, raised=(1, 2)
    )
    words = ["equal names", "equal priorities", "dead raised", "link lost"]
    assert [each.word for each in made.update(bad, 5.0)] == words
    silent = replace(bad, partner_priority=None)
    assert [each[1] for each in over_time(made, silent, 6, 20)] == ["partner lost"]
    assert len(made.sentences) == 5
    back = {each[1] for each in over_time(made, WELL, 20, 30)}
    assert back == {"partner back", "link back", *(f"{word} over" for word in words[:3])}


def test_a_partner_silent_after_its_stop_is_not_lost():
    made = settled()
    made.update(replace(WELL, stopping=True), 5.0)
    assert over_time(made, replace(SILENT, stopping=True), 6, 30) == []
    assert made.sentences == [STOPPED]


@pytest.mark.parametrize(
    ("silent_s", "dead_s", "dead"),
    [(0.99, 0.6, False), (1.0, 0.6, True), (1.99, 2.0, False), (2.0, 2.0, True)],
)
def test_a_link_is_silent_after_dead_or_a_second(silent_s, dead_s, dead):
    made = settled()
    standing = replace(WELL, dead_s=dead_s, links={"lan": silent_s, "cable": 0.1})
    assert [each.word for each in made.update(standing, 5.0)] == ["link lost"] * dead


def test_a_link_that_never_brought_a_frame_is_dead_after_ten_seconds():
    made, standing = settled(), replace(WELL, links={"lan": 0.1, "cable": None})
    [(at, word, text, bad)] = over_time(made, standing, 5, 30)
    assert (at, word, bad) == (10.0, "link lost", True)
    assert text == LINK.replace("brings no frames any more", "has never brought a frame")


def test_the_ten_seconds_count_from_the_start():
    made, standing = settled(100.0), replace(WELL, links={"lan": None})
    [(at, *_)] = over_time(made, standing, 105, 130)
    assert at == 110.0


def test_two_links_are_two_troubles():
    made = settled()
    standing = replace(WELL, links={"lan": 5.0, "cable": 5.0, "third": 0.1})
    assert [each.word for each in made.update(standing, 5.0)] == ["link lost", "link lost"]
    assert made.sentences == [LINK.replace("cable brings", "lan brings").replace(
        "pair.link.cable", "pair.link.lan"), LINK]  # fmt: skip


def test_the_broadcast_is_silent_as_a_rule_and_the_others_are_looked_at_all_the_same():
    made = settled()
    for silent_s in (None, 100.0):
        standing = replace(WELL, links={"broadcast": silent_s, "cable": 2.0})
        made.update(standing, 20.0)
    assert made.sentences == [LINK]


FOREIGN = {
    "key": ("wrong key", KEY, "no more frames come that are signed with another key"),
    "mac": ("wrong key", KEY, "no more frames come that are signed with another key"),
    "version": (
        "other protocol version",
        VERSION,
        "no more frames come of another version of the protocol",
    ),
}


def foreign_frames(made, verdict, moments, standing=SILENT, first=0):
    """Let one frame more have come at each moment."""
    return [
        (now, *news)
        for n, now in enumerate(moments)
        for news in made.update(replace(standing, frames={verdict: first + n}), now)
        if news.word != "partner lost"
    ]


@pytest.mark.parametrize("verdict", FOREIGN)
def test_frames_that_cannot_be_believed_are_a_trouble_while_the_partner_is_silent(verdict):
    word, text, end = FOREIGN[verdict]
    made = settled()
    found = foreign_frames(made, verdict, [5, 6, 7, 8, 9])
    assert found == [(8, word, text, True)]
    quiet = replace(SILENT, frames={verdict: 4})
    [(at, *news)] = [each for each in over_time(made, quiet, 9.1, 30) if each[1] != "partner lost"]
    assert news == [f"{word} over", end, False]
    assert 15.9 <= at <= 16.2


@pytest.mark.parametrize("verdict", FOREIGN)
def test_forged_frames_beside_a_living_partner_are_no_trouble(verdict):
    assert foreign_frames(settled(), verdict, range(5, 60), WELL) == []


@pytest.mark.parametrize("verdict", ["good", "greeting", "duplicate", "replay", "self", "length"])
def test_other_frames_are_no_trouble(verdict):
    assert foreign_frames(settled(), verdict, range(5, 60)) == []


def test_both_verdicts_of_a_wrong_key_count_together():
    made = settled()
    for now, frames in ((5, {"key": 1}), (6, {"key": 1, "mac": 1}), (7, {"key": 2, "mac": 1})):
        found = made.update(replace(SILENT, frames=frames), float(now))
    assert "wrong key" in [each.word for each in found]


def counted(*samples):
    foreign = Foreign()
    return [foreign.many(total, now) for total, now in samples]


def test_three_frames_each_within_five_seconds_are_many():
    assert counted((7, 0), (8, 1), (9, 2), (10, 3)) == [False, False, False, True]
    assert counted((7, 0), (10, 1)) == [False, True]
    assert counted((7, 0), (9, 1), (10, 6)) == [False, False, True]
    assert counted((7, 0), (9, 1), (10, 6.1)) == [False, False, False]
    assert counted((7, 0), (10, 1), (10, 6), (10, 6.1)) == [False, True, True, False]
    assert counted((7, 0), (10, 1), (11, 5), (12, 9), (12, 14), (12, 14.1)) == [
        False, True, True, True, True, False,
    ]  # fmt: skip


def test_what_was_counted_before_the_first_look_is_old():
    assert counted((90, 6), (91, 7), (92, 8), (93, 9)) == [False, False, False, True]


def test_a_link_that_a_reload_removes_is_forgotten():
    made = settled()
    made.update(replace(WELL, links={"lan": 0.1, "cable": 5.0}), 5.0)
    assert made.sentences == [LINK]
    assert made.update(replace(WELL, links={"lan": 0.1}), 5.1) == []
    assert made.sentences == []
    assert made.update(WELL, 9.0) == []


def test_a_raised_dead_is_said_to_the_millisecond():
    troubles = Troubles(0.0)
    raised = replace(WELL, raised=(0.15, 0.60049))
    [news] = [each for each in troubles.update(raised, 9.0) if each.bad]
    assert 'write dead = "600ms"' in news.text
