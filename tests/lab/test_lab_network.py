"""The laboratory keeps its promises: real tunnels, real heartbeat, and nothing left behind."""

import os
import select
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from havpn_core.testing.lab import (
    SITES,
    CommandFailed,
    Direction,
    Host,
    Stream,
    StreamReport,
    TwoSite,
    end_hosts,
    open_folder,
    start_hosts,
    wait_for,
)
from havpn_core.testing.lab.hosts import leftovers

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]

BRING_UP_S = 20.0
BUILD_AND_WAIT = """
    import time
    from havpn_core.testing.lab import TwoSite
    with TwoSite(ipsec=False) as lab:
        lab.client.popen("sleep", "1000")
        print(lab.folder, *(host.pid for host in lab.hosts.values()), flush=True)
        time.sleep(1000)
"""


def stop_both(lab: TwoSite, *gateways: str) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: lab.clusters[name].stop(), gateways))


def wait_holders(lab: TwoSite, which: str, timeout: float = 20.0) -> None:
    for name, site in SITES.items():
        lab.wait_holder(name, getattr(site, which), timeout)


def assert_whole(report: StreamReport) -> None:
    assert report.intact, report.error
    assert report.to_server.records > 50
    assert report.to_client.records > 50


@pytest.fixture(scope="class")
def lab() -> Iterator[TwoSite]:
    begun = time.monotonic()
    with TwoSite(ipsec=True, cluster="heartbeat") as built:
        built.timings["all"] = time.monotonic() - begun
        yield built


@pytest.fixture
def stream(lab: TwoSite) -> Iterator[Stream]:
    opened = lab.stream()
    yield opened
    opened.kill()


class TestTwoSitesWithTunnelsAndHeartbeat:
    def test_is_up_in_time_with_the_preferred_gateways_active(self, lab: TwoSite) -> None:
        assert lab.timings["all"] < BRING_UP_S
        assert lab.holders("a") == {"gw-aa"}
        assert lab.holders("b") == {"gw-ba"}

    def test_client_reaches_server_through_the_tunnel_only(
        self, lab: TwoSite, stream: Stream
    ) -> None:
        before = {name: line.packets() for name, line in lab.providers.items()}
        wait_for(lambda: stream.report().to_client.records > 100, 10.0, "traffic")
        after = {name: line.packets() for name, line in lab.providers.items()}
        gained = after["provider-1"]["esp_in_udp"] - before["provider-1"]["esp_in_udp"]
        assert gained > 100
        assert after["provider-1"]["other"] - before["provider-1"]["other"] < 5
        assert after["provider-2"] == before["provider-2"]
        assert_whole(stream.finish())

    def test_backup_gateways_carry_their_own_permanent_tunnel(self, lab: TwoSite) -> None:
        assert all(tunnel.is_up() for tunnel in lab.tunnels.values())
        lab.hosts["gw-ab"].run("ping", "-c1", "-W2", "-I", "10.1.255.253", "10.31.0.252")
        assert lab.providers["provider-2"].packets()["esp_in_udp"] >= 2

    def test_heartbeat_stop_on_both_sites_moves_both_and_spares_the_stream(
        self, lab: TwoSite, stream: Stream
    ) -> None:
        pinger = lab.pinger()
        marked = stream.mark()
        stop_both(lab, "gw-aa", "gw-ba")
        wait_holders(lab, "backup")
        carried = lab.providers["provider-2"].packets()["esp_in_udp"]
        seen = stream.report().to_client.records
        wait_for(lambda: stream.report().to_client.records > seen + 50, 10.0, "traffic")
        assert lab.providers["provider-2"].packets()["esp_in_udp"] > carried + 50
        assert pinger.longest_outage_since(marked) < 5.0
        for name in ("gw-aa", "gw-ba"):
            lab.clusters[name].start()
        wait_holders(lab, "preferred")
        pinger.stop()
        assert_whole(stream.finish())

    def test_silent_cut_stops_traffic_and_a_switch_ends_the_outage(
        self, lab: TwoSite, stream: Stream
    ) -> None:
        pinger = lab.pinger()
        wait_for(pinger.answered, 5.0, "a first answer")
        marked = stream.mark()
        lab.providers["provider-1"].cut()
        stop_both(lab, "gw-aa", "gw-ba")
        wait_holders(lab, "backup")
        wait_for(lambda: pinger.answered(marked + 0.2), 10.0, "answers by the other line")
        assert 0.1 < pinger.longest_outage_since(marked) < 3.0
        lab.providers["provider-1"].heal()
        for name in ("gw-aa", "gw-ba"):
            lab.clusters[name].start()
        wait_holders(lab, "preferred")
        pinger.stop()
        assert_whole(stream.finish())

    def test_cut_links_are_noticed_and_healed_again(self, lab: TwoSite) -> None:
        lab.cables["a"].pull()
        lab.lans["a"].lose_udp(694)
        node = lab.clusters["gw-ab"]
        wait_for(lambda: node.partner_status() == "dead", 15.0, "a dead partner", poll=0.2)
        wait_for(lambda: len(lab.holders("a")) == 2, 15.0, "both to hold the address")
        lab.cables["a"].plug()
        lab.lans["a"].heal()
        wait_for(lambda: node.partner_status() == "active", 15.0, "the partner", poll=0.2)


