import asyncio
import contextlib
import logging
import socket
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.echo import respond
from havpn_core.echo.gate import Gate, RespondOptions
from havpn_core.echo.goodbyes import Goodbyes
from havpn_core.echo.loops import Loops
from havpn_core.echo.report import EchoSession, Sessions, goodbye
from havpn_core.echo.respond import Responder
from tests.ports import free_port


def options(**changed):
    return RespondOptions(**{"listen": ["127.0.0.1:7"], "allow": ["127.0.0.0/8"]} | changed)


def judged(gate, host="127.0.0.1", port=40000, size=16, now=0.0):
    return gate.judge(host, port, size, now)


@pytest.mark.parametrize("host", ["192.0.2.6", "2001:db8::5"])
def test_an_allowed_network_is_answered(host):
    assert judged(Gate(options(allow=["192.0.2.6/32", "2001:db8::/64"])), host) == "answered"


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8:1::5", "127.0.0.1"])
def test_anybody_else_is_denied(host):
    assert judged(Gate(options(allow=["192.0.2.6/32", "2001:db8::/64"])), host) == "denied"


@pytest.mark.parametrize(
    ("port", "verdict"), [(7, "low_port"), (19, "low_port"), (1023, "low_port"), (1024, "answered")]
)
def test_a_port_that_may_be_a_service_is_not_answered(port, verdict):
    assert judged(Gate(options()), port=port) == verdict


def test_low_ports_are_answered_where_asked():
    assert judged(Gate(options(allow_low_ports=True)), port=123) == "answered"


@pytest.mark.parametrize(
    ("size", "verdict"), [(0, "answered"), (1500, "answered"), (1501, "oversize")]
)
def test_over_1500_bytes_is_no_question(size, verdict):
    assert judged(Gate(options()), size=size) == verdict


def test_a_source_gets_its_rate_lastingly_and_no_more():
    gate = Gate(options(rate=10))
    answered = [judged(gate, now=n / 100) == "answered" for n in range(1000)]
    assert sum(answered[500:]) == pytest.approx(50, abs=1)


def test_a_source_s_rate_is_its_own():
    gate = Gate(options(rate=1))
    while judged(gate) == "answered":
        pass
    assert judged(gate, "127.0.0.2") == "answered"


def test_a_source_silenced_by_its_rate_is_answered_again():
    gate = Gate(options(rate=10))
    while judged(gate) == "answered":
        pass
    assert judged(gate, now=0.05) == "rate"
    assert judged(gate, now=0.2) == "answered"


def test_all_sources_together_have_a_rate():
    gate = Gate(options(total_rate=50))
    hosts = [f"127.0.{n // 250}.{n % 250}" for n in range(1000)]
    assert sum(judged(gate, host) == "answered" for host in hosts) == 50


def test_the_denied_spend_nobody_s_answers():
    gate = Gate(options(allow=["192.0.2.6/32"], total_rate=5))
    for _ in range(1000):
        assert judged(gate, "198.51.100.1") == "denied"
    assert judged(gate, "192.0.2.6") == "answered"


def test_made_up_sources_do_not_eat_memory():
    gate = Gate(options(allow=["0.0.0.0/0"], total_rate=1e6))
    for n in range(20_000):
        judged(gate, f"{n % 199 + 1}.{n // 199 % 250}.{n // 5000}.9")
    tables = [value for value in vars(gate).values() if isinstance(value, dict)]
    assert tables
    assert all(0 < len(table) <= 4096 for table in tables)


@pytest.mark.parametrize("slow", [{"rate": 0.4}, {"total_rate": 0.9}], ids=str)
def test_less_than_one_answer_a_second_is_not_none_at_all(slow):
    gate = Gate(options(**slow))
    assert "answered" in [judged(gate, now=10.0 * n) for n in range(10)]


