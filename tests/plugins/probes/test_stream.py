"""Streams on real sockets: two ends in one process, and two hosts on one wire."""

import asyncio
import contextlib
import dataclasses
import socket
import threading

import msgspec
import pytest
from havpn_plugins.probes import stream
from havpn_plugins.probes._stream.saying import LATELY_S
from havpn_plugins.probes._stream.shared import streams

from havpn_core import ConfigError, Duration, Outcome, Role, Sample, Stance, Verdict
from havpn_core.testing import check_probe_type, options
from tests.plugins.probes.probe_world import (
    Surroundings,
    closed,
    descriptors,
    run,
    until,
)
from tests.ports import free_port

[TYPE] = stream.havpn_register_probes()
KEY, OTHER = "11" * 32, "22" * 32


@pytest.fixture
def keys(tmp_path):
    def write(*lines, name="line.key"):
        file = tmp_path / name
        file.write_text("\n".join(lines or (KEY,)) + "\n")
        file.chmod(0o600)
        return str(file)

    return write


class End:
    """One end, and the samples that it reported."""

    def __init__(self, world, host, source, **more):
        self.samples, self.warnings = [], []
        table = {"host": host, "source": source, "interval": "10ms"} | more
        self.context = dataclasses.replace(
            world.context(), warn=self.warnings.append, stance=lambda: self.stance
        )
        self.stance = Stance(Role.ACTIVE, True)
        self.probe = TYPE.build(options(TYPE, table), self.context)

    def start(self):
        self.probe.tell_arrivals(lambda sample, lost: self.samples.append(sample))
        return self

    @property
    def heard(self):
        return self.probe.session.heard

    def outcomes(self):
        return {sample.outcome for sample in self.samples}

    def run_of_failures(self):
        run = 0
        for sample in reversed(self.samples):
            if sample.outcome is Outcome.OK:
                break
            run += sample.outcome is Outcome.FAIL
        return run

    @property
    def unbroken(self):
        """Nothing but a crowded host makes a failure here, and none for half a second."""
        run = 0
        for sample in self.samples:
            run = run + 1 if sample.outcome is Outcome.FAIL else 0
            if run > 50:
                return False
        return True

    @property
    def well(self):
        """Nor was any of them a refusal."""
        return self.unbroken and not any(sample.refused for sample in self.samples)


@contextlib.asynccontextmanager
async def two(world, key_file, *, ipv6=False, **more):
    near, far = ("::1", "::1") if ipv6 else ("127.0.0.1", "127.0.0.2")
    ports = {"port": free_port()} | more
    one = End(world, far, near, key_file=key_file, **ports)
    two = End(world, near, far, key_file=key_file, **ports)
    try:
        yield one, two
    finally:
        await closed(one.probe)
        await closed(two.probe)


@contextlib.contextmanager
def a_far_end(table):
    """Run one end in a loop and thread of its own, as the kit has a loop of its own, too."""
    loop, ended = asyncio.new_event_loop(), threading.Event()

    async def live():
        end = End(Surroundings(), **table).start()
        while not ended.is_set():
            await asyncio.sleep(0.01)
        await closed(end.probe)

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        loop.close()


def keeps_the_contract(kind, key_file):
    """Check it against a far end; called for every bundled type in tests/testing."""
    near = {"host": "127.0.0.2", "source": "127.0.0.1", "port": free_port(), "key_file": key_file}
    with a_far_end(near | {"host": "127.0.0.1", "source": "127.0.0.2"}):
        check_probe_type(
            kind,
            reachable=near,
            unreachable=near | {"source": "127.0.0.3", "host": "127.0.0.4"},
            timeout_s=3.0,
            hostile=[near | {"interval": "1ms"}, near | {"port": 0}, near | {"source": "::1"}],
        )


