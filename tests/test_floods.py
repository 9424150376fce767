"""The gate under floods of forged requests, on a virtual clock, while the far gateway probes."""

import random

import pytest

from havpn_core.echo.gate import SOURCES, Gate, RespondOptions
from havpn_core.echo.report import EchoSession

FAR = "192.0.2.6"
FLOOD = 100_000


def gate(**changed):
    given = {"listen": ["192.0.2.2:7"], "allow": ["192.0.2.6/32", "198.51.100.0/24"]} | changed
    return Gate(RespondOptions(**given))


class Prober:
    """Probes as ``udp-echo`` does: at an interval, after a loss in a burst from new ports.

    :param sign: alike in all its requests; none as another program may send them.
    :param lossy: share of requests that the line itself loses.
    """

    def __init__(self, sign=b"", *, interval=0.025, lossy=0.0, seed=7):
        self.random = random.Random(seed)
        self.sign, self.lossy = sign, lossy
        self.interval, self.confirm, self.fall = interval, interval / 5, 12
        self.port, self.due, self.row = 40123, 0.0, 0
        self.served, self.lost, self.worst = 0, 0, 0

    def probe(self, judged, now):
        if self.row:
            self.port = self.random.randrange(32768, 61000)
        arrives = self.random.random() >= self.lossy
        request = self.sign + self.random.randbytes(16 - len(self.sign))
        if arrives and judged.judge(FAR, self.port, 16, now, request=request) == "answered":
            self.served, self.row = self.served + 1, 0
        else:
            self.row += 1
            self.lost += arrives
            self.worst = max(self.worst, self.row)
        pause = self.confirm if 0 < self.row < self.fall else self.interval
        self.due += pause * self.random.uniform(0.9, 1.1)  # or it would keep step with a budget

    def forget(self):
        self.served, self.lost, self.worst, self.row = 0, 0, 0, 0


def random_ports(chance, n, own_port):
    return FAR, chance.randrange(1024, 65536), chance.randbytes(16)


def one_text(chance, n, own_port):
    return FAR, chance.randrange(1024, 65536), b"the same in all."


def one_port(chance, n, own_port):
    return FAR, 50000, chance.randbytes(16)


def own_port(chance, n, own_port):
    return FAR, own_port, chance.randbytes(16)


def sessions(chance, n, own_port):
    request = EchoSession(chance.randbytes(8)).request(chance.randbytes(16))
    return FAR, chance.randrange(1024, 65536), request


def many_sources(chance, n, own_port):
    return f"198.51.100.{n % 256}", chance.randrange(1024, 65536), chance.randbytes(16)


FLOODS = [random_ports, one_text, one_port, own_port, sessions, many_sources]


def play(judged, prober, flood, span, rate=FLOOD):
    """Send both for some time; gives how many forged requests got a reply."""
    begin, end = span
    chance, step, replies = random.Random(3), 1 / rate if rate else end - begin, 0
    for n in range(max(1, round((end - begin) / step))):
        now = begin + n * step
        while prober.due <= now:
            prober.probe(judged, prober.due)
        if rate:
            host, port, request = flood(chance, n, prober.port)
            got = judged.judge(host, port, len(request), now, request=request)
            replies += got == "answered"
    while prober.due <= end:
        prober.probe(judged, prober.due)
    return replies


def known(sign=b"", **changed):
    """Give a gate and a prober that has been served for a while."""
    judged, prober = gate(**changed), Prober(sign)
    play(judged, prober, None, (0, 3), rate=0)
    assert prober.lost == 0
    prober.forget()
    return judged, prober


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_a_known_sender_loses_nothing_to_a_flood_though_it_renews_its_port(flood):
    judged, prober = known(b"8 bytes.")
    prober.lossy = 0.1
    replies = play(judged, prober, flood, (3, 4))
    assert (prober.lost, prober.served > 25) == (0, True)
    assert prober.worst < prober.fall
    assert replies <= (20_000 if flood is many_sources else 800)


