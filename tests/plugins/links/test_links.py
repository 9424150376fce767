"""Links: framing, and real pseudo-terminals and sockets."""

import asyncio
import contextlib
import logging
import os
import pty
import socket
import time
import tty

import msgspec
import pytest
from havpn_plugins.links import serial, udp
from havpn_plugins.links._framing import Deframer, decode, encode
from hypothesis import given
from hypothesis import strategies as st

from havpn_core import Context
from tests.ports import free_port

FRAMES = st.lists(st.binary(min_size=1, max_size=300).filter(len), max_size=6)


@given(st.binary(min_size=0, max_size=1000))
def test_a_frame_survives_stuffing(frame):
    stuffed = encode(frame)
    assert stuffed[0] == stuffed[-1] == 0
    assert 0 not in stuffed[1:-1]
    assert decode(stuffed[1:-1]) == frame


@given(FRAMES, st.integers(1, 40))
def test_frames_are_found_however_the_bytes_arrive(frames, chunk):
    stream = b"".join(encode(frame) for frame in frames)
    deframer, found = Deframer(), []
    for at in range(0, len(stream), chunk):
        found += deframer.feed(stream[at : at + chunk])
    assert found == frames
    assert deframer.damaged == 0


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=80))
def test_noise_before_a_frame_costs_nothing(noise, frame):
    assert frame in Deframer().feed(noise + encode(frame))


@given(st.binary(min_size=4, max_size=80), st.integers(0, 10**6), st.integers(1, 255))
def test_a_damaged_frame_is_dropped_and_the_next_is_whole(frame, at, flip):
    damaged = bytearray(encode(frame))
    damaged[1 + at % (len(damaged) - 2)] ^= flip
    found = Deframer().feed(bytes(damaged) + encode(b"next"))
    assert found[-1] == b"next"
    assert frame not in found[:-1]


def test_noise_without_end_takes_no_memory():
    deframer = Deframer()
    for _ in range(100):
        assert deframer.feed(b"\x55" * 1000) == []
    assert deframer.damaged > 50
    assert deframer.feed(encode(b"after")) == [b"after"]


class World:
    def __init__(self):
        self.changes, self.frames, self.clock = 0, [], time.monotonic

    def build(self, module, **options):
        [kind] = module.havpn_register_links()
        context = Context(
            "pair.link.x", "gw", logging.getLogger("test"), self.clock,
            lambda host, family: host, lambda: self.changes, received=self.frames.append,
        )  # fmt: skip
        return kind.build(msgspec.convert(options, kind.config), context)


def run(play):
    async def bounded():
        async with asyncio.timeout(30):
            return await play()

    return asyncio.run(bounded())


async def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come about"
        await asyncio.sleep(0.01)


