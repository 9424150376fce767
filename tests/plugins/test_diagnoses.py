"""What bundled plugins find out by themselves for ``havpn doctor`` (``Diagnosing``)."""

import asyncio
import os
import pty
import socket
import tty
from ipaddress import ip_interface

import pytest
from havpn_plugins.actions import pacemaker
from havpn_plugins.actions._alias.diagnosing import diagnosed, without_own
from havpn_plugins.actions._alias.options import AliasArpOptions
from havpn_plugins.links import serial, udp
from havpn_plugins.probes import ipsec, stream

from havpn_core import Context, Diagnosing, Level
from havpn_core.plugging.protocols import able
from havpn_core.testing import context, options
from tests.plugins.actions.test_heartbeat_traps import StandIns
from tests.plugins.probes.charon_world import Charon, child, ike

KEY, OTHER = "11" * 32, "22" * 32


def diagnose(kind, table, *, running=False, **more):
    """Build an instance on a loop of its own, have it diagnose itself, and close it."""

    async def work():
        made = kind.build(options(kind, table), context(**more))
        assert able(made, Diagnosing)
        try:
            found = made.diagnose(2.0, running)
            return await found if asyncio.iscoroutine(found) else found
        finally:
            ended = made.close()
            if asyncio.iscoroutine(ended):
                await ended

    return asyncio.run(work())


# --- links ---------------------------------------------------------------------------------------


@pytest.fixture
def terminal():
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_a_serial_device_is_opened_unless_a_daemon_has_it(terminal, tmp_path):
    [kind] = serial.havpn_register_links()
    [found] = diagnose(kind, {"device": terminal})
    assert found.level is Level.OK
    assert diagnose(kind, {"device": terminal}, running=True) == []
    assert diagnose(kind, {"device": str(tmp_path / "gone")}) == []  # `missing` says it
    (tmp_path / "file").write_text("")
    [found] = diagnose(kind, {"device": str(tmp_path / "file")})
    assert found.level is Level.FAILED and "serial port" in found.remedy


def test_a_serial_device_that_another_program_has(terminal):
    [kind] = serial.havpn_register_links()

    async def work():
        first, second = (
            kind.build(options(kind, {"device": terminal}), context()) for _ in range(2)
        )
        try:
            assert (await first.diagnose(1.0, False))[0].level is Level.OK
            return await second.diagnose(1.0, False)
        finally:
            first.close()
            second.close()

    [found] = asyncio.run(work())
    assert found.level is Level.FAILED
    assert found.text.endswith("another program uses it")
    assert "end that" in found.remedy


