"""A pulled cable, a dead line and a killed partner of two real daemons, in their history."""

import signal

from tests.core.test_pair_daemon import Two, cable, unused_port

__all__ = ["cable", "unused_port"]


def test_what_a_pair_loses_is_one_event_at_the_beginning_and_one_at_the_end(
    tmp_path, unused_port, cable
):
    devices, do = cable
    two = Two(tmp_path, unused_port, devices)
    try:
        two.start().settle()
        links_are_lost_and_back(two, do)
        redundancy_is_lost_with_a_line(two)
        redundancy_is_lost_with_the_partner(two)
        the_role_moves_with_its_cause(two)
    finally:
        two.end()


def links_are_lost_and_back(two, do):
    two.b.wait(lambda s: all(link.alive for link in s.pair.links.values()), "both links")
    pulled = two.a.now()
    do("pull")
    for daemon in (two.a, two.b):
        lost = daemon.wait_event("pair", "link lost", since=pulled)
        assert lost["severity"] == "warning" and "check its cable" in lost["detail"]
    plugged = two.a.now()
    do("plug")
    for daemon in (two.a, two.b):
        daemon.wait_event("pair", "link back", since=plugged)
        assert daemon.events("redundancy") == [], "the other link was there"


def redundancy_is_lost_with_a_line(two):
    cut = two.a.now()
    two.b.cut()
    here = two.b.wait_event("redundancy", "lost", since=cut, timeout=40)
    there = two.a.wait_event("redundancy", "lost", since=cut, timeout=40)
    assert here["severity"] == there["severity"] == "warning"
    assert here["detail"].startswith("the path of this gateway is down: vpn1: line: exit code 2 (")
    assert there["detail"] == "the path of the partner is down (havpn status there says why)"
    shown = two.a.wait(lambda s: s.redundancy.lost, "the loss in the status").redundancy
    assert shown.causes == [there["detail"]]
    back_on_both(two, two.b.heal)


def redundancy_is_lost_with_the_partner(two):
    killed = two.a.now()
    two.b.end(signal.SIGKILL)
    assert two.a.wait_event("pair", "partner lost", since=killed)["severity"] == "warning"
    lost = two.a.wait_event("redundancy", "lost", since=killed, timeout=40)
    assert lost["detail"].startswith("the partner is silent: see whether it runs")
    started = two.a.now()
    two.b.start()
    two.a.wait_event("pair", "partner back", since=started)
    back = two.a.wait_event("redundancy", "back", since=started, timeout=40)
    assert back["before"] == "lost" and back["detail"].startswith("it was lost for ")
    words = [event["after"] for event in two.a.events("redundancy")]
    assert words == ["lost", "back", "lost", "back"]


def the_role_moves_with_its_cause(two):
    two.wait(two.a, two.b)
    two.a.cut()
    moved = two.a.wait_event("role", "standby")
    assert moved["detail"].startswith("path down here, up on the partner; path vpn1 down: line: ")
    two.wait(two.b, two.a)


def back_on_both(two, heal):
    healed = two.a.now()
    heal()
    for daemon in (two.a, two.b):
        found = daemon.wait_event("redundancy", "back", since=healed, timeout=40)
        assert (found["before"], found["severity"]) == ("lost", "info")
    assert not two.a.wait(
        lambda s: not s.redundancy.lost, "the end in the status"
    ).redundancy.causes
