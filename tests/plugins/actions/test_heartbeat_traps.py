"""Traps of heartbeat's tools that the real ones cannot be made to spring on demand."""

import asyncio
import logging
import os
import time
from types import SimpleNamespace

import pytest
from havpn_plugins.actions._heartbeat import few_files
from havpn_plugins.actions._linux_ha import auto_failback, missing, shared_addresses
from havpn_plugins.actions.heartbeat import HeartbeatOptions, build

from havpn_core import ActionError, Context, Role

# The stand-ins keep their state in files of their folder: `pid` while the daemon runs, `rsc`
# what rscstatus prints, `asked` a line for each request.
DAEMON = """\
if [ -s {d}/pid ]; then echo "heartbeat OK [pid $(cat {d}/pid) et al] is running"; exit 0; fi
echo "heartbeat is stopped. No process"; exit 3
"""
CL_STATUS = """\
case $1 in
    hbstatus) test -s {d}/pid ;;
    rscstatus) test -s {d}/pid && cat {d}/rsc ;;
    listnodes) uname -n; echo partner ;;
    nodestatus) cat {d}/partner ;;
esac
"""
INIT = """\
echo $1 >>{d}/asked
case $1 in start) [ -s {d}/pid ] || echo 200 >{d}/pid ;; stop) : >{d}/pid ;; esac
"""
STANDBY = "echo hb_standby $1 >>{d}/asked; echo none >{d}/rsc\n"
TAKEOVER = "echo hb_takeover $1 >>{d}/asked; echo local >{d}/rsc\n"


class StandIns:
    def __init__(self, folder):
        self.folder = folder
        for name, body in (
            ("daemon", DAEMON),
            ("cl_status", CL_STATUS),
            ("init", INIT),
            ("hb_standby", STANDBY),
            ("hb_takeover", TAKEOVER),
        ):
            self.script(name, body)
        self.put(pid="100", rsc="local", partner="active", asked="")
        self.put(**{"ha.cf": "auto_failback on\n", "haresources": "", "authkeys": ""})
        (folder / "authkeys").chmod(0o600)
        os.mkfifo(folder / "fifo")

    def script(self, name, body):
        # Renamed into place: writing a file that may be running fails with ETXTBSY.
        draft = self.folder / f".{name}"
        draft.write_text("#!/bin/sh\n" + body.replace("{d}", str(self.folder)))
        draft.chmod(0o755)
        draft.rename(self.folder / name)

    def put(self, **files):
        for name, text in files.items():
            (self.folder / name).write_text(text)

    @property
    def asked(self):
        return (self.folder / "asked").read_text().splitlines()

    def options(self, **more):
        folder = str(self.folder)
        return HeartbeatOptions(
            **{
                "control": "init",
                "init_script": f"{folder}/init",
                "daemon": f"{folder}/daemon",
                "cl_status": f"{folder}/cl_status",
                "tools": folder,
                "config_dir": folder,
                "fifo": f"{folder}/fifo",
                **more,
            }
        )

    def action(self, mode):
        resolve, changes = (lambda host, family: host), (lambda: 0)
        logger = logging.getLogger("test")
        context = Context("action.gateway", "here", logger, time.monotonic, resolve, changes)
        return build(self.options(mode=mode), context)


@pytest.fixture
def world(tmp_path):
    return StandIns(tmp_path)


def apply(action, role, timeout_s=10.0):
    asyncio.run(action.apply(role, timeout_s))


def test_stop_that_never_returns_is_killed_at_the_deadline_with_all_its_children(world):
    world.script("init", "sleep 300 & echo $! >{d}/child; wait\n")
    action = world.action("stop-start")
    began = time.monotonic()
    with pytest.raises(ActionError, match="not stopped yet"):
        apply(action, Role.STANDBY, 1.0)
    assert time.monotonic() - began < 8
    child = int((world.folder / "child").read_text())
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and is_running(child):
        time.sleep(0.05)
    assert not is_running(child)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_daemon_on_its_way_out_shows_no_role_until_it_is_gone(world):
    world.script("init", "sleep 300\n")
    action = world.action("stop-start")
    with pytest.raises(ActionError):
        apply(action, Role.STANDBY, 0.5)
    assert asyncio.run(action.observe()) is None
    world.put(pid="")
    assert asyncio.run(action.observe()) is Role.STANDBY