def cable():
    """Give a device and our side of it."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    return ours, theirs, os.ttyname(theirs)


def test_serial_carries_frames_through_noise():
    async def play():
        world, (ours, theirs, device) = World(), cable()
        link = world.build(serial, device=device, baud=9600)
        try:
            link.send(b"hello")
            sent = b""
            while len(Deframer().feed(sent)) < 1:
                await asyncio.sleep(0.01)
                sent += os.read(ours, 100)
            assert Deframer().feed(sent) == [b"hello"]
            os.write(ours, b"\x00\xff\x17noise" + encode(b"one") + b"garbage" + encode(b"two"))
            await until(lambda: world.frames == [b"one", b"two"])
            assert link.facts()["line"] == "up"
            assert link.facts()["damaged"] == 2
        finally:
            link.close()
            link.close()
            os.close(ours)
            os.close(theirs)

    run(play)


def test_serial_whose_device_vanishes_comes_back_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(serial, "RETRY_S", 0.05)

    async def play():
        world, (ours, theirs, device) = World(), cable()
        plug = tmp_path / "ttyX"
        plug.symlink_to(device)
        link = world.build(serial, device=str(plug))
        link.send(b"x")
        assert link.facts()["open"]
        os.close(theirs)
        os.close(ours)
        await until(lambda: not link.facts()["open"])
        assert link.facts()["error"]
        link.send(b"lost")
        ours, theirs, device = cable()
        plug.unlink()
        plug.symlink_to(device)
        await asyncio.sleep(0.1)
        link.send(b"again")
        await until(lambda: b"again" in b"".join(Deframer().feed(os.read(ours, 500))))
        link.close()
        os.close(ours)
        os.close(theirs)

    run(play)


def test_a_serial_line_nobody_reads_drops_old_frames_and_blocks_nobody():
    async def play():
        world, (ours, theirs, device) = World(), cable()
        link = world.build(serial, device=device)
        began = time.monotonic()
        for number in range(2000):
            link.send(number.to_bytes(2, "big") + b"x" * 60)
        assert time.monotonic() - began < 5
        assert link.facts()["dropped"] > 100
        found, deframer = [], Deframer()
        while 1999 not in found:
            await asyncio.sleep(0.01)
            try:
                frames = deframer.feed(os.read(ours, 65536))
            except BlockingIOError:
                continue
            found += [int.from_bytes(frame[:2], "big") for frame in frames]
        assert deframer.damaged == 0, "only whole frames are dropped"
        link.close()
        os.close(ours)
        os.close(theirs)

    run(play)


@pytest.mark.parametrize(("baud", "waiting"), [(9600, 1), (115200, 4)])
def test_frames_never_pile_up_before_a_slow_line(baud, waiting):
    """The line has a clock of its own here, which stands still until the test moves it."""

    async def play():
        world, (ours, theirs, device) = World(), cable()
        now = [100.0]
        world.clock = lambda: now[0]
        link = world.build(serial, device=device, baud=baud)
        deframer, frames = Deframer(), []

        def arrived():
            with contextlib.suppress(BlockingIOError):
                frames.extend(deframer.feed(os.read(ours, 65536)))
            return [frame[0] for frame in frames]

        for number in range(20):
            link.send(bytes([number]) * 120)
        await until(lambda: arrived() == [0])
        assert link.facts()["dropped"] == 19 - waiting
        byte_s = 10 / baud
        now[0] += 124 * byte_s
        link.send(b"\x14" * 120)
        assert arrived() == [0], "the line is still busy"
        now[0] += 0.1 * 125 * byte_s
        link.send(b"\x15" * 120)
        first = 22 - waiting
        await until(lambda: arrived() == [0, first])
        for number in range(1, waiting):
            now[0] += 1.1 * 125 * byte_s
            link._write()
            await until(lambda n=number: arrived() == [0, *range(first, first + n + 1)])
        assert link.facts()["sent"] == 1 + waiting
        link.close()
        os.close(ours)
        os.close(theirs)

    run(play)


def test_a_frame_that_waits_is_sent_by_itself_once_the_line_is_free():
    async def play():
        world, (ours, theirs, device) = World(), cable()
        link = world.build(serial, device=device, baud=9600)
        began = time.monotonic()
        link.send(b"a" * 90)
        link.send(b"b" * 90)
        found, deframer = [], Deframer()
        while len(found) < 2:
            await asyncio.sleep(0.005)
            with contextlib.suppress(BlockingIOError):
                found += deframer.feed(os.read(ours, 65536))
        assert time.monotonic() - began >= 95 * 10 / 9600
        assert found == [b"a" * 90, b"b" * 90]
        link.send(b"c")
        link.send(b"d")
        link.close()
        assert link._timer is None
        os.close(ours)
        os.close(theirs)

    run(play)


def test_a_missing_device_is_an_error_in_words_and_no_exception():
    async def play():
        link = World().build(serial, device="/dev/no-such-tty")
        link.send(b"x")
        return link.facts()

    facts = run(play)
    assert not facts["open"]
    assert "no-such-tty: no such file or directory" in facts["error"]


def test_udp_carries_frames_and_hears_only_the_partner():
    async def play():
        a, b, port = World(), World(), free_port()
        near = a.build(udp, local="127.0.0.1", peer="127.0.0.2", port=port)
        far = b.build(udp, local="127.0.0.2", peer="127.0.0.1", port=port)
        try:
            far.send(b"open")
            near.send(b"hello")
            await until(lambda: b"hello" in b.frames)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.sendto(b"forged", ("127.0.0.2", port))
            near.send(b"more")
            await until(lambda: b"more" in b.frames)
            assert b"forged" not in b.frames
            b.changes += 1
            far.send(b"reopened")
            await until(lambda: b"reopened" in a.frames)
        finally:
            near.close()
            far.close()
            far.close()

    run(play)


def test_udp_to_nobody_goes_on_and_recovers():
    async def play():
        a, b, port = World(), World(), free_port()
        near = a.build(udp, local="127.0.0.1", peer="127.0.0.2", port=port)
        for _ in range(5):
            near.send(b"x")
            await asyncio.sleep(0.02)
        far = b.build(udp, local="127.0.0.2", peer="127.0.0.1", port=port)
        far.send(b"here")
        await until(lambda: b"here" in a.frames)
        near.send(b"y")
        await until(lambda: b"y" in b.frames)
        near.close()
        far.close()

    run(play)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"local": "nowhere", "peer": "127.0.0.1"}, "local: 'nowhere' is no IP address"),
        ({"local": "::1", "peer": "127.0.0.1"}, "two of a kind"),
    ],
)
def test_bad_udp_options_are_named(options, said):
    with pytest.raises(msgspec.ValidationError, match=said):
        World().build(udp, **options)


def test_what_the_system_refuses_is_said_in_words_without_numbers():
    async def play():
        absent = World().build(udp, local="198.51.100.7", peer="198.51.100.8")
        absent.send(b"x")
        ours, theirs, device = cable()
        holder, other = (World().build(serial, device=device) for _ in range(2))
        for link in (holder, other):
            link.send(b"x")
        found = absent.facts()["error"], holder.facts()["error"], other.facts()["error"]
        for link in (holder, other, absent):
            link.close()
        for end in (ours, theirs):
            os.close(end)
        return found, device

    (absent, holder, other), device = run(play)
    assert absent == "cannot assign requested address"
    assert holder == ""
    assert other == f"{device}: another program uses it: end that, or choose another device"