@pytest.fixture(scope="class")
def plain() -> Iterator[TwoSite]:
    with TwoSite(ipsec=False) as built:
        built.give_address("gw-aa")
        built.give_address("gw-ba")
        yield built


class TestTwoSitesWithoutDaemons:
    def test_cut_is_in_force_when_the_call_returns(self, plain: TwoSite) -> None:
        line, pinger = plain.providers["provider-1"], plain.pinger()
        wait_for(pinger.answered, 5.0, "a first answer")
        begun = time.monotonic()
        line.cut()
        done = time.monotonic()
        time.sleep(0.3)
        assert pinger.answered(since=done) == 0
        line.heal()
        healed = time.monotonic()
        wait_for(lambda: pinger.answered(since=healed), 5.0, "answers after healing")
        pinger.stop()
        assert done - begun < 0.1
        assert 0.25 < pinger.longest_outage_since(begun) < 0.6

    @pytest.mark.parametrize("direction", Direction)
    def test_one_way_cut_is_silent_and_keeps_the_carrier(
        self, plain: TwoSite, direction: Direction
    ) -> None:
        line, gateway = plain.providers["provider-1"], plain.hosts["gw-aa"]
        line.cut_one_way(direction)
        ping = gateway.run("ping", "-c1", "-W1", "192.0.2.6", check=False)
        carrier = gateway.read("/sys/class/net/wan/carrier").strip()
        line.heal()
        assert ping.returncode == 1
        assert "nreachable" not in ping.stdout
        assert carrier == "1"
        gateway.run("ping", "-c1", "-W1", "192.0.2.6")

    def test_loss_is_about_as_asked_for(self, plain: TwoSite) -> None:
        line = plain.providers["provider-1"]
        line.loss(50, Direction.A_TO_B)
        pinger = plain.pinger(interval=0.002)
        time.sleep(2.0)
        pinger.stop()
        line.heal()
        lost = sum(outage.lost for outage in pinger.outages(threshold=0.0))
        assert 0.35 < lost / (lost + pinger.answered()) < 0.65

    def test_stream_survives_an_outage_and_tells_its_length(self, plain: TwoSite) -> None:
        line, stream = plain.providers["provider-1"], plain.stream()
        marked = stream.mark()
        line.cut()
        time.sleep(1.0)
        during = stream.report()
        line.heal()
        seen = during.to_client.records
        wait_for(lambda: stream.report().to_client.records > seen + 50, 10.0, "traffic")
        report = stream.finish()
        assert during.alive
        assert 0.9 < report.longest_gap_since < 4.0
        assert stream.report(since=marked) == report
        assert_whole(report)

    def test_stream_whose_end_dies_is_not_intact(self, plain: TwoSite) -> None:
        stream = plain.stream()
        stream.kill()
        report = stream.report()
        assert not report.intact
        assert not report.alive


@pytest.fixture
def host() -> Iterator[Host]:
    folder = open_folder()
    hosts = start_hosts(["solo"], folder)
    yield hosts["solo"]
    end_hosts(hosts.values())
    shutil.rmtree(folder)


def test_host_has_its_own_files(host: Host) -> None:
    host.write("/etc/havpn-lab-proof/file", "mine\n", 0o600)
    assert host.read("/etc/havpn-lab-proof/file") == "mine\n"
    assert not Path("/etc/havpn-lab-proof").exists()
    assert host.run("hostname").stdout == "solo\n"