@given(st.lists(st.floats(0, 5), max_size=60))
def test_however_the_questions_come_no_more_than_burst_and_rate_is_answered(pauses):
    gate, now, answered = Gate(options(rate=4)), 0.0, 0
    for pause in pauses:
        now += pause
        answered += judged(gate, now=now) == "answered"
    assert answered <= 8 + 4 * now + 1


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"listen": ["192.0.2.2"]}, "192.0.2.2"),
        ({"listen": ["gw.example:7"]}, "gw.example"),
        ({"listen": ["2001:db8::2:7"]}, "2001:db8::2"),
        ({"listen": ["192.0.2.2:0"]}, "192.0.2.2:0"),
        ({"listen": ["192.0.2.2:70000"]}, "70000"),
        ({"listen": ["192.0.2.2:seven"]}, "seven"),
        ({"allow": ["192.0.2.300/32"]}, "192.0.2.300"),
        ({"allow": ["far.example"]}, "far.example"),
        ({"allow": ["192.0.2.6/24"]}, "192.0.2.6/24"),
        ({"allow": []}, "allow"),
        ({"listen": []}, "listen"),
        ({"rate": 0}, "rate"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_by_name(wrong, named):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(
            {"listen": ["192.0.2.2:7"], "allow": ["192.0.2.6/32"]} | wrong, RespondOptions
        )
    assert named in str(caught.value)


@contextlib.contextmanager
def asker(host="127.0.0.1", port=0):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind((host, port))
        yield sock


def served(scenario, **changed):
    async def play():
        responder = Responder(options(**changed), time.monotonic, logging.getLogger("respond"))
        async with asyncio.timeout(30):
            running = asyncio.ensure_future(responder.run())
            await asyncio.sleep(0)
            try:
                return await scenario(responder, asyncio.get_running_loop())
            finally:
                responder.close()
                running.cancel()
                await asyncio.sleep(0)

    return asyncio.run(play())


async def counted(responder, what, number=1):
    deadline = time.monotonic() + 5
    while responder.counts[what] < number:
        assert time.monotonic() < deadline, responder.counts
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.5", "::1"])
@pytest.mark.parametrize("data", [b"", b"12345", b"x" * 1500], ids=["0", "5", "1500"])
def test_exactly_what_came_goes_back_from_where_it_came_to(host, data):
    port = free_port(host=host)
    listen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def scenario(responder, loop):
        with asker(host if ":" in host else "127.0.0.1") as sock:
            sock.sendto(data, (host, port))
            answer, sender = await asyncio.wait_for(loop.sock_recvfrom(sock, 4096), 5)
            return answer, sender[:2], responder.counts["answered"]

    result = served(scenario, listen=[listen], allow=["127.0.0.0/8", "::1"])
    assert result == (data, (host, port), 1)


@pytest.mark.parametrize(
    ("reason", "changed", "data", "from_port"),
    [
        ("denied", {"allow": ["192.0.2.6/32"]}, b"12345", 0),
        ("oversize", {}, b"x" * 1501, 0),
        pytest.param("low_port", {}, b"12345", 1023, marks=pytest.mark.lab),
    ],
)
def test_the_dropped_hear_nothing_and_are_counted(reason, changed, data, from_port):
    port = free_port()

    async def scenario(responder, loop):
        with asker(port=from_port) as sock:
            sock.sendto(data, ("127.0.0.1", port))
            await counted(responder, reason)
            with pytest.raises(BlockingIOError):
                sock.recv(4096)
            return dict(responder.counts)

    counts = served(scenario, listen=[f"127.0.0.1:{port}"], **changed)
    assert {name: count for name, count in counts.items() if count} == {reason: 1}


def test_a_flood_is_answered_at_its_rate_and_the_rest_counted():
    port = free_port()

    async def scenario(responder, loop):
        with asker() as sock:
            for _ in range(100):
                sock.sendto(b"12345", ("127.0.0.1", port))
            deadline = time.monotonic() + 5
            while sum(responder.counts.values()) < 100 and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
            return dict(responder.counts)

    counts = served(scenario, listen=[f"127.0.0.1:{port}"], rate=5)
    assert counts["answered"] + counts["rate"] == 100
    assert 5 <= counts["answered"] < 60


def test_an_address_that_comes_later_is_answered_on_once_it_is_there(monkeypatch, caplog):
    """Somebody else holds the port at first; the other address is served meanwhile."""
    monkeypatch.setattr(respond, "RETRY_S", 0.05)
    port, other = free_port(), free_port()

    async def scenario(responder, loop):
        with asker() as sock:
            sock.sendto(b"a", ("127.0.0.1", other))
            first = await asyncio.wait_for(loop.sock_recv(sock, 10), 5)
            await asyncio.sleep(0.3)
            holder.close()
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                sock.sendto(b"b", ("127.0.0.1", port))
                with contextlib.suppress(TimeoutError):
                    return first, await asyncio.wait_for(loop.sock_recv(sock, 10), 0.1)
        return first, None

    with asker(port=port) as holder, caplog.at_level(logging.WARNING):
        answers = served(scenario, listen=[f"127.0.0.1:{port}", f"127.0.0.1:{other}"])
    assert answers == (b"a", b"b")
    [said] = [one.getMessage() for one in caplog.records if str(port) in one.getMessage()]
    assert "another process listens there: end it, or choose another port" in said
    assert "Errno" not in said


def test_closing_twice_is_fine_and_frees_the_port():
    port = free_port()

    async def scenario(responder, loop):
        responder.close()
        responder.close()
        with asker(port=port) as sock:
            return sock.getsockname()[1]

    assert served(scenario, listen=[f"127.0.0.1:{port}"]) == port


@pytest.mark.parametrize("port", [7, 7007])
def test_no_reply_goes_to_where_a_responder_listens(port):
    gate = Gate(options(listen=["127.0.0.1:7007"], allow_low_ports=True))
    assert judged(gate, port=port) == "loop"
    assert judged(gate, port=port + 1) == "answered"


def test_no_reply_goes_to_a_reply():
    gate, request = Gate(options()), EchoSession(b"eight by").request(bytes(16)) + b"more"
    replied = Sessions(5).reply("127.0.0.1", request)
    assert gate.judge("127.0.0.1", 40000, 44, 0.0, request=request) == "answered"
    assert gate.judge("127.0.0.1", 40000, 44, 0.0, request=replied) == "loop"
    assert gate.judge("127.0.0.1", 40000, 44, 0.0, request=goodbye(request)) == "loop"


def echoed(loops, *arrivals, sent=()):
    """Say of each arrival (in ms) of one text whether it is an echo of what was sent before."""
    found = []
    for at in arrivals:
        for moment in [moment for moment in sent if moment < at]:
            loops.replied(("far", 1), b"text", moment * 10**6)
        sent = [moment for moment in sent if moment >= at]
        found.append(loops.echoed(("far", 1), b"text", at * 10**6, at / 1000))
    return found


def test_what_comes_back_unchanged_is_an_echo_once_for_each_reply():
    assert echoed(Loops([], 9), 5, sent=[1]) == [True]
    assert echoed(Loops([], 9), 5, 6, 7, sent=[1, 2]) == [True, True, False]
    assert echoed(Loops([], 9), 250, sent=[1]) == [True]
    assert echoed(Loops([], 9), 251, sent=[1]) == [False]
    assert echoed(Loops([], 9), 5) == [False]


def test_what_arrived_before_the_reply_was_sent_is_no_echo_of_it():
    loops = Loops([], 9)
    loops.replied(("far", 1), b"text", 5 * 10**6)
    assert not loops.echoed(("far", 1), b"text", 5 * 10**6, 0.0)
    loops.replied(("far", 1), b"text", 5 * 10**6)
    assert loops.echoed(("far", 1), b"text", 6 * 10**6, 0.0)


def test_another_text_and_another_source_are_no_echo():
    loops = Loops([], 9)
    loops.replied(("far", 1), b"text", 1)
    assert not loops.echoed(("far", 2), b"text", 2, 0.0)
    assert not loops.echoed(("near", 1), b"text", 2, 0.0)
    assert not loops.echoed(("far", 1), b"next", 2, 0.0)


def test_who_goes_on_without_a_reply_is_a_sender_for_a_minute():
    loops = Loops([], 9)
    assert echoed(loops, 5, 25, sent=[1]) == [True, False]
    assert echoed(loops, 45, 60_024, sent=[40, 60_020]) == [False, False]
    assert echoed(loops, 60_045, 60_060, sent=[60_050]) == [False, True]


def test_a_sender_whose_requests_are_all_alike_loses_one_reply_a_minute():
    loops, lost = Loops([], 9), 0
    for n in range(1, 6000):
        if loops.echoed(("far", 1), b"text", n * 20 * 10**6, n / 50):
            lost += 1
        else:
            loops.replied(("far", 1), b"text", n * 20 * 10**6 + 1)
    assert lost == 2


@pytest.mark.parametrize("same_port", [True, False])
@pytest.mark.parametrize(
    "text",
    [b"12345", EchoSession(b"eight by").request(bytes(16)), bytes(1500)],
    ids=["short", "session", "long"],
)
def test_two_responders_do_not_echo_each_other_s_echoes(same_port, text):
    """One packet, forged in the name of the other, is all that they ever see."""
    first = ("127.0.0.1", free_port())
    second = ("127.0.0.2", first[1] if same_port else free_port(host="127.0.0.2"))

    async def play():
        log = logging.getLogger("respond")
        both = [
            Responder(options(listen=[f"{host}:{port}"]), time.monotonic, log)
            for host, port in (first, second)
        ]
        async with asyncio.timeout(30):
            await both[1].run()
            await both[0].run()
            [made] = both[1]._sockets.values()
            made.sendto(text, first)
            while not any(one.counts["loop"] for one in both):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)  # a loop on this host would have made thousands of turns
            for one in both:
                one.close()
        return [dict(one.counts) for one in both]

    counts = asyncio.run(play())
    assert sum(one["answered"] for one in counts) <= (0 if same_port else 2), counts
    assert sum(one["loop"] for one in counts) == 1, counts


