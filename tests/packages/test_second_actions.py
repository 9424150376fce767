"""Whatever another action does, the address comes and goes: a live daemon with bad company."""

import os
import signal
import time
from datetime import datetime

import pytest

from tests.core.test_pair_daemon import PAIR
from tests.packages.second_actions import KINDS, TYPES, Gateway
from tests.ports import free_port

BOUND_S = 2.5
"""A busy machine's share; whoever waits for a bad action waits 4 s or more, or for ever."""


@pytest.fixture
def gateway(tmp_path):
    made = []

    def make(kind, **more):
        made.append(Gateway(tmp_path, kind, **more))
        return made[0]

    yield make
    for each in made:
        each.end(signal.SIGKILL)


def at(event):
    return datetime.fromisoformat(event["at"]).timestamp()


def move(daemon, verdict, role):
    """Wait for a verdict and the owner's change; gives the seconds between them."""
    began = daemon.wait_event("verdict", verdict)
    ended = daemon.wait_event("action", role, subject="owner")
    return at(ended) - at(began)


@pytest.mark.parametrize("kind", KINDS)
def test_the_address_waits_for_no_other_action(gateway, kind):
    daemon = gateway(kind)
    daemon.launch()
    assert move(daemon, "up", "active") < BOUND_S
    assert daemon.role == "active"
    daemon.cut()
    assert move(daemon, "down", "standby") < BOUND_S
    assert daemon.role == "standby"
    assert [role for role, _ in daemon.moves] == ["active", "standby"]
    assert daemon.process.poll() is None


HUNG = ["hangs", "hangs-in-thread", "stubborn", "command-ignores-sigterm"]


@pytest.mark.parametrize("kind", HUNG)
def test_a_stop_that_releases_lets_the_address_go_before_it_waits_for_others(gateway, kind):
    daemon = gateway(kind, node='on_stop = "release"', deadline="4s")
    daemon.launch()
    move(daemon, "up", "active")
    stopped, since = time.time(), daemon.now()
    os.kill(daemon.process.pid, signal.SIGTERM)
    daemon.wait_event("action", "standby", subject="owner", since=since)
    assert daemon.process.wait(30) == 0
    assert daemon.role == "standby"
    assert daemon.moves[-1][1] - stopped < BOUND_S
    assert time.time() - stopped < 4 + 1 + 10, "the end waits for the deadlines, and no longer"


def others_are_at_it(daemon):
    words = ("applying active", "applying standby")
    until = time.monotonic() + 20
    while not any(e["after"] in words and e["subject"] != "owner" for e in daemon.events("action")):
        assert time.monotonic() < until, daemon.log()
        time.sleep(0.02)


@pytest.mark.parametrize("kind", HUNG)
def test_a_reload_waits_for_no_hung_action(gateway, kind):
    daemon = gateway(kind)
    daemon.launch()
    move(daemon, "up", "active")
    others_are_at_it(daemon)
    reloaded = daemon.now()
    daemon.kind = "fails-at-once" if kind not in TYPES else "lies"
    daemon.configure()
    daemon.process.send_signal(signal.SIGHUP)
    event = daemon.wait_event("daemon", "reloaded", since=reloaded)
    assert at(event) - reloaded.timestamp() < BOUND_S
    daemon.cut()
    assert move(daemon, "down", "standby") < BOUND_S


def test_a_daemon_that_was_killed_keeps_its_address_whatever_others_remember(gateway):
    daemon = gateway("hangs")
    daemon.launch()
    move(daemon, "up", "active")
    others_are_at_it(daemon)
    daemon.end(signal.SIGKILL)
    daemon.launch()
    move(daemon, "up", "active")
    assert "standby" not in [role for role, _ in daemon.moves]


def test_what_comes_after_the_owner_in_the_file_comes_after_it(gateway):
    """A well-behaved owner is through before the others begin."""
    daemon = gateway("look-raises")
    daemon.launch()
    move(daemon, "up", "active")
    for name in ("first", "last"):
        daemon.wait_event("action", "active", subject=name)
    words = [(e["subject"], e["after"]) for e in daemon.events("action")]
    began = words.index(("owner", "active"))
    assert began < words.index(("first", "applying active"))
    assert words.index(("first", "active")) < words.index(("last", "applying active"))


@pytest.fixture
def pair(tmp_path):
    made = []

    def make(kind):
        key = tmp_path / "key"
        key.write_text("ab" * 32)
        key.chmod(0o600)
        port = free_port()
        for own in (1, 2):
            folder = tmp_path / f"gw{own}"
            folder.mkdir()
            more = PAIR.format(
                priority=200 - own, key=key, own=own, other=3 - own, port=port, dead="3s"
            )
            made.append(Gateway(folder, kind, more=more))
        return made

    yield make
    for each in made:
        each.end(signal.SIGKILL)


@pytest.mark.parametrize("kind", ["fails-at-once", "hangs-in-thread", "lies", "flips"])
def test_a_pair_hands_the_address_over_whatever_others_do(pair, kind):
    first, second = pair(kind)
    first.launch()
    first.wait_event("action", "active", subject="owner")
    second.launch()
    second.wait(lambda s: s.pair and s.pair.partner, "the first's frames")
    second.wait_verdict("up")
    for change, giver, taker in ((first.cut, first, second), (first.heal, second, first)):
        change()
        since = first.since
        giver.wait_event("action", "standby", subject="owner", since=since)
        taker.wait_event("action", "active", subject="owner", since=since)
        assert taker.role == "active"
        (given, gone), (taken, come) = giver.moves[-1], taker.moves[-1]
        assert (given, taken) == ("standby", "active")
        assert 0 <= come - gone < BOUND_S
    fell = at(next(e for e in first.events("verdict") if e["after"] == "down"))
    gone = next(when for role, when in first.moves if role == "standby")
    assert gone - fell < BOUND_S