def test_host_cannot_reboot(host: Host) -> None:
    host.run("reboot", "-nf")
    host.run("/sbin/init", "6")
    assert host.alive


def test_command_past_its_deadline_is_ended_with_its_children(host: Host) -> None:
    with pytest.raises(CommandFailed, match="status 124"):
        host.run("sh", "-c", "sleep 100; :", timeout=0.3)
    assert "sleep" not in host.run("ps", "-e", "-o", "comm=").stdout


def test_signals_of_a_popen_reach_the_command(host: Host) -> None:
    script = 'trap "echo got; exit 7" TERM; echo set; while :; do sleep 0.05; done'
    process = host.popen("sh", "-c", script, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "set\n"
    process.terminate()
    assert process.stdout.readline() == "got\n"
    assert process.wait(timeout=5) == 7


def test_frozen_host_stands_still_until_thawed(host: Host) -> None:
    host.popen("sh", "-c", "while sleep 0.05; do echo >>/run/ticks; done")
    ticks = Path(f"{host.root}/run/ticks")
    wait_for(ticks.exists, 5.0, "a tick")
    host.freeze()
    still = ticks.read_text()
    time.sleep(0.3)
    assert ticks.read_text() == still
    host.thaw()
    wait_for(lambda: len(ticks.read_text()) > len(still), 5.0, "another tick")


def test_frozen_host_ends_at_once_when_killed(host: Host) -> None:
    process = host.popen("sleep", "1000")
    host.freeze()
    begun = time.monotonic()
    host.kill()
    assert process.wait(timeout=5) != 0
    assert time.monotonic() - begun < 2.0


def test_stopped_command_can_be_continued_and_ended(host: Host) -> None:
    process = host.popen("sleep", "1000")
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGSTOP)
    process.kill()
    assert process.wait(timeout=5) != 0


def build_in_another_process() -> tuple[subprocess.Popen[str], Path, list[int]]:
    code = textwrap.dedent(BUILD_AND_WAIT)
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    ready, _, _ = select.select([owner.stdout], [], [], 30.0)
    assert ready, "the other process built no lab"
    folder, *pids = owner.stdout.readline().split()
    return owner, Path(folder), [int(pid) for pid in pids]


def namespaces_of_processes() -> set[str]:
    """Every network namespace that still has a process in it."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            found.add(str(link.readlink()))
        except OSError:
            continue
    return found


def test_nothing_is_left_when_the_owner_is_killed() -> None:
    cables = sorted(Path("/sys/class/net").iterdir())
    owner, folder, pids = build_in_another_process()
    theirs = {str(Path(f"/proc/{pid}/ns/net").readlink()) for pid in pids}
    owner.kill()
    owner.wait()
    assert len(theirs) == 12
    wait_for(lambda: not any(map(leftovers.start_of, pids)), 5.0, "all hosts to end")
    wait_for(lambda: not theirs & namespaces_of_processes(), 5.0, "all processes to end")
    assert sorted(Path("/sys/class/net").iterdir()) == cables
    leftovers.sweep()
    assert not folder.exists()


def test_host_left_behind_is_ended_by_the_next_start() -> None:
    sleeper = subprocess.Popen(["sleep", "1000"])
    life = leftovers.life_of(sleeper.pid)
    assert life is not None
    dead = subprocess.Popen([sys.executable, "-c", ORPHAN_FOLDER, f"{sleeper.pid}"])
    dead.wait()
    assert leftovers.is_alive(life)
    assert leftovers.sweep() == ["lost"]
    assert sleeper.wait(timeout=5) == -9


ORPHAN_FOLDER = """
import sys
from havpn_core.testing.lab.hosts import leftovers
life = leftovers.life_of(int(sys.argv[1]))
leftovers.record(leftovers.open_folder(), "lost", life)
"""


def test_recycled_pid_is_never_ended() -> None:
    sleeper = subprocess.Popen(["sleep", "1000"])
    life = leftovers.life_of(sleeper.pid)
    assert life is not None
    earlier = leftovers.Life(life.pid, life.start - 1, life.space)
    assert not leftovers.end(earlier)
    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()


def test_lab_of_a_living_owner_is_left_alone() -> None:
    folder = open_folder()
    assert leftovers.sweep() == []
    assert folder.exists()
    folder.joinpath("owner.json").unlink()
    folder.rmdir()