def farewells(host="127.0.0.1", *, staying=(), wait_s=0.0, text=b"probe of 16 byte"):
    """Say what a prober hears after its reply as the responder ends."""
    port = free_port(host=host)
    endpoint = f"{host}:{port}"
    now = [0.0]

    async def play():
        responder = Responder(options(listen=[endpoint]), lambda: now[0], logging.getLogger("r"))
        await responder.run()
        loop = asyncio.get_running_loop()
        with asker() as sock, asker() as denied:
            sock.sendto(b"an earlier probe", (host, port))
            await asyncio.wait_for(loop.sock_recv(sock, 4096), 5)
            sock.sendto(text, (host, port))
            await asyncio.wait_for(loop.sock_recv(sock, 4096), 5)
            denied.sendto(bytes(1501), (host, port))
            await counted(responder, "oversize")
            now[0] = wait_s
            responder.close([endpoint] if staying else ())
            responder.close()
            heard = []
            for one in (sock, denied):
                with contextlib.suppress(BlockingIOError):
                    while True:
                        heard.append(one.recv(4096))
            return heard

    return asyncio.run(play())


@pytest.mark.parametrize("size", [16, 40, 41, 1400])
def test_a_responder_that_ends_says_so_once_to_whom_it_replied(size):
    text = bytes(range(100)) * 14
    assert farewells(text=text[:size]) == [b"HAV\x02" + text[: min(size, 40)]]


def test_who_has_not_probed_for_two_seconds_hears_nothing():
    assert farewells(wait_s=2.0) == [b"HAV\x02probe of 16 byte"]
    assert farewells(wait_s=2.1) == []


def test_a_listener_that_is_back_at_once_says_no_goodbye():
    assert farewells(staying=True) == []


def test_at_most_256_hear_of_the_end_known_ones_first():
    goodbyes = Goodbyes()
    goodbyes.served("known", 0, b"k", 0.0, known=True)
    for n in range(300):
        goodbyes.served("new", n, b"n", 0.0, known=False)
    due = list(goodbyes.due(1.0))
    assert len(due) == 256
    assert [each[:2] for each in (due[0], due[1], due[-1])] == [
        ("known", 0),
        ("new", 299),
        ("new", 45),
    ]
    assert list(goodbyes.due(1.0)) == []


def test_who_gets_known_meanwhile_hears_once():
    goodbyes = Goodbyes()
    goodbyes.served("here", 1, b"first", 0.0, known=False)
    goodbyes.served("here", 1, b"last", 0.0, known=True)
    assert list(goodbyes.due(0.0)) == [("here", 1, b"HAV\x02last")]