@pytest.fixture
def port():
    """Give a UDP port that nobody has at 127.0.0.1 nor 127.0.0.2."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("0.0.0.0", 0))
        return made.getsockname()[1]


def link(port, **more):
    [kind] = udp.havpn_register_links()
    running = more.pop("running", False)
    table = {"local": "127.0.0.1", "peer": "127.0.0.2", "port": port, **more}
    return diagnose(kind, table, running=running)


def test_a_link_whose_partner_s_port_is_closed_open_or_silent(port):
    [closed] = link(port)
    assert closed.level is Level.FAILED
    assert "connection refused" in closed.text and "start havpn on the partner" in closed.remedy
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as partner:
        partner.bind(("127.0.0.2", port))
        [good] = link(port)
        assert good.level is Level.OK
        partner.settimeout(5)
        assert partner.recv(100) == b""  # what a partner's daemon passes over


def test_a_link_whose_own_end_is_not_to_be_had(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        [taken] = link(port)
        assert taken.level is Level.FAILED and "ss -ulnp" in taken.remedy
        assert link(port, running=True) == []  # it is the daemon's
    [gone] = link(port, local="192.0.2.77")
    assert gone.level is Level.FAILED and "correct local" in gone.remedy


# --- probes --------------------------------------------------------------------------------------

[STREAM] = stream.havpn_register_probes()


class Far:
    """The far end of a stream, at 127.0.0.2."""

    def __init__(self, key_file, port):
        table = {"host": "127.0.0.1", "source": "127.0.0.2", "port": port, "key_file": key_file}
        self.warnings = []
        self.probe = STREAM.build(
            options(STREAM, table | {"interval": "50ms"}), context(warn=self.warnings.append)
        )

    async def __aenter__(self):
        self.probe.tell_arrivals(lambda sample, lost: None)
        async with asyncio.timeout(10):
            while not self.probe.facts()["sent"]:
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *problem):
        await self.probe.close()


def keys(tmp_path, name, key):
    file = tmp_path / name
    file.write_text(key)
    file.chmod(0o600)
    return str(file)


def near(key_file, port):
    table = {"host": "127.0.0.2", "source": "127.0.0.1", "port": port, "key_file": key_file}
    return STREAM.build(options(STREAM, table), context())


def test_a_stream_is_greeted_and_the_far_end_believes_nothing_of_it(tmp_path, port):
    async def work():
        file = keys(tmp_path, "a", KEY)
        async with Far(file, port) as far:
            found = await near(file, port).diagnose(2.0, False)
            await asyncio.sleep(0.2)
            return found, far.probe.session.heard, far.warnings

    [found], heard, warnings = asyncio.run(work())
    assert found.level is Level.OK
    assert (heard, warnings) == (False, [])


def test_a_stream_with_another_key_at_the_far_end(tmp_path, port):
    async def work():
        async with Far(keys(tmp_path, "a", KEY), port):
            return await near(keys(tmp_path, "b", OTHER), port).diagnose(3.0, False)

    [found] = asyncio.run(work())
    assert found.level is Level.FAILED
    assert "no key of" in found.text and "copy" in found.remedy


def test_a_stream_that_nobody_or_no_stream_replies_to(tmp_path, port):
    async def work():
        return await near(keys(tmp_path, "a", KEY), port).diagnose(3.0, False)

    [closed] = asyncio.run(work())
    assert closed.level is Level.FAILED and "nobody listens on UDP port" in closed.text
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.2", port))
        [lost] = asyncio.run(work())
    assert lost.level is Level.FAILED and lost.text.startswith("no packet from")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        [taken] = asyncio.run(work())
    assert taken.level is Level.FAILED and "another program has this port" in taken.remedy


def test_the_sas_are_read(tmp_path):
    [kind] = ipsec.havpn_register_probes()
    path = str(tmp_path / "vici")

    async def work(rows):
        made = kind.build(options(kind, {"child": "lans", "socket": path}), context())
        if rows is None:
            found = await made.diagnose(2.0, True)
        else:
            async with Charon(path, rows):
                found = await made.diagnose(2.0, True)
                await made.close()
        await made.close()
        return found

    [good] = asyncio.run(work([ike(child())]))
    assert good.level is Level.OK and "INSTALLED" in good.text
    [missing] = asyncio.run(work([ike()]))
    assert missing.level is Level.FAILED
    assert "swanctl --initiate --child lans" in missing.remedy
    os.unlink(path)  # noqa: PTH108
    [unreachable] = asyncio.run(work(None))
    assert unreachable.level is Level.FAILED and "strongswan" in unreachable.remedy


# --- actions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shared", "present", "lacking"),
    [
        (["10.1.255.254/16"], ["10.1.255.252/16"], []),
        (["10.1.255.254/16"], ["10.1.255.254/16"], ["10.1.0.0/16"]),
        (["10.1.255.254/16"], ["192.0.2.2/24", "fe80::1/64"], ["10.1.0.0/16"]),
        (["10.1.255.254/32"], [], []),
        (["10.1.0.1/16", "2001:db8::1/64"], ["10.1.0.2/16"], ["2001:db8::/64"]),
        (["2001:db8::1/64"], ["2001:db8::2/64"], []),
    ],
)
def test_every_gateway_has_an_address_of_its_own_beside_the_shared_one(shared, present, lacking):
    found = without_own("lan", list(map(ip_interface, shared)), list(map(ip_interface, present)))
    assert len(found) == len(lacking)
    for each, network in zip(found, lacking, strict=True):
        assert each.level is Level.FAILED
        assert f"no address of its own in {network} on lan" in each.text
        assert "ip address add" in each.remedy


def test_a_device_without_arp_cannot_hold_addresses():
    [found] = diagnosed(AliasArpOptions(device="lo", addresses=["10.9.9.9/24"]))
    assert found.level is Level.FAILED and "neither ARP nor NDP" in found.text
    assert diagnosed(AliasArpOptions(device="nodev0", addresses=["10.9.9.9/24"])) == []


@pytest.mark.parametrize("mode", ["stop-start", "standby-takeover"])
def test_heartbeat_and_its_other_node(tmp_path, mode):
    world = StandIns(tmp_path)

    def found():
        return asyncio.run(world.action(mode).diagnose(5.0, False))[0]

    assert found().level is Level.OK
    world.put(partner="dead")
    assert found().level is Level.FAILED
    assert "shows the other node as dead" in found().text
    world.put(pid="")
    assert found().level is Level.WARNING
    world.script("daemon", "exit 7\n")
    assert found().level is Level.FAILED
    assert world.asked == []  # nothing was started, stopped or moved


def test_pacemaker_that_replies_and_one_that_does_not(tmp_path, monkeypatch):
    tool = tmp_path / "crm_node"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for status, level in ((0, Level.OK), (102, Level.FAILED)):
        tool.write_text(f"#!/bin/sh\necho gw-aa\nexit {status}\n")
        tool.chmod(0o755)
        action = pacemaker.build(pacemaker.PacemakerOptions(), _context())
        [found] = asyncio.run(action.diagnose(5.0, True))
        assert found.level is level
    assert found.remedy


def _context() -> Context:
    return context("action.cluster")
