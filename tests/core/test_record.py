"""``havpn record``: in-process with probes that do as told, and as a command on real sockets."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from havpn_core.config.instances import PathConfig
from havpn_core.config.options import PathOptions
from havpn_core.durations import Duration
from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.calls import Caller
from havpn_core.study.recording import Recorder
from havpn_core.study.traces import parse_trace

HEADER = "# havpn record 1 path=vpn1 interval=0.05 began=2026-01-01T00:00:00.000Z"
LINE = re.compile(r"(\d+\.\d{3}) ([.x?])( \d+\.\d{3})?")


class Scripted:
    """A probe that gives each call its own sample after its own time."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.sent = 0
        self.closed = False

    async def check(self, timeout_s):
        delay_s, sample = self.replies[self.sent % len(self.replies)]
        self.sent += 1
        await asyncio.sleep(delay_s)
        return sample

    async def close(self):
        self.closed = True


def recorded(*probes, for_s=0.2, require=1, timeout_s=1.0, clock=time.monotonic, **more):
    options = PathOptions(
        interval=Duration(0.05),
        timeout=Duration(timeout_s),
        fall=3,
        rise=3,
        require=require,
        **more,
    )
    lines, complaints = [], []
    callers = {f"p{n}": Caller(probe, f"p{n}") for n, probe in enumerate(probes)}
    recorder = Recorder(
        PathConfig("vpn1", options, ()),
        callers,
        write=lines.append,
        complain=complaints.append,
        clock=clock,
    )

    async def run():
        await recorder.run(for_s, asyncio.Event())
        await recorder.close()

    asyncio.run(run())
    assert all(probe.closed for probe in probes)
    return lines, complaints


OK = Sample.ok(0.003)
FAIL = Sample.fail("no reply")


def test_probes_overlap_and_lines_come_in_order_of_sending():
    probe = Scripted((0.12, FAIL), (0.0, OK), (0.0, OK), (0.0, OK))
    lines, complaints = recorded(probe)
    assert lines == ["0.000 x", "0.050 . 3.000", "0.100 . 3.000", "0.150 . 3.000"]
    assert complaints == []


@pytest.mark.parametrize(("require", "symbols"), [(1, "...."), (2, "x..x")])
def test_a_line_is_the_vote_of_all_probes(require, symbols):
    always = Scripted((0, OK))
    sometimes = Scripted(
        (0.01, FAIL), (0.01, Sample.ok(0.007)), (0.01, Sample.ok(0.007)), (0, FAIL)
    )
    lines, _ = recorded(always, sometimes, require=require)
    assert "".join(line.split()[1] for line in lines) == symbols
    if require == 2:
        assert lines[1] == "0.050 . 7.000"  # the reply that decided


@pytest.mark.parametrize(("refused", "symbols"), [("hold", "rr.r"), ("fail", "xx.x")])
def test_a_refusal_is_recorded_as_the_path_takes_it(refused, symbols):
    gone = Sample.refusal("connection refused")
    lines, _ = recorded(Scripted((0, gone), (0, gone), (0, OK), (0, gone)), refused=refused)
    assert "".join(line.split()[1] for line in lines) == symbols
    assert [point[1] for point in parse_trace("\n".join([HEADER, *lines])).points] == [
        symbol == "x" for symbol in symbols
    ]


def test_what_could_not_be_tested_is_said_once_a_row():
    void = (0, Sample.error("no permission"))
    lines, complaints = recorded(Scripted(void, void, (0, OK), void))
    assert [line.split()[1] for line in lines] == ["?", "?", ".", "?"]
    assert complaints == ["probe p0: no permission"] * 2


def test_a_probe_that_never_replies_is_cut_off():
    began = time.monotonic()
    lines, _ = recorded(Scripted((3600, OK)), timeout_s=0.1)
    assert [line.split()[1] for line in lines] == ["x"] * 4
    assert time.monotonic() - began < 10


class Plain(Scripted):
    """A probe that blocks, in a thread of its own."""

    def check(self, timeout_s):
        delay_s, sample = self.replies[self.sent % len(self.replies)]
        self.sent += 1
        time.sleep(delay_s)
        return sample


def test_a_probe_that_blocks_is_sent_one_at_a_time_and_never_untested():
    probe = Plain((0.12, OK), (0.0, FAIL))
    lines, complaints = recorded(probe, for_s=0.4)
    assert complaints == []
    assert {line.split()[1] for line in lines} == {".", "x"}
    assert len(lines) == probe.sent
    assert len(lines) < 8, "a moment that comes while it is under way is left out"


def test_a_probe_that_hangs_in_its_thread_fails_once_a_timeout():
    lines, complaints = recorded(Plain((1.5, OK)), timeout_s=0.1, for_s=0.9)
    assert complaints == []
    assert {line.split()[1] for line in lines} == {"x"}
    assert 3 <= len(lines) <= 6


def test_beside_one_that_overlaps_a_plain_probe_is_neither_for_nor_against():
    quick, slow = Scripted((0, OK)), Plain((0.12, OK))
    lines, complaints = recorded(quick, slow, for_s=0.4, require=2)
    assert complaints == []
    assert quick.sent == len(lines)
    assert slow.sent == sum(line.split()[1] == "." for line in lines) < quick.sent