@pytest.mark.parametrize("interval_s", [0.025, 0.5])
def test_its_own_interval_follows_the_path_s(interval_s, keys):
    given = options(TYPE, {"host": "192.0.2.6", "key_file": keys()})
    assert stream.paced(given, interval_s).interval == (0.01 if interval_s < 0.1 else 0.1)
    assert TYPE.arrival_s(stream.paced(given, interval_s)) == (0.01 if interval_s < 0.1 else 0.1)
    own = options(TYPE, {"host": "192.0.2.6", "key_file": keys(), "interval": "33ms"})
    assert stream.paced(own, interval_s).interval == Duration(0.033)


@pytest.mark.parametrize("lines", [None, (), ("nonsense",), ("11" * 8,)])
def test_without_a_good_key_file_there_is_no_instance(world, tmp_path, keys, lines):
    file = str(tmp_path / "none.key") if lines is None else keys(*(lines or ("# empty",)))
    given = options(TYPE, {"host": "192.0.2.6", "key_file": file})
    with pytest.raises(ConfigError, match=r"key_file: .*havpn keygen"):
        TYPE.build(given, world.context())
    assert "key_file" in TYPE.missing(given)[0]


def test_two_ends_hear_each_other_and_know_the_round_trip(world, keys):
    async def scenario():
        async with two(world, keys()) as (near, far):
            far.stance = Stance(Role.STANDBY, False, no_road=True)
            near.start(), far.start()
            await until(lambda: near.heard and far.heard)
            await until(lambda: near.probe.facts()["received"] > 50)
            assert near.well and far.well
            await until(lambda: near.probe.noticed() == "standby")
            return near.probe.facts(), await near.probe.check(1)

    facts, sample = run(scenario())
    assert sample.outcome is Outcome.OK and 0 <= sample.latency_s < 0.1
    assert facts["interval_ms"] == 10 and facts["rtt_ms"] < 100
    assert (facts["loss_out"], facts["loss_back"]) == (0, 0)
    assert facts["far"]["role"] == "standby" and facts["far"]["fit"] is False


def test_its_own_packets_that_come_back_are_nobody_s(world, keys):
    async def scenario():
        async with two(world, keys(), ipv6=True) as (near, _):
            near.start()
            await until(lambda: near.probe.facts()["foreign"] > 0)
            return near.heard

    assert run(scenario()) is False


def test_a_far_end_without_a_stream_is_an_error_with_the_remedy(world, keys):
    async def scenario():
        async with two(world, keys()) as (near, _):
            near.start()
            await until(lambda: len(near.samples) >= 2)
            return near.samples, await near.probe.check(0.05)

    samples, sample = run(scenario())
    assert {one.outcome for one in samples} == {Outcome.ERROR}
    assert "configure a probe of type stream towards this gateway" in samples[-1].detail
    assert "nobody listens on UDP port" in sample.detail and sample.outcome is Outcome.ERROR


def test_an_end_that_closes_says_so_and_one_that_dies_is_refused_by_its_host(world, keys):
    async def scenario():
        async with two(world, keys()) as (near, far):
            near.start(), far.start()
            await until(lambda: near.heard and far.heard)
            await far.probe.close()
            await until(lambda: near.samples[-1].outcome is Outcome.FAIL)
            assert near.samples[-1].refused and "the far host lives" in near.samples[-1].detail
            # Its kernel refuses once a second what goes on to come.
            await asyncio.sleep(3)
            return near.samples

    samples = run(scenario())
    assert all(sample.refused for sample in samples if sample.outcome is Outcome.FAIL)


def test_a_wrong_key_is_said_once_and_changes_nothing(world, keys):
    async def scenario():
        async with two(world, keys()) as (near, far):
            near.start(), far.start()
            await until(lambda: near.heard and far.heard)
            thief = End(
                world, "127.0.0.1", "127.0.0.3", port=near.probe._options.port,
                key_file=keys(OTHER, name="other.key"),
            )  # fmt: skip
            thief.start()
            await until(lambda: near.probe.facts()["foreign"] > 0)
            await asyncio.sleep(0.3)
            await closed(thief.probe)
            return near

    near = run(scenario())
    assert near.well
    assert len(near.warnings) == 1 and "127.0.0.3" in near.warnings[0]


