"""The probe ``ipsec`` against a charon that behaves as the test says."""

import asyncio
import errno
import socket
import sys
import time

import msgspec
import pytest
from charon_world import Charon, child, ike
from havpn_plugins.probes._ipsec import vici
from probe_world import descriptors, run, until

from havpn_core import ConfigError, Outcome
from havpn_core.errors import CallFailed
from havpn_core.plugging.gate.building import build, lacks
from havpn_core.plugging.registry import Registry
from havpn_core.testing import context

KIND = Registry.load().get("probe", "ipsec")
GOOD = [ike(child())]


def options(path, **more):
    return msgspec.convert({"child": "lans", "socket": f"unix://{path}", **more}, KIND.config)


class Clock:
    """The real clock, which a test can put forward and stop."""

    ahead_s, stopped = 0.0, False

    def __call__(self):
        return (0.0 if self.stopped else time.monotonic()) + self.ahead_s


class Bench:
    """A probe and what it asked of the core."""

    def __init__(self, path, **more):
        self.hurried = 0
        self.clock = Clock()
        self.probe = KIND.build(options(path, **more), context(clock=self.clock))
        self.probe.tell_arrivals(lambda sample, lost: self.hurry())

    def hurry(self):
        self.hurried += 1

    async def check(self, timeout_s=0.5):
        began = time.monotonic()
        sample = await self.probe.check(timeout_s)
        assert time.monotonic() - began < timeout_s
        return sample

    async def becomes(self, outcome):
        """Check until there is another outcome."""
        async with asyncio.timeout(10):
            while (sample := await self.check()).outcome is not outcome:
                await asyncio.sleep(0.01)
        return sample

    async def __aenter__(self):
        return self

    async def __aexit__(self, *problem):
        await self.probe.close()
        await self.probe.close()


def with_charon(tmp_path, test, rows=GOOD, **more):
    async def both():
        path = str(tmp_path / "charon.vici")
        async with Charon(path, rows) as charon, Bench(path, **more) as bench:
            await test(charon, bench)

    before = descriptors()
    run(both())
    assert descriptors() == before


def test_an_installed_child_sa_is_ok_and_shows_its_traffic(tmp_path):
    async def test(charon, bench):
        sample = await bench.check()
        assert sample.outcome is Outcome.OK
        assert sample.detail == "INSTALLED, in 1200 bytes (idle 7 s), out 80 bytes"
        assert sample.latency_s is None
        facts = bench.probe.facts()
        assert (facts["charon"], facts["bytes_in"], facts["idle_in_s"]) == ("reachable", 1200, 7)
        assert charon.registered == list(vici.EVENTS)
        assert charon.filters == [{"child": b"lans"}]

    with_charon(tmp_path, test)


def test_idle_for_long_is_no_failure(tmp_path):
    async def test(charon, bench):
        assert (await bench.check()).outcome is Outcome.OK

    with_charon(tmp_path, test, [ike(child(use_in="90000", bytes_in="0"))])


def test_the_options_say_which_one(tmp_path):
    async def test(charon, bench):
        sample = await bench.check()
        assert sample.detail == "no CHILD_SA lans is INSTALLED, there is no IKE_SA line"
        assert charon.filters[0] == {"child": b"lans", "ike": b"line"}
        charon.rows = [ike(child(), name="x"), ike(child(local=["10.9.0.0/16"]))]
        charon.tell("child-updown", {"up": "yes", **ike(child())})
        await until(lambda: "selectors" in bench.probe._finding.words)
        assert (await bench.check()).outcome is Outcome.FAIL
        charon.rows = [ike(child(), name="x"), ike(child())]
        assert (await bench.becomes(Outcome.OK)).detail.startswith("INSTALLED")

    with_charon(
        tmp_path, test, [ike(child(), name="x")], connection="line", local_ts=["10.1.0.0/16"]
    )


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("child-updown", ike(child("DELETING"))),
        ("ike-updown", {"line": {"state": "DELETING"}}),
        ("child-rekey", {"line": {"child-sas": {"lans": {"old": child(), "new": child()}}}}),
    ],
)
def test_an_event_counts_at_once_if_none_remains(tmp_path, event, message):
    async def test(charon, bench):
        assert (await bench.check()).outcome is Outcome.OK
        charon.rows = [ike()]
        charon.tell(event, message)
        await until(lambda: bench.hurried)
        sample = await bench.check()
        assert (sample.outcome, sample.detail) == (Outcome.FAIL, "no CHILD_SA lans is INSTALLED")
        assert charon.listings == 3  # the first, and that it is gone is in two of them
        await asyncio.sleep(0.2)
        assert bench.hurried == 1
        assert bench.probe.facts() == {"charon": "reachable"}

    with_charon(tmp_path, test)


