"""What a responder says beside its replies, on a clock that is given; and the responder itself."""

import asyncio
import contextlib
import logging
import socket

import pytest

from havpn_core.echo.gate import RespondOptions
from havpn_core.echo.loops import is_reply
from havpn_core.echo.notices import MOST, Notices
from havpn_core.echo.report import AWAY, GOODBYE, NO_ROAD, STANDBY, EchoSession, notice
from havpn_core.echo.respond import Responder

REQUEST = bytes(range(100))
HEAD = REQUEST[:40]
FAR, OTHER = ("192.0.2.6", 40000), ("192.0.2.6", 40001)
WHY = "in maintenance, and standing by"


def standing(silent="", *, standby=True):
    notices = Notices()
    notices.stand(silent, standby=standby)
    return notices


def test_a_notice_bears_the_head_of_its_request():
    assert notice(AWAY, REQUEST) == b"HAV\x03" + HEAD
    assert notice(STANDBY, REQUEST) == b"HAV\x04" + HEAD
    assert notice(AWAY, b"five ") == b"HAV\x03five "


@pytest.mark.parametrize("kind", [GOODBYE, AWAY, STANDBY, NO_ROAD])
def test_no_reply_goes_to_what_a_responder_says(kind):
    assert is_reply(notice(kind, b"five "))
    assert is_reply(kind)
    assert not is_reply(b"five " + kind)


@pytest.mark.parametrize("head", [b"HAV\x00", b"HAV\x06", b"HAW\x03", b"HAV"])
def test_whatever_else_comes_may_be_a_request(head):
    assert not is_reply(head + bytes(60))


# --- what is said in place of a reply, and beside one --------------------------------------------


def announced(notices, *times, host="192.0.2.6"):
    said = [notices.instead(host, REQUEST, at) for at in times]
    assert set(said) <= {b"HAV\x03" + HEAD, b""}
    return [bool(each) for each in said]


def test_a_silence_is_announced_for_a_second():
    assert announced(standing(WHY), 5.0, 5.5, 5.99, 6.0, 6.5, 99.0) == [True] * 3 + [False] * 3


def test_who_probes_slowly_hears_of_a_silence_too():
    """Its first request in the silence comes when it may."""
    notices = standing(WHY)
    assert announced(notices, 5.0, 6.0) == [True, False]
    assert announced(notices, 70.0, 70.9, 71.0, host="192.0.2.7") == [True, True, False]


def test_a_reason_that_changes_is_no_new_silence_and_one_after_replies_is():
    notices = standing(WHY)
    assert announced(notices, 5.0) == [True]
    notices.stand("forwarding of IPv4 is off", standby=True)
    assert notices.silent == "forwarding of IPv4 is off"
    assert announced(notices, 6.0) == [False]
    notices.stand("", standby=True)
    notices.stand(WHY, standby=True)
    assert announced(notices, 7.0, 7.9, 8.0) == [True, True, False]


def test_that_it_stands_by_is_said_once_a_second_to_each_source():
    notices = standing()
    said = [notices.beside(FAR, REQUEST, at) for at in (5.0, 5.5, 5.99, 6.0, 6.99, 7.0)]
    expected = b"HAV\x04" + HEAD
    assert said == [expected, b"", b"", expected, b"", expected]
    assert notices.beside(OTHER, REQUEST, 6.5) == expected


def test_the_first_moment_of_a_clock_is_one_like_others():
    assert standing().beside(FAR, REQUEST, 0.0)
    assert announced(standing(WHY), 0.0, 1.0) == [True, False]


def test_who_does_not_stand_by_says_nothing():
    assert Notices().beside(FAR, REQUEST, 5.0) == b""
    assert standing(standby=False).beside(FAR, REQUEST, 5.0) == b""
    assert (Notices().silent, Notices().standby) == ("", False)
    notices = standing()
    notices.stand("", standby=False)
    assert notices.beside(FAR, REQUEST, 5.0) == b""


def test_who_serves_without_a_road_says_so_once_a_second():
    notices = Notices()
    assert not notices.no_road
    notices.stand("", standby=False, no_road=True)
    assert notices.beside(FAR, REQUEST, 5.0) == notice(NO_ROAD, REQUEST)
    assert notices.beside(FAR, REQUEST, 5.9) == b""
    assert notices.beside(FAR, REQUEST, 6.0) == notice(NO_ROAD, REQUEST)
    notices.stand("", standby=True, no_road=True)
    assert notices.beside(FAR, REQUEST, 7.0) == notice(STANDBY, REQUEST)
    notices.stand("", standby=False)
    assert notices.beside(FAR, REQUEST, 8.0) == b""


def test_made_up_sources_do_not_eat_memory_and_the_oldest_gives_way():
    assert MOST == 256
    notices = standing(WHY)
    for n in range(MOST):
        assert notices.beside(("192.0.2.6", n), REQUEST, 5.0)
        assert notices.instead(f"192.0.2.{n}", REQUEST, 5.0)
    assert not notices.beside(("192.0.2.6", 0), REQUEST, 5.9), "all of them are known"
    assert not notices.instead("192.0.2.0", REQUEST, 6.0)
    notices.beside(FAR, REQUEST, 5.9)
    notices.instead("192.0.3.1", REQUEST, 5.9)
    assert not notices.beside(("192.0.2.6", 1), REQUEST, 5.9)
    assert notices.beside(("192.0.2.6", 0), REQUEST, 5.9), "it was forgotten"
    assert not notices.instead("192.0.2.1", REQUEST, 6.0)
    assert notices.instead("192.0.2.0", REQUEST, 6.0)
    for table in (notices._announced, notices._noted):
        assert len(table) == MOST


