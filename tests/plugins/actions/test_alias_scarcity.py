"""alias-arp goes on after its process had no descriptor left for a while."""

import asyncio
import contextlib
import errno
import logging
import os
import resource
import threading
import time

import pytest
from alias_world import BOTH, FOUR, Segment
from havpn_plugins.actions._alias import netlink
from havpn_plugins.actions._alias.announcer import Announcer
from havpn_plugins.actions._alias.frames import close_aside
from havpn_plugins.actions._alias.options import AliasArpOptions
from havpn_plugins.actions._alias.search import usable_link

from havpn_core import ActionError, Context, Role
from havpn_core.testing.lab import wait_for


@contextlib.contextmanager
def no_descriptors():
    """While it lasts the system really refuses every new descriptor of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            os.open("/", os.O_RDONLY)
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_device_that_cannot_be_looked_at_is_not_taken_for_one_that_is_gone():
    assert netlink.link("lo") is not None
    assert netlink.link("no-such0") is None
    with no_descriptors():
        with pytest.raises(OSError, match="Too many open files"):
            netlink.link("lo")
        with pytest.raises(ActionError, match="cannot look at device lo: too many open files"):
            usable_link("lo")
    assert netlink.link("lo").index == 1


def made(held, records, **options):
    log = logging.Logger("alias")
    log.addHandler(logging.Handler())
    log.handle = records.append
    context = Context(
        "action.gateway", "gw", log, time.monotonic, lambda host, family: host, lambda: 0
    )
    return Announcer(AliasArpOptions(device="lo", addresses=BOTH, **options), context, held)


@pytest.mark.parametrize("refresh", ["30s", "off"])
def test_a_round_that_fails_is_tried_again_soon_and_complained_of_once(refresh):
    """Six moments of the burst fail; the next regular one is far away, or never comes."""
    answers, records = [0], []

    async def scenario():
        done = asyncio.Event()

        def held():
            answers[0] += 1
            if answers[0] <= 7:
                raise OSError(errno.EMFILE, "Too many open files")
            done.set()
            return []

        announcer = made(held, records, refresh=refresh)
        announcer.begin()
        await asyncio.wait_for(done.wait(), 20)
        announcer.stop()

    asyncio.run(scenario())
    assert [record.getMessage() for record in records] == [
        "action.gateway: cannot announce on lo, trying again: too many open files"
    ]


def test_a_defence_that_fails_is_tried_again_and_none_is_after_the_end():
    calls, records = [], []

    async def scenario():
        def held():
            calls.append(1)
            raise OSError(errno.EMFILE, "Too many open files")

        announcer = made(held, records, refresh="off")
        announcer.round()
        assert len(calls) == 1, "it raises nothing where a timer or a rival calls it"
        await asyncio.sleep(1.5)
        assert len(calls) == 1, "nothing is tried again while not announcing"

    asyncio.run(scenario())


def test_a_socket_is_closed_even_if_no_thread_can_be_started():
    ours, theirs = os.pipe()
    file = os.fdopen(ours)
    before = threading.stack_size(1 << 48)
    try:
        close_aside(file)
    finally:
        threading.stack_size(before)
    os.close(theirs)
    assert file.closed


@pytest.mark.lab
def test_announcements_and_ears_come_back(tmp_path):
    segment = Segment()
    try:
        station, client = segment["gw-a"], segment["client"]
        action = station.action(refresh="1s", lifetime="3s", addresses=[f"{FOUR}/16"])
        station.do(action.apply(Role.ACTIVE, 10.0))
        with no_descriptors():
            time.sleep(1.5)
        # The burst goes on until 4 s after the taking; later frames are refreshes.
        time.sleep(4)
        frames = action.facts()["frames"]
        wait_for(lambda: action.facts()["frames"] >= frames + 6, 20, "three refreshes")
        assert station.shared() == [FOUR], "it was renewed"
        assert station.do(action.observe()) is Role.ACTIVE
        rival = client.action(addresses=[f"{FOUR}/16"])
        client.do(rival.apply(Role.ACTIVE, 10.0))
        wait_for(lambda: action.facts()["conflicts"] > 0, 20, "a conflict")
        said = [record for record in station.records if "Traceback" in str(record)]
        assert said == []
    finally:
        segment.close()