@pytest.mark.parametrize("ipv6", [False, True])
def test_a_far_end_that_nobody_knows_the_address_of_begins(world, keys, ipv6):
    fixed, moving = ("::1", None) if ipv6 else ("127.0.0.1", "127.0.0.2")

    async def scenario():
        more = {"port": free_port(), "key_file": keys()}
        near = End(world, "dynamic", fixed, **more).start()
        await until(lambda: near.samples)
        assert near.outcomes() == {Outcome.ERROR}
        assert "the far end" in near.samples[0].detail
        if ipv6:  # a loopback has one address of its own
            await closed(near.probe)
            return None
        far = End(world, fixed, moving, **more).start()
        await until(lambda: near.heard and far.heard)
        await until(lambda: far.probe.facts()["received"] > 20)
        address = near.probe.session.address[0]
        await closed(far.probe)
        moved = End(world, fixed, "127.0.0.3", **more).start()
        await until(lambda: moved.heard and near.probe.session.address[0] == "127.0.0.3")
        for end in (near, moved):
            await closed(end.probe)
        return address

    assert run(scenario()) == moving


def test_dynamic_far_ends_on_one_socket_are_told_apart_by_their_keys(world, keys):
    async def scenario():
        port, ends = free_port(), []
        for number in (1, 2):
            key = keys(f"{number:02x}" * 32, name=f"{number}.key")
            more = {"port": port, "key_file": key}
            ends.append(End(world, "dynamic", "127.0.0.1", **more).start())
            ends.append(End(world, "127.0.0.1", f"127.0.1.{number}", **more).start())
        await until(lambda: all(end.heard for end in ends))
        hosts = [end.probe.session.address[0] for end in ends]
        for end in ends:
            await closed(end.probe)
        return hosts

    assert run(scenario()) == ["127.0.1.1", "127.0.0.1", "127.0.1.2", "127.0.0.1"]


def test_nobody_can_be_greeted_who_is_dynamic(world, keys):
    end = End(world, "dynamic", "127.0.0.1", key_file=keys())
    [found] = run(end.probe.diagnose(1.0, False))
    assert found.level == "warning" and "far end" in found.remedy
    assert run(end.probe.diagnose(1.0, True)) == []


def test_streams_share_a_socket_and_the_last_one_closes_it(world, keys):
    async def scenario():
        before = descriptors()
        port, ends = free_port(), []
        for number in range(3):
            key = keys(f"{number:02x}" * 32 if number else KEY, name=f"{number}.key")
            more = {"port": port, "key_file": key}
            ends.append(End(world, f"127.0.1.{number}", "127.0.0.1", **more).start())
            ends.append(End(world, "127.0.0.1", f"127.0.1.{number}", **more).start())
        await until(lambda: all(end.heard for end in ends))
        opened = descriptors() - before
        for end in ends:
            await closed(end.probe)
        return opened, descriptors() - before, streams()._members

    assert run(scenario()) == (4, 0, {})


def test_streams_with_one_key_on_one_socket_are_kept_apart(world, keys):
    async def scenario():
        port, key, ends = free_port(), keys(), []
        for number in range(3):
            more = {"port": port, "key_file": key}
            ends.append(End(world, f"127.0.1.{number}", "127.0.0.1", **more).start())
            ends.append(End(world, "127.0.0.1", f"127.0.1.{number}", **more).start())
        await until(lambda: all(end.heard for end in ends))
        for end in ends:
            end.samples.clear()  # one that began before its far end was refused
        await until(lambda: all(len(end.samples) > 40 for end in ends))
        hosts = [end.probe.session.address[0] for end in ends]
        well = all(end.well for end in ends)  # before the goodbyes, which are refusals
        for end in ends:
            await closed(end.probe)
        return hosts, well

    hosts, well = run(scenario())
    assert hosts == ["127.0.1.0", "127.0.0.1", "127.0.1.1", "127.0.0.1", "127.0.1.2", "127.0.0.1"]
    assert well


