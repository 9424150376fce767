"""When the status is written again."""

from havpn_core.daemon.publish import LEAST_PAUSE_S, STATUS_EVERY_S, pause_s


def test_writing_takes_a_tenth_of_the_time_at_most():
    assert pause_s(0.0) == LEAST_PAUSE_S
    assert pause_s(0.05) == 0.5


def test_a_host_suspended_while_it_wrote_shows_itself_again_at_once():
    assert pause_s(3600.0) == STATUS_EVERY_S
