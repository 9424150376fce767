"""For how long a line that became grey is to be known better, without a clock."""

from havpn_core.rules.target.haste import HASTY_S, Haste
from havpn_core.rules.target.silence import WELL, Silence


def test_it_lasts_half_a_minute_from_the_moment_at_which_a_line_became_grey():
    haste = Haste()
    assert not haste.on
    haste.look(10.0, grey=True)
    assert haste.on
    haste.look(10.0 + HASTY_S - 0.01, grey=True)
    assert haste.on
    haste.look(10.0 + HASTY_S, grey=True)
    assert not haste.on


def test_a_line_that_becomes_grey_anew_is_looked_at_anew():
    haste = Haste()
    haste.look(0.0, grey=True)
    haste.look(100.0, grey=True)
    haste.look(101.0, grey=False)
    assert not haste.on
    haste.look(102.0, grey=True)
    assert haste.on


def test_the_line_beside_a_grey_one_is_looked_at_as_long():
    haste = Haste()
    haste.look(10.0, grey=False, beside=True)
    assert haste.on
    haste.look(10.0 + HASTY_S, grey=False, beside=True)
    assert not haste.on
    haste.look(50.0, grey=True, beside=True)
    assert haste.on, "it becomes grey itself"
    haste.look(51.0, grey=False, beside=False)
    assert not haste.on


def silence(*, dead=False, replies=WELL):
    made = Silence(dead=dead)
    made.replied(replies)
    return made


def test_a_run_is_as_long_as_from_its_first_loss_to_half_way_to_the_reply():
    made = silence()
    for at_s in (1.0, 1.1, 1.3):
        made.lost(at_s, regular=at_s == 1.0)
    assert (made.losses, made.regular, made.spell) == (3, 1, True)
    assert abs(made.so_far_s() - 0.3) < 1e-9
    assert abs(made.length_s(1.5) - 0.4) < 1e-9
    assert abs(made.length_s() - 0.3) < 1e-9
    made.over()
    assert (made.losses, made.regular) == (0, 0)


def test_a_run_whose_beginning_is_not_known_has_no_end():
    made = Silence(dead=False)
    made.lost(1.0, regular=True)
    assert made.length_s(2.0) == float("inf")


def test_what_is_lost_soon_after_an_outage_is_a_part_of_it():
    made = silence()
    made.lost(1.0, regular=True)
    made.given_up = True
    assert not made.spell
    made.over()
    made.replied(WELL - 1)
    made.lost(2.0, regular=True)
    assert not made.spell and not made.given_up
    made.over()
    made.replied(WELL - 1)
    made.lost(3.0, regular=True)
    assert not made.spell, "the five replies are in a row"
    made.over()
    made.replied(WELL)
    made.lost(4.0, regular=True)
    assert made.spell


def test_what_is_this_hosts_own_is_forgotten_until_the_next_reply():
    made = silence()
    made.lost(1.0, regular=True)
    made.cancel()
    assert (made.losses, made.spell) == (0, False)
    made.lost(1.5, regular=True)
    assert made.length_s(2.0) == float("inf")