@pytest.mark.parametrize(
    "states", [("REKEYING",), ("REKEYED",), ("REKEYED", "INSTALLED"), ("INSTALLED", "INSTALLED")]
)
def test_an_event_of_a_rekey_counts_nothing(tmp_path, states):
    async def test(charon, bench):
        await bench.check()
        charon.rows = [ike(*map(child, states))]
        for _ in range(5):
            before = charon.listings
            charon.tell("child-updown", ike(child("DELETING")))
            await until(lambda before=before: charon.listings > before)
            assert (await bench.check()).outcome is Outcome.OK
        assert bench.hurried == 0

    with_charon(tmp_path, test)


def test_a_listing_that_misses_a_moving_child_sa_is_not_believed(tmp_path):
    async def test(charon, bench):
        await bench.check()
        charon.script = [[ike(), ike()]]
        charon.tell("ike-rekey", {"line": {"old": {}, "new": {}}})
        await until(lambda: charon.listings == 3)
        await asyncio.sleep(0.05)
        assert (await bench.check()).outcome is Outcome.OK
        # Later on another one is not believed either.
        charon.script = [[ike()]]
        charon.tell("ike-rekey", {"line": {"old": {}, "new": {}}})
        await until(lambda: charon.listings >= 5)
        await asyncio.sleep(0.05)
        assert (await bench.check()).outcome is Outcome.OK
        assert bench.hurried == 0

    with_charon(tmp_path, test)


def test_an_event_while_a_listing_is_under_way_makes_another_one(tmp_path):
    async def test(charon, bench):
        await bench.check()

        def overtaken():
            charon.before_response, charon.rows = None, []
            charon.tell("child-updown", ike(child()))

        charon.before_response = overtaken
        charon.tell("child-updown", ike(child()))
        await until(lambda: bench.hurried == 1)

    with_charon(tmp_path, test)


def test_events_of_others_ask_for_nothing(tmp_path):
    async def test(charon, bench):
        await bench.check()
        for _ in range(50):
            charon.tell("child-updown", ike(child(name="other")))
        charon.tell("ike-updown", {"x": {"state": "DELETING"}})
        await asyncio.sleep(0.05)
        assert charon.listings == 1

    with_charon(tmp_path, test, connection="line")


def test_checks_in_quick_succession_share_a_listing(tmp_path):
    async def test(charon, bench):
        began = time.monotonic()
        for _ in range(100):
            await bench.check()
            await asyncio.sleep(0.002)
        assert charon.listings <= 2 + (time.monotonic() - began) / vici.LEAST_S
        assert charon.listings >= 2
        assert charon.connections == 1

    with_charon(tmp_path, test)


def test_a_frozen_charon_is_an_error_and_keeps_one_socket(tmp_path):
    async def test(charon, bench):
        assert (await bench.check(0.2)).outcome is Outcome.OK
        charon.silent = True
        seen = []
        for _ in range(60):
            began = time.monotonic()
            seen.append(await bench.check(0.2))
            assert time.monotonic() - began < 0.1  # a check waits for nobody
            await asyncio.sleep(0.01)
        outcomes = [sample.outcome for sample in seen]
        assert outcomes[0] is Outcome.OK
        assert outcomes[-1] is Outcome.ERROR
        assert Outcome.FAIL not in outcomes
        assert seen[-1].detail.startswith("charon has not replied for 0.")
        assert charon.connections == 1

    with_charon(tmp_path, test)