SHARED = "192.0.2.7"
HARESOURCES = f"here IPaddr2::{SHARED}/24/lan \\\n 198.51.100.1/24 sendarp::2001:db8::1 # 1.1.1.1\n"


@pytest.fixture
def host_addresses(monkeypatch):
    held = {SHARED, "10.0.0.1"}

    def shown():
        return {"lan": [SimpleNamespace(address=each) for each in held]}

    monkeypatch.setattr("havpn_plugins.actions.heartbeat.psutil.net_if_addrs", shown)
    return held


def test_addresses_that_heartbeat_moves(world):
    world.put(haresources=HARESOURCES)
    assert shared_addresses(world.options()) == {SHARED, "198.51.100.1"}
    assert shared_addresses(world.options(config_dir="/nowhere")) == frozenset()


def test_one_that_has_given_its_addresses_up_stands_by_before_its_heartbeat_is_gone(
    world, host_addresses
):
    world.put(haresources=HARESOURCES)
    world.script("init", INIT.replace("case", "sleep 2\ncase", 1))
    action = world.action("stop-start")

    async def stop_and_start():
        began = time.monotonic()
        giving = asyncio.create_task(action.apply(Role.STANDBY, 10.0))
        await asyncio.sleep(0.5)
        assert not giving.done()
        assert await action.observe() is None, "it still has the address"
        host_addresses.remove(SHARED)
        await giving
        assert time.monotonic() - began < 1.5
        assert await action.observe() is Role.STANDBY
        await action.apply(Role.STANDBY, 10.0)
        assert world.asked == ["stop"], "the stop that is under way is the one"
        await action.apply(Role.ACTIVE, 10.0)
        assert world.asked == ["stop", "start"]
        assert time.monotonic() - began >= 4, "it waited for the end before it started"

    asyncio.run(stop_and_start())
    assert asyncio.run(action.observe()) is Role.ACTIVE


def test_one_that_had_no_address_stands_by_once_its_heartbeat_is_gone(world, host_addresses):
    host_addresses.remove(SHARED)
    world.put(haresources=HARESOURCES)
    world.script("init", "sleep 1; : >{d}/pid")
    began = time.monotonic()
    apply(world.action("stop-start"), Role.STANDBY)
    assert time.monotonic() - began >= 1


def test_a_stop_that_fails_when_the_addresses_are_given_up_is_said(world, host_addresses, caplog):
    world.put(haresources=HARESOURCES)
    world.script("init", "sleep 0.5; exit 1")
    action = world.action("stop-start")

    async def stop():
        giving = asyncio.create_task(action.apply(Role.STANDBY, 10.0))
        await asyncio.sleep(0.2)
        host_addresses.remove(SHARED)
        await giving
        await asyncio.sleep(1)

    asyncio.run(stop())
    assert "heartbeat is not stopped yet" in caplog.text


def test_the_end_of_one_that_stops_is_waited_for_when_it_is_closed(world, host_addresses):
    world.put(haresources=HARESOURCES)
    world.script("init", INIT.replace("case", "sleep 1\ncase", 1))
    action = world.action("stop-start")

    async def stop():
        giving = asyncio.create_task(action.apply(Role.STANDBY, 10.0))
        await asyncio.sleep(0.3)
        host_addresses.remove(SHARED)
        await giving
        assert (world.folder / "pid").read_text()
        await action.close()
        assert not (world.folder / "pid").read_text()

    asyncio.run(stop())


def test_stop_that_only_says_it_succeeded_is_an_error(world):
    world.script("init", "exit 0\n")
    with pytest.raises(ActionError, match="still runs"):
        apply(world.action("stop-start"), Role.STANDBY)


