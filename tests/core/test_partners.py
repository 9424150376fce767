"""What an action says of its partner is true, false or nothing, whatever it does."""

import asyncio

import pytest

from havpn_core.plugging.gate import partners
from havpn_core.plugging.gate.calls import Caller


class Seeing:
    def __init__(self, serves=None, turn=None):
        self.serves, self.place = serves, turn

    async def partner_serves(self, timeout_s):
        if isinstance(self.serves, BaseException):
            raise self.serves
        return self.serves

    def turn(self):
        if isinstance(self.place, BaseException):
            raise self.place
        return self.place


@pytest.mark.parametrize(
    ("given", "expected"),
    [(True, True), (False, False), (None, None), (1, None), (0, None), ("yes", None),
     (OSError("no"), None), (SystemExit(3), None)],
)  # fmt: skip
def test_whether_it_serves(given, expected):
    caller = Caller(Seeing(given), "test")
    assert asyncio.run(partners.partner_serves(caller, 1.0, 1.0)) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [(0, 0), (1, 1), (99, 99), (100, None), (-1, None), (None, None), (True, None), (1.0, None),
     (KeyboardInterrupt(), None)],
)  # fmt: skip
def test_whose_turn_it_is(given, expected):
    assert partners.turn(Caller(Seeing(turn=given), "test")) == expected


class Says:
    def __init__(self, said):
        self.said = said

    def advises(self):
        if isinstance(self.said, BaseException):
            raise self.said
        return self.said


@pytest.mark.parametrize(
    ("given", "expected"),
    [(True, True), (False, False), (None, False), (1, False), ("yes", False), (OSError(), False)],
)
def test_whether_its_cluster_may_go_another_way(given, expected):
    assert partners.advises(Caller(Says(given), "test")) is expected


def test_an_action_that_says_nothing_of_it_is_followed():
    assert partners.advises(Caller(Seeing(), "test")) is False


def test_one_that_never_says_is_not_waited_for():
    class Hangs(Seeing):
        async def partner_serves(self, timeout_s):
            await asyncio.Event().wait()

    assert asyncio.run(partners.partner_serves(Caller(Hangs(), "test"), 0.01, 0.05)) is None
