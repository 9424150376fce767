"""The line between two hosts takes its time, loses its share and is cut at a known moment."""

import os
import statistics
import time
from collections.abc import Iterator

import pytest

from havpn_core.testing.lab import Host, LabError, Pinger, Stream, wait_for
from havpn_core.testing.lab.hosts.journal import read_journal
from havpn_core.testing.lab.line import LEFT, RIGHT, Line

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]

DELAY_MS = 20.0


@pytest.fixture(scope="module")
def built() -> Iterator[Line]:
    with Line(DELAY_MS, seed=1) as line:
        yield line


@pytest.fixture
def line(built: Line) -> Iterator[Line]:
    built.delay(DELAY_MS)
    built.left.run("ping", "-c1", "-W5", RIGHT)  # so that no test waits for ARP
    yield built
    built.heal()


def round_trips_ms(line: Line, seconds: float = 1.0) -> list[float]:
    pinger = Pinger(line.left, line.right, RIGHT)
    time.sleep(seconds)
    pinger.stop()
    entries = read_journal(pinger._journal)
    return sorted((e.arrived - e.sent) * 1000 for e in entries if e.arrived is not None)


def received(host: Host) -> int:
    return int(host.read("/sys/class/net/line/statistics/rx_packets"))


def test_each_way_takes_the_delay(line: Line) -> None:
    trips = round_trips_ms(line)
    assert len(trips) > 50
    assert trips[0] >= 2 * DELAY_MS
    assert statistics.median(trips) < 2 * DELAY_MS + 10


def test_delay_can_be_changed_for_one_way(line: Line) -> None:
    line.delay(100, "right")
    trips = round_trips_ms(line)
    assert trips[0] >= DELAY_MS + 100
    assert statistics.median(trips) < DELAY_MS + 100 + 10


def test_nothing_comes_out_after_the_moment_of_a_cut(line: Line) -> None:
    pinger = Pinger(line.left, line.right, RIGHT)
    wait_for(pinger.answered, 5.0, "a first answer")
    before = time.monotonic_ns(), time.time_ns()
    moment = line.cut()
    after = time.monotonic_ns(), time.time_ns()
    time.sleep(0.3)
    carrier = line.left.read("/sys/class/net/line/carrier").strip()
    line.heal()
    healed = time.monotonic()
    wait_for(lambda: pinger.answered(since=healed), 5.0, "answers after healing")
    pinger.stop()
    arrivals = [e.arrived for e in read_journal(pinger._journal) if e.arrived is not None]
    cut_s = moment.monotonic_ns / 1e9
    assert before[0] <= moment.monotonic_ns <= after[0]
    assert before[1] <= moment.realtime_ns <= after[1]
    assert any(cut_s - 0.1 < arrived < cut_s + 0.005 for arrived in arrivals)
    assert not [arrived for arrived in arrivals if cut_s + 0.005 < arrived < healed]
    assert carrier == "1"


def test_one_way_cut_loses_only_what_that_end_sends(line: Line) -> None:
    pinger = Pinger(line.left, line.right, RIGHT)
    wait_for(pinger.answered, 5.0, "a first answer")
    line.cut("right")
    time.sleep(0.1)
    arrived = {host.name: received(host) for host in (line.left, line.right)}
    time.sleep(0.3)
    gained = {host.name: received(host) - arrived[host.name] for host in (line.left, line.right)}
    line.heal()
    line.cut("left")
    time.sleep(0.1)
    arrived_right = received(line.right)
    time.sleep(0.3)
    pinger.stop()
    assert gained["left"] == 0
    assert gained["right"] > 10
    assert received(line.right) == arrived_right


def test_loss_is_about_the_share_asked_for(line: Line) -> None:
    line.loss(0.5, "left")
    pinger = Pinger(line.left, line.right, RIGHT, interval=0.002)
    time.sleep(2.0)
    pinger.stop()
    lost = sum(outage.lost for outage in pinger.outages(threshold=0.0))
    assert 0.35 < lost / (lost + pinger.answered()) < 0.65


def test_tcp_passes_whole_in_both_directions(line: Line) -> None:
    stream = Stream(line.right, line.left, LEFT)
    wait_for(lambda: stream.report().to_client.records > 50, 10.0, "traffic")
    report = stream.finish()
    assert report.intact, report.error
    assert report.to_server.records > 50


def test_order_that_makes_no_sense_is_refused(line: Line) -> None:
    with pytest.raises(LabError, match="cannot loss 2"):
        line.loss(2)
    with pytest.raises(LabError, match="cannot delay 501"):
        line.delay(501)
    assert round_trips_ms(line, 0.3)