@pytest.mark.parametrize("flood", [f for f in FLOODS if f is not own_port])
def test_a_known_port_is_served_without_a_sign(flood):
    judged, prober = known()
    play(judged, prober, flood, (3, 4))
    assert (prober.lost, prober.served > 35) == (0, True)


@pytest.mark.parametrize("flood", [one_text, one_port, many_sources])
def test_a_sender_without_a_sign_gets_replies_at_new_ports_where_the_flood_is_not_all_new(flood):
    judged, prober = known()
    play(judged, prober, flood, (3, 3.7))
    prober.forget()
    prober.lossy = 0.2
    play(judged, prober, flood, (3.7, 4.7))
    assert prober.lost == 0


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_a_sender_that_begins_during_a_flood_is_known_by_its_sign_after_seconds(flood):
    judged, prober = gate(), Prober(b"8 bytes.")
    play(judged, prober, flood, (0, 3), rate=20_000)
    prober.forget()
    play(judged, prober, flood, (3, 4), rate=20_000)
    assert (prober.lost, prober.served > 35) == (0, True)


def test_one_that_is_known_is_not_pushed_out_by_others_that_come_to_stay():
    judged, prober = known(b"8 bytes.")
    signs = [b"stays%03d" % n for n in range(200)]

    def stayers(chance, n, own_port):
        return FAR, 1024 + n % 200, signs[n % 200] + chance.randbytes(8)

    play(judged, prober, stayers, (3, 8), rate=10_000)
    assert prober.lost == 0


def test_a_share_of_the_places_is_left_to_other_addresses():
    judged = gate()
    signs = [b"stays%03d" % n for n in range(200)]

    def stayers(chance, n, own_port):
        return "198.51.100.1", 1024 + n % 200, signs[n % 200] + chance.randbytes(8)

    prober = Prober(b"8 bytes.")
    play(judged, prober, stayers, (0, 3), rate=10_000)
    assert prober.lost == 0
    assert judged.knows(FAR, 1, b"8 bytes.and more")


def test_a_place_is_given_to_another_after_a_minute_of_silence():
    judged, first = gate(rate=1000, total_rate=3000), b"first..."
    # Of the only place there is.
    for n in range(50):
        judged.judge("198.51.100.1", 5000, 16, n / 10, request=first + bytes(8))
    assert judged.knows("198.51.100.1", 1, first + bytes(8))
    for n in range(50):
        judged.judge(FAR, 5000, 16, 6 + n / 10, request=b"second.." + bytes(8))
    assert not judged.knows(FAR, 1, b"second.." + bytes(8))
    for n in range(50):
        judged.judge(FAR, 5000, 16, 70 + n / 10, request=b"second.." + bytes(8))
    assert judged.knows(FAR, 1, b"second.." + bytes(8))
    assert not judged.knows("198.51.100.1", 1, first + bytes(8))


def test_a_source_is_one_whatever_form_its_address_comes_in():
    judged = gate(allow=["fe80::/10", "192.0.2.6/32"], rate=2, total_rate=1000)
    forms = ["fe80::1%eth0", "fe80::1%eth1", "FE80::1"]
    served = [judged.judge(forms[n % 3], 40000, 16, 0.0) for n in range(12)]
    assert served.count("answered") == 4
    forms = ["192.0.2.6", "::ffff:192.0.2.6"]
    served = [judged.judge(forms[n % 2], 40000, 16, 0.0) for n in range(12)]
    assert served.count("answered") == 4


def test_memory_stays_bounded_whatever_comes():
    judged = gate(allow=["0.0.0.0/0"], total_rate=1e6)
    chance = random.Random(1)
    for n in range(30_000):
        host = f"{n % 199 + 1}.{n // 199 % 250}.{n // 5000}.9"
        text = chance.randbytes(16)
        for _ in range(2):
            judged.judge(host, n % 60000 + 1024, 16, n / 1000, request=text)
    for one in (judged, judged._sources, judged._loops):
        tables = [value for value in vars(one).values() if isinstance(value, dict)]
        assert tables
        assert all(len(table) <= SOURCES for table in tables)