@pytest.mark.parametrize(
    ("slow_s", "pause_s"), [(0.0, vici.LEAST_S), (0.05, 0.5), (5.0, vici.MOST_S)]
)
def test_a_slow_charon_is_left_in_peace_for_a_while(tmp_path, slow_s, pause_s):
    async def test(charon, bench):
        def late():
            bench.clock.ahead_s += slow_s

        bench.clock.stopped = True
        charon.before_response = late
        assert (await bench.check()).outcome is Outcome.OK
        for ahead_s, listings in ((pause_s - 0.01, 1), (0.02, 2)):
            bench.clock.ahead_s += ahead_s
            await bench.check()
            await asyncio.sleep(0.05)
            assert charon.listings == listings

    with_charon(tmp_path, test)


def test_one_that_is_frozen_from_the_first_keeps_the_timeout(tmp_path):
    async def test(charon, bench):
        charon.silent = True
        first, second = await asyncio.gather(bench.check(0.2), bench.check(0.2))
        assert {first.outcome, second.outcome} == {Outcome.ERROR}
        began = time.monotonic()
        assert (await bench.check(0.2)).outcome is Outcome.ERROR
        assert time.monotonic() - began < 0.1
        assert bench.probe.facts() == {"charon": "reachable"}

    with_charon(tmp_path, test)


def test_one_that_is_silent_for_long_gets_another_connection(tmp_path):
    async def test(charon, bench):
        await bench.check()
        charon.silent = True
        await asyncio.sleep(vici.LEAST_S)
        await bench.check()
        bench.clock.ahead_s += vici.GIVE_UP_S - 1
        assert "has not replied for 9" in (await bench.check()).detail
        assert charon.connections == 1
        bench.clock.ahead_s += 2
        assert (await bench.check()).detail == "charon is not reachable: no reply"
        charon.silent = False
        bench.clock.ahead_s += vici.RETRY_S
        assert (await bench.becomes(Outcome.OK)).detail.startswith("INSTALLED")
        assert charon.connections == 2

    with_charon(tmp_path, test)


def test_a_charon_that_is_killed_is_an_error_until_it_is_back(tmp_path):
    async def both():
        path = str(tmp_path / "charon.vici")
        async with Bench(path) as bench:
            sample = await bench.check()
            assert sample.outcome is Outcome.ERROR
            assert sample.detail == "charon is not reachable: no such file or directory"
            assert bench.probe.facts() == {"charon": "no such file or directory"}
            async with Charon(path, GOOD) as charon:
                await bench.becomes(Outcome.OK)
                await charon.stop()
                sample = await bench.becomes(Outcome.ERROR)
                assert sample.detail.startswith("charon is not reachable: ")
                await asyncio.sleep(vici.RETRY_S)
                sample = await bench.check()
                assert sample.detail == "charon is not reachable: connection refused"
            (tmp_path / "charon.vici").unlink(missing_ok=True)
            async with Charon(path, []) as charon:
                seen = []
                async with asyncio.timeout(10):
                    while Outcome.FAIL not in seen:
                        seen.append((await bench.check()).outcome)
                        await asyncio.sleep(0.005)
                assert Outcome.OK not in seen  # what the old one had is forgotten
            assert bench.hurried == 0

    before = descriptors()
    run(both())
    assert descriptors() == before


@pytest.mark.parametrize(
    ("garbage", "why"),
    [
        (b"\xff\xff\xff\xff", "what it sends is no VICI"),
        (b"\0\0\0\0", "what it sends is no VICI"),
        (b"\0\0\0\x01\x63", "it does not know list-sas"),
        (b"\0\0\0\x01\x01", "it does not know list-sas"),
        (b"\0\0\0\x01\x06", "it does not know list-sas"),
        (b"\0\0\0\x01\x07", "what it sends is no VICI"),
        (b"\0\0\0\x0a\x07\x07list-sa\x01", "what it sends is no VICI"),
    ],
)
def test_what_is_no_vici_is_an_error(tmp_path, garbage, why):
    async def test(charon, bench):
        charon.garbage = garbage
        sample = await bench.check()
        assert sample.outcome is Outcome.ERROR
        assert sample.detail.startswith(f"charon is not reachable: {why}")

    with_charon(tmp_path, test)