def test_a_failure_while_this_host_slept_is_no_failure_of_the_line():
    asleep = [0.0]

    class Sleeper(Scripted):
        async def check(self, timeout_s):
            if self.sent == 1:
                asleep[0] += 0.52
            return await super().check(timeout_s)

    probe = Sleeper((0, FAIL))
    lines, complaints = recorded(
        probe, for_s=0.75, timeout_s=0.1, clock=lambda: time.monotonic() + asleep[0]
    )
    # The probe after the first is void, and those of the time asleep were never sent.
    assert lines[:2] == ["0.000 x", "0.050 ?"]
    assert float(lines[2].split()[0]) >= 0.55
    assert len(lines) <= 6
    assert "late itself" in complaints[0]


# --- the command -----------------------------------------------------------------------------

CONFIG = """
[node]
run_dir = "{dir}/run"
state_dir = "{dir}/state"
[path.vpn1]
interval = "50ms"
timeout = "500ms"
[path.vpn1.probe.echo]
type = "udp-echo"
host = "{host}"
port = {port}
[path.vpn2]
[path.vpn2.probe.other]
type = "exec"
command = ["touch", "{dir}/probed-another-path"]
[action.gateway]
type = "exec"
active = ["touch", "{dir}/took-a-role"]
standby = ["touch", "{dir}/took-a-role"]
"""


class Echo:
    """A far end on loopback that swallows every fourth probe."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self.heard = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.reply)
        self.thread.start()

    def reply(self):
        while not self.ended.is_set():
            try:
                probe, sender = self.socket.recvfrom(2000)
            except TimeoutError:
                continue
            self.heard += 1
            if self.heard % 4:
                self.socket.sendto(probe, sender)

    def close(self):
        self.ended.set()
        self.thread.join()
        self.socket.close()


@pytest.fixture
def echo():
    made = Echo()
    yield made
    made.close()


def configure(tmp_path, port, host="127.0.0.1"):
    file = tmp_path / "havpn.toml"
    file.write_text(CONFIG.format(dir=tmp_path, port=port, host=host))
    return file


def start(file, *arguments, path="vpn1"):
    return subprocess.Popen(
        [sys.executable, "-m", "havpn_core", "record", "-c", str(file), "--path", path, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    try:
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    return process.returncode, out, err


def symbols(text):
    samples = [LINE.fullmatch(line) for line in text.splitlines()[1:]]
    assert all(samples)
    assert all((s[2] == ".") == (s[3] is not None) for s in samples)
    times = [float(s[1]) for s in samples]
    assert times == sorted(set(times))
    assert all(abs(at / 0.05 - round(at / 0.05)) < 1e-6 for at in times)
    return "".join(s[2] for s in samples)


def test_a_real_line_is_recorded_and_nothing_else_is_done(tmp_path, echo):
    status, out, err = finish(start(configure(tmp_path, echo.port), "--for", "2s"))
    assert (status, err) == (0, "")
    heard = symbols(out)
    assert re.match(
        r"# havpn record 1 path=vpn1 interval=0.05 began=20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\n",
        out,
    )
    assert 20 <= len(heard) <= 40  # 40 unless this host was held up
    assert len(heard) == echo.heard
    # A host that was held up says ? for a failure of which it cannot be sure.
    assert heard.replace("?", "x") == ("...x" * 10)[: len(heard)]
    assert parse_trace(out).length_s <= 2.0 + 1e-9
    assert sorted(path.name for path in tmp_path.iterdir()) == ["havpn.toml"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_the_file_is_whole(tmp_path, echo, number):
    file = tmp_path / "line.txt"
    process = start(configure(tmp_path, echo.port), "-o", str(file))
    try:
        # Written while it runs: the file must have grown twice before it is ended.
        sizes, until = set(), time.monotonic() + 20
        while len(sizes - {0}) < 3 and time.monotonic() < until:
            sizes.add(file.stat().st_size if file.exists() else 0)
            time.sleep(0.02)
        assert len(sizes - {0}) >= 3
        process.send_signal(number)
        status, out, err = finish(process)
    finally:
        process.kill()
    assert (status, out, err) == (0, "", "")
    assert len(symbols(file.read_text())) == echo.heard


def test_a_name_that_is_not_known_is_untested_and_said(tmp_path):
    file = configure(tmp_path, 7, host="nowhere.invalid")
    status, out, err = finish(start(file, "--for", "500ms"))
    assert status == 0
    assert set(symbols(out)) == {"?"}
    assert "nowhere.invalid" in err


def test_mistakes_are_named(tmp_path, echo):
    file = configure(tmp_path, echo.port)
    status, _, err = finish(start(file, path="vpn9"))
    assert (status, "no path 'vpn9' (known: vpn1, vpn2)" in err) == (1, True)
    status, _, err = finish(start(file, "--for", "soon"))
    assert (status, "'soon' is no duration" in err) == (2, True)
    status, _, err = finish(start(file, "-o", str(tmp_path / "no" / "such")))
    assert (status, "no/such: cannot be written" in err) == (1, True)
    assert echo.heard == 0


def test_a_full_disk_ends_it(tmp_path, echo):
    status, _, err = finish(start(configure(tmp_path, echo.port), "-o", "/dev/full"))
    assert (status, "/dev/full: cannot be written" in err) == (1, True)
