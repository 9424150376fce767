"""Loss on the way out and on the way back, told apart."""

import asyncio
import logging
import random
import time

import pytest
from havpn_plugins.probes import udp_echo
from havpn_plugins.probes._oneway import OneWay
from hypothesis import given
from hypothesis import strategies as st
from probe_world import built, run, udp_service

from havpn_core import EchoReport, EchoSession, Outcome
from havpn_core.echo.gate import RespondOptions
from havpn_core.echo.report import Sessions
from havpn_core.echo.respond import Responder
from tests.ports import free_port

[TYPE] = udp_echo.havpn_register_probes()


def account(fates, epoch=7):
    """Feed an account; each fate says whether the request arrived and whether its reply did."""
    oneway, received = OneWay(), 0
    for sequence, (out, back) in enumerate(fates, start=1):
        received += out
        if out and back:
            oneway.take(EchoReport(b"", sequence, received, epoch))
    return oneway


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=0, max_size=150))
def test_losses_are_those_between_the_first_and_the_last_answer(fates):
    oneway = account(fates)
    answered = [n for n, (out, back) in enumerate(fates) if out and back]
    if not answered or answered[-1] - answered[0] < 20:
        assert oneway.losses is None
        return
    within = fates[answered[0] + 1 : answered[-1] + 1]
    arrived = sum(out for out, _ in within)
    assert oneway.losses[0] == pytest.approx(1 - arrived / len(within))
    assert oneway.losses[1] == pytest.approx(1 - (len(answered) - 1) / arrived)


def test_an_outage_is_explained_when_it_is_over():
    good = [(True, True)] * 5
    assert account(good + [(True, False)] * 9 + good).last_outage == "way back"
    assert account(good + [(False, False)] * 9 + good).last_outage == "way out"
    assert account(good + [(False, False)] * 3 + good).last_outage is None


def test_a_restart_of_the_far_end_starts_the_account_over():
    oneway = account([(True, True)] * 50)
    oneway.take(EchoReport(b"", 51, 1, epoch=8))
    assert oneway.losses is None
    assert oneway.last_outage is None


def test_only_a_reply_of_the_own_session_is_read():
    session, other = EchoSession(b"session1"), EchoSession(b"session2")
    session.request(b"m" * 16)
    request = session.request(b"n" * 16) + b"more"
    reply = Sessions(epoch=9).reply("192.0.2.1", request)
    assert len(reply) == len(request)
    assert session.report(reply) == EchoReport(b"n" * 16, sequence=2, received=1, epoch=9)
    assert other.report(reply) is None
    assert session.report(request) == EchoReport(b"n" * 16, sequence=2, received=0, epoch=0)
    assert session.report(reply[:39]) is None


@pytest.mark.parametrize("wrong", [b"", b"n" * 15, b"n" * 17])
def test_a_nonce_or_session_of_another_length_is_refused(wrong):
    with pytest.raises(ValueError, match="nonce: write 16 bytes"):
        EchoSession(b"session1").request(wrong)
    with pytest.raises(ValueError, match="session: write 8 bytes"):
        EchoSession(wrong)


def test_what_is_no_such_request_comes_back_unchanged():
    sessions = Sessions(epoch=9)
    for request in (b"", b"hello", b"HAV\x01short", b"x" * 200):
        assert sessions.reply("192.0.2.1", request) == request


def test_sessions_are_bounded():
    sessions = Sessions(epoch=9, most=3)
    senders = [EchoSession(number.to_bytes(8, "big")) for number in range(100)]

    def received(sender):
        return sender.report(sessions.reply("192.0.2.1", sender.request(b"n" * 16))).received

    assert [received(sender) for sender in senders] == [1] * 100
    assert received(senders[99]) == 2
    assert received(senders[5]) == 1, "forgotten meanwhile"


@pytest.mark.parametrize("lossy", ["out", "back"])
def test_a_real_responder_behind_a_relay_that_loses_one_way(world, lossy):
    """The relay drops about a third of what goes the one way and nothing of the other."""
    dice, port = random.Random(5), free_port()

    class Relay(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport, self.asker = transport, None

        def datagram_received(self, data, addr):
            out = addr[1] != port
            if out:
                self.asker = addr
            if (lossy == "out") is out and dice.random() < 0.33:
                return
            self.transport.sendto(data, ("127.0.0.1", port) if out else self.asker)

    async def scenario():
        options = RespondOptions(listen=[f"127.0.0.1:{port}"], allow=["127.0.0.1/32"], rate=1e6)
        responder = Responder(options, time.monotonic, logging.getLogger("test"))
        running = asyncio.ensure_future(responder.run())
        await asyncio.sleep(0)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            Relay, local_addr=("127.0.0.1", 0)
        )
        relay = transport.get_extra_info("sockname")[1]
        try:
            async with built(
                TYPE, world, host="127.0.0.1", port=relay, report=True, size=64
            ) as probe:
                for _ in range(60):
                    await asyncio.gather(*(probe.check(0.05) for _ in range(3)))
                return probe.facts(), responder.heard("127.0.0.1")
        finally:
            transport.close()
            responder.close()
            running.cancel()

    facts, heard = run(scenario())
    there, here = facts["loss_out"], facts["loss_back"]
    bad, good = (there, here) if lossy == "out" else (here, there)
    assert 0.15 < bad < 0.55
    assert good < 0.08
    assert heard < 5


def test_a_plain_echo_service_is_a_good_far_end_too(world):
    async def scenario():
        async with (
            udp_service() as far,
            built(TYPE, world, host="127.0.0.1", port=far.port, report=True, size=40) as probe,
        ):
            return await probe.check(2), probe.facts(), len(far.asked[0][0])

    sample, facts, size = run(scenario())
    assert sample.outcome is Outcome.OK
    assert facts["loss_out"] is None
    assert size == EchoSession.BYTES


def test_too_short_a_question_to_report_is_refused(world):
    async def scenario():
        async with built(TYPE, world, host="127.0.0.1", report=True, size=20):
            pass

    with pytest.raises(Exception, match="at least 40"):
        run(scenario())