def test_packets_may_come_in_pieces(tmp_path):
    async def both():
        path = str(tmp_path / "charon.vici")

        class Slow(Charon):
            async def dribble(self):
                while True:
                    for writer in [each for each in self.writers if self.whole]:
                        writer.write(bytes([self.whole.pop(0)]))
                    await asyncio.sleep(0)

            def send(self, packet, *to):
                self.whole += len(packet).to_bytes(4, "big") + packet

        async with Slow(path, GOOD) as charon, Bench(path) as bench:
            charon.whole = bytearray()
            work = asyncio.ensure_future(charon.dribble())
            assert (await bench.check(5)).outcome is Outcome.OK
            work.cancel()

    run(both())


def test_a_charon_without_some_of_the_events_will_do(tmp_path):
    async def test(charon, bench):
        charon.unknown = {"child-rekey", "ike-rekey"}
        assert (await bench.check()).outcome is Outcome.OK

    with_charon(tmp_path, test)


def test_one_that_lists_nothing_will_not(tmp_path):
    async def test(charon, bench):
        charon.unknown = {"list-sa"}
        sample = await bench.check()
        assert sample.outcome is Outcome.ERROR
        assert sample.detail == "charon is not reachable: it does not know list-sas"

    with_charon(tmp_path, test)


def test_a_full_queue_of_connections_is_an_error(tmp_path):
    path = str(tmp_path / "charon.vici")
    waiting = []
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(path)
        frozen.listen(0)
        while True:
            one = socket.socket(socket.AF_UNIX)
            one.setblocking(False)
            waiting.append(one)
            if one.connect_ex(path) == errno.EAGAIN:
                break

        async def test():
            async with Bench(path) as bench:
                sample = await bench.check()
                assert sample.outcome is Outcome.ERROR
                assert sample.detail == "charon is not reachable: it takes no more connections"

        run(test())
    for one in waiting:
        one.close()


def test_closed_it_checks_nothing(tmp_path):
    async def test(charon, bench):
        await bench.check()
        await bench.probe.close()
        assert (await bench.check()).detail == "closed"
        await until(lambda: not charon.writers)

    with_charon(tmp_path, test)


@pytest.fixture
def without_library(monkeypatch):
    for name in ("vici", "vici.protocol"):
        monkeypatch.setitem(sys.modules, name, None)


def test_without_the_library_the_error_says_what_to_install(without_library, tmp_path):
    assert Registry.load().get("probe", "ipsec").summary
    given = options(tmp_path / "charon.vici")
    with pytest.raises(ConfigError, match=r"pip install 'havpn\[ipsec\]'"):
        KIND.build(given, context())
    with pytest.raises(CallFailed, match=r"pip install 'havpn\[ipsec\]'"):
        build(KIND, given, context(), "path.vpn1.probe.sa")
    assert lacks(KIND, given) == [vici.INSTALL]


def test_check_says_where_there_is_no_socket(tmp_path):
    path = tmp_path / "charon.vici"
    (said,) = lacks(KIND, options(path))
    assert said.startswith(f"{path} is no socket: start strongSwan")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
        assert lacks(KIND, options(path)) == []


@pytest.mark.parametrize("bad", ["tcp://127.0.0.1:4502", "charon.vici", "", "/" + "x" * 107])
def test_a_socket_that_is_none_is_refused(bad):
    with pytest.raises(msgspec.ValidationError, match=r"socket: .*unix:///var/run/charon\.vici"):
        msgspec.convert({"child": "lans", "socket": bad}, KIND.config)


def test_a_path_alone_is_a_socket(tmp_path):
    given = msgspec.convert({"child": "lans", "socket": "/run/x"}, KIND.config)
    assert given.path == "/run/x"
    assert msgspec.convert({"child": "lans"}, KIND.config).path == "/var/run/charon.vici"