def test_who_hears_of_it_again_is_the_last_to_give_way():
    notices = standing()
    for n in range(MOST):
        notices.beside(("192.0.2.6", n), REQUEST, 5.0)
    notices.beside(("192.0.2.6", 0), REQUEST, 6.0)
    notices.beside(FAR, REQUEST, 6.0)
    assert not notices.beside(("192.0.2.6", 0), REQUEST, 6.5)
    assert notices.beside(("192.0.2.6", 1), REQUEST, 5.5)


# --- the responder -------------------------------------------------------------------------------


class Far:
    """A source of requests, and what it hears; time is given."""

    def __init__(self, when="fit"):
        self.now, self.when, self.sent = 100.0, when, 0
        self.session = EchoSession(b"eight by")

    async def __aenter__(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            self.where = sock.getsockname()
        options = RespondOptions(
            listen=[f"127.0.0.1:{self.where[1]}"], allow=["127.0.0.0/8"], when=self.when
        )
        self.responder = Responder(options, lambda: self.now, logging.getLogger("respond"))
        await self.responder.run()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind(("127.0.0.1", 0))
        return self

    async def __aexit__(self, *_):
        self.responder.close()
        self.sock.close()

    async def hear(self, after_s=0.0, number=1):
        """Send requests; gives the first bytes of all that came back for the last of them."""
        for _ in range(number):
            self.now += after_s
            before = sum(self.responder.counts.values())
            self.request = self.session.request(bytes(16))
            self.sock.sendto(self.request, self.where)
            async with asyncio.timeout(10):
                while sum(self.responder.counts.values()) == before:
                    await asyncio.sleep(0.001)
            heard = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    heard.append(self.sock.recv(4096))
        assert all(each[4:] == self.request[:40] for each in heard if each[:4] != b"HAV\x01")
        return [each[:4] for each in heard]


REPLY, SILENCE, STANDS_BY = b"HAV\x01", b"HAV\x03", b"HAV\x04"


def played(scenario, **options):
    async def play():
        async with Far(**options) as far:
            return await scenario(far)

    return asyncio.run(play())


def test_a_responder_is_silent_after_a_word_of_it():
    async def scenario(far):
        assert await far.hear(0.25, 8) == [REPLY]
        far.responder.stand(WHY, standby=True)
        assert far.responder.silent == WHY
        assert await far.hear(0.25) == [SILENCE]
        assert await far.hear(0.99) == [SILENCE]
        assert await far.hear(0.01) == []
        assert await far.hear(5.0) == []
        far.responder.stand("", standby=False)
        assert await far.hear(0.25) == [REPLY]
        return far.responder.facts()

    facts = played(scenario)
    assert facts.pop("silence") == ""
    assert {name: count for name, count in facts.items() if count} == {"answered": 9, "silent": 4}


def test_its_socket_stays_open_so_that_nobody_is_refused():
    async def scenario(far):
        far.responder.stand(WHY, standby=True)
        far.sock.connect(far.where)  # a refusal would be an error of the socket
        await far.hear()
        far.now += 1.0
        for _ in range(2):
            far.sock.send(b"a request of 16b")
            await asyncio.sleep(0.01)
        with pytest.raises(BlockingIOError):
            far.sock.recv(4096)
        return far.responder.facts()

    facts = played(scenario)
    assert (facts["silent"], facts["silence"]) == (3, WHY)


def test_who_is_not_known_hears_of_a_silence_and_not_of_a_standby():
    """The other comes beside a reply: more than was sent, to somebody whose name may be forged."""

    async def scenario(far):
        far.responder.stand("", standby=True)
        assert await far.hear(0.1) == [REPLY]
        far.responder.stand(WHY, standby=True)
        assert await far.hear(0.1) == [SILENCE]
        assert await far.hear(1.0) == []

    played(scenario)


def test_a_standby_says_so_beside_its_replies_once_a_second():
    async def scenario(far):
        await far.hear(0.25, 8)
        far.responder.stand("", standby=True)
        assert await far.hear(0.25) == [REPLY, STANDS_BY]
        assert await far.hear(0.5) == [REPLY]
        assert await far.hear(0.5) == [REPLY, STANDS_BY]
        far.responder.stand("", standby=False)
        assert await far.hear(2.0) == [REPLY]

    played(scenario)


def test_one_that_always_replies_says_nothing_of_its_gateway():
    async def scenario(far):
        await far.hear(0.25, 8)
        far.responder.stand(WHY, standby=True)
        assert far.responder.silent == ""
        assert await far.hear(0.25) == [REPLY]
        return far.responder.facts()["silence"]

    assert played(scenario, when="always") == ""


def test_who_gets_no_reply_for_another_reason_gets_no_notice_either():
    async def scenario(far):
        await far.hear(0.25, 8)
        far.responder.stand(WHY, standby=True)
        far.sock.sendto(bytes(1501), far.where)
        far.sock.sendto(STANDS_BY + bytes(40), far.where)
        async with asyncio.timeout(10):
            while not (far.responder.counts["oversize"] and far.responder.counts["loop"]):
                await asyncio.sleep(0.001)
        with pytest.raises(BlockingIOError):
            far.sock.recv(4096)
        assert far.responder.counts["silent"] == 0

    played(scenario)


def test_a_goodbye_goes_to_those_that_got_replies_before_the_silence():
    async def scenario(far):
        await far.hear(0.25, 8)
        far.responder.stand(WHY, standby=True)
        await far.hear(1.0, 3)
        far.responder.close()
        with pytest.raises(BlockingIOError):
            far.sock.recv(4096)

    played(scenario)