def test_one_that_takes_the_place_of_another_is_heard_though_both_are_there_for_a_moment(
    world, keys
):
    async def scenario():
        async with two(world, keys()) as (near, far):
            near.start(), far.start()
            await until(lambda: near.heard and far.heard)
            after = End(
                world, "127.0.0.2", "127.0.0.1", port=near.probe._options.port, key_file=keys()
            ).start()
            await until(lambda: after.heard)
            await near.probe.close()
            await asyncio.sleep(1.5)
            await closed(after.probe)
            return far.unbroken

    assert run(scenario())


def test_a_port_that_another_program_has_is_an_error_with_the_remedy(world, keys):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))

        async def scenario():
            async with two(world, keys(), port=taken.getsockname()[1]) as (near, _):
                near.start()
                await until(lambda: near.samples)
                return near.samples[-1]

        sample = run(scenario())
    assert sample.outcome is Outcome.ERROR and "another program has this port" in sample.detail


def test_how_the_far_gateway_stands_is_known_while_it_says_so_and_forgotten_after(world, keys):
    async def scenario():
        async with two(world, keys()) as (near, far):
            assert near.probe.far_stance() is None
            far.stance = Stance(Role.ACTIVE, True, verdict=Verdict.UP)
            near.start(), far.start()
            await until(lambda: near.probe.far_stance() == far.stance)
            shown = near.probe.facts()["far"]
            await far.probe.close()
            await until(lambda: near.probe.far_stance() is None)
            return shown, near.probe.facts()["far"]

    shown, old = run(scenario())
    age_s = shown.pop("age_s")
    assert 0 <= age_s <= LATELY_S < old["age_s"]
    known = {"role": "active", "fit": True, "maintenance": False, "paused": False}
    assert shown == known | {"verdict": "up", "name": None}


def test_a_missing_interface_fails_what_was_heard_before(world, keys):
    async def scenario():
        async with two(world, keys()) as (near, far):
            near.start(), far.start()
            await until(lambda: near.heard and far.heard)
            gone = {"source": "192.0.2.77"}  # as after the address was taken from this host
            near.probe._options = msgspec.structs.replace(near.probe._options, **gone)
            await until(lambda: near.run_of_failures() > 3)
            return near.samples[-1]

    sample = run(scenario())
    assert "does not have the source address" in sample.detail or "no packet" in sample.detail


def test_both_ends_say_what_the_line_loses_and_that_the_far_gateway_has_just_left_it(world, keys):
    async def scenario():
        async with two(world, keys()) as (near, far):
            near.start(), far.start()
            await until(lambda: near.probe.line_loss() and far.probe.line_loss())
            found = near.probe.line_loss(), far.probe.line_loss()
            assert not near.probe.far_left()
            far.stance = Stance(Role.STANDBY, True, left=True)
            await until(near.probe.far_left)
            assert near.probe.far_stance() == far.stance
            assert not far.probe.far_left()
            far.stance = Stance(Role.STANDBY, True)
            await until(lambda: not near.probe.far_left())
            return found

    for found in run(scenario()):
        assert found.samples >= 200
        assert found.share < 0.5


def test_what_a_far_end_says_that_is_away_is_a_failure(world, keys):
    async def scenario():
        async with two(world, keys()) as (near, far):
            near.start(), far.start()
            await until(lambda: near.heard and far.heard)
            far.stance = Stance(away=True)
            await until(lambda: near.run_of_failures() > 5)
            return near.samples[-1], near.probe.noticed(), far.well

    sample, noticed, well = run(scenario())
    assert sample == Sample.fail("the far gateway is not to be used")
    assert noticed == "away" and well