def test_start_that_only_says_it_succeeded_is_an_error(world):
    world.script("init", "exit 0\n")
    world.put(pid="")
    with pytest.raises(ActionError, match="does not run"):
        apply(world.action("stop-start"), Role.ACTIVE, 10)


def test_daemon_whose_state_cannot_be_told_shows_no_role_and_is_not_touched(world):
    world.script("daemon", "echo what; exit 127\n")
    action = world.action("stop-start")
    assert asyncio.run(action.observe()) is None
    with pytest.raises(ActionError, match="does not say"):
        apply(action, Role.STANDBY)
    assert world.asked == []


def test_daemon_that_died_and_left_its_pid_file_is_not_running(world):
    world.script("daemon", 'echo "heartbeat is stopped. No process"; exit 1\n')
    assert asyncio.run(world.action("stop-start").observe()) is Role.STANDBY


def test_role_that_is_in_force_asks_heartbeat_for_nothing(world):
    apply(world.action("stop-start"), Role.ACTIVE)
    apply(world.action("standby-takeover"), Role.ACTIVE)
    world.put(rsc="none")
    apply(world.action("standby-takeover"), Role.STANDBY)
    assert world.asked == []


def test_request_that_is_ignored_is_repeated_within_the_deadline(world):
    world.script(
        "hb_standby",
        "echo hb_standby $1 >>{d}/asked; [ $(wc -l <{d}/asked) -lt 2 ] || echo none >{d}/rsc\n",
    )
    apply(world.action("standby-takeover"), Role.STANDBY, 20)
    assert world.asked == ["hb_standby all", "hb_standby all"]


def test_request_that_never_takes_effect_is_an_error_at_the_deadline(world):
    world.script("hb_takeover", "exit 0\n")
    world.put(rsc="none")
    with pytest.raises(ActionError, match="waiting for hb_takeover local"):
        apply(world.action("standby-takeover"), Role.ACTIVE, 1.0)


def test_nothing_is_asked_while_resources_change_hands(world):
    world.put(rsc="transition")
    with pytest.raises(ActionError):
        apply(world.action("standby-takeover"), Role.STANDBY, 1.0)
    assert world.asked == []


def test_hanging_cl_status_delays_nobody_beyond_the_deadline(world):
    world.script("cl_status", "sleep 300\n")
    began = time.monotonic()
    with pytest.raises(ActionError):
        apply(world.action("standby-takeover"), Role.STANDBY, 1.0)
    assert time.monotonic() - began < 8


def test_plain_file_in_place_of_the_fifo_is_an_error_and_is_not_written_to(world):
    (world.folder / "fifo").unlink()
    world.put(fifo="")
    with pytest.raises(ActionError, match="no FIFO"):
        apply(world.action("standby-takeover"), Role.STANDBY)
    assert world.asked == []


@pytest.mark.parametrize(
    ("holding", "role"),
    [
        ("all", Role.ACTIVE),
        ("local", Role.ACTIVE),
        ("none", Role.STANDBY),
        ("foreign", None),
        ("transition", None),
        ("", None),
    ],
)
def test_responsibility_for_its_own_groups_is_the_role(world, holding, role):
    world.put(rsc=holding)
    assert asyncio.run(world.action("standby-takeover").observe()) is role


def test_partner_that_holds_nothing_with_failback_off_is_given_the_address(world):
    # With auto_failback off a healthy partner that was rebooted holds nothing either.
    world.put(rsc="all", **{"ha.cf": "auto_failback off\n"})
    apply(world.action("standby-takeover"), Role.STANDBY)
    assert world.asked == ["hb_standby all"]


def test_partner_that_stood_by_is_not_given_the_address(world):
    world.put(rsc="all")
    with pytest.raises(ActionError, match="the partner stands by"):
        apply(world.action("standby-takeover"), Role.STANDBY)
    assert world.asked == []


def test_programs_run_with_few_possible_files(monkeypatch):
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda which: (1 << 20, 1 << 20))
    assert few_files("x", "y") == ["prlimit", "--nofile=1024:", "x", "y"]
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1024, 1 << 20))
    assert few_files("x", "y") == ["x", "y"]


def test_check_finds_nothing_amiss_on_a_fit_host(world):
    assert no_limits(missing(world.options())) == []


def test_check_names_each_missing_file_and_program(world):
    for name in ("ha.cf", "haresources", "cl_status", "hb_takeover"):
        (world.folder / name).unlink()
    problems = " ".join(missing(world.options(mode="standby-takeover")))
    for name in ("ha.cf", "haresources", "cl_status", "hb_takeover"):
        assert f"{world.folder}/{name} is not there" in problems


def test_check_refuses_authkeys_that_others_may_read(world):
    (world.folder / "authkeys").chmod(0o640)
    [problem] = no_limits(missing(world.options()))
    assert "mode 600" in problem


def no_limits(problems):
    return [problem for problem in problems if "ulimit" not in problem]


@pytest.mark.parametrize("text", ["", "auto_failback legacy\n", "# auto_failback on\n"])
def test_check_refuses_legacy_failback_in_standby_mode_only(world, text):
    world.put(**{"ha.cf": text})
    assert no_limits(missing(world.options())) == []
    [problem] = no_limits(missing(world.options(mode="standby-takeover")))
    assert "auto_failback" in problem


def test_check_refuses_resources_left_to_pacemaker(world):
    world.put(**{"ha.cf": "auto_failback on\npacemaker respawn\n"})
    assert "Pacemaker" in " ".join(missing(world.options()))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("auto_failback on", "on"),
        ("  Auto_Failback\tON  # back home", "on"),
        ("auto_failback off", "off"),
        ("", "legacy"),
    ],
)
def test_directives_are_read_as_heartbeat_reads_them(world, line, value):
    world.put(**{"ha.cf": f"{line}\n"})
    assert auto_failback(world.options()) == value


@pytest.fixture
def named_here(world, monkeypatch):
    monkeypatch.setattr(os, "uname", lambda: type("Uname", (), {"nodename": "HERE"}))
    world.script("cl_status", CL_STATUS.replace("uname -n", "echo here"))
    return world


TWO = "here IPaddr2::10.0.0.1/24\n"


@pytest.mark.parametrize(
    ("files", "serves", "turn"),
    [
        ({}, True, 0),
        ({"haresources": f"# our own\npartner IPaddr2::10.0.0.2\n{TWO}"}, True, 1),
        ({"haresources": f"{TWO}{TWO}partner \\\n  IPaddr2::10.0.0.2\n"}, True, 0),
        ({"haresources": "partner \\\nhere IPaddr2::10.0.0.2\n"}, True, None),
        ({"haresources": ""}, True, None),
        ({"rsc": "none"}, True, None),
        ({"rsc": "foreign"}, True, None),
        ({"rsc": "transition"}, None, None),
        ({"pid": ""}, None, None),
        ({"partner": "dead"}, False, 0),
        ({"partner": "up"}, False, 0),
        ({"partner": ""}, None, 0),
        ({"rsc": "all"}, False, 1),
        ({"rsc": "all", "ha.cf": "auto_failback off\n"}, True, 1),
        ({"rsc": "all", "ha.cf": "auto_failback off\n", "partner": "dead"}, False, 1),
    ],
)
@pytest.mark.parametrize("mode", ["stop-start", "standby-takeover"])
def test_what_it_sees_of_its_partner(named_here, mode, files, serves, turn):
    world = named_here
    world.put(**{"haresources": TWO, **files})
    action = world.action(mode)
    assert asyncio.run(action.partner_serves(5.0)) is serves
    assert action.turn() == turn


def test_of_a_partner_nothing_is_known_without_an_answer_in_time(world):
    world.script("cl_status", "sleep 60\n")
    began = time.monotonic()
    action = world.action("stop-start")
    assert asyncio.run(action.partner_serves(0.3)) is None
    assert time.monotonic() - began < 5
    world.script("cl_status", CL_STATUS.replace("echo partner", ":"))
    assert asyncio.run(action.partner_serves(5.0)) is None
    assert action.turn() is None
