"""``havpn doctor``: what each check concludes, and how the findings are shown."""

import asyncio
import json
import os
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from havpn_core.cli.check import concluded
from havpn_core.cli.doctor import doctor
from havpn_core.config.read import load
from havpn_core.doctor import clock, devices, lan, links, names, needs, probes, responder
from havpn_core.doctor.case import Case, examine
from havpn_core.doctor.finding import Finding, exit_status, report, summary
from havpn_core.doctor.ownership import Sight, judged
from havpn_core.doctor.runner import CHECKS, run
from havpn_core.host.capabilities import missing_capabilities
from havpn_core.host.disk import rights
from havpn_core.host.lock import RunLock, holder
from havpn_core.pair.frames import NONCE_BYTES, Authenticator, node_number
from havpn_core.pair.message import Content, Mode
from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.diagnosis import Diagnosis, Level
from havpn_core.plugging.gate.diagnosing import REPORT, as_diagnoses
from havpn_core.rules.role import Role

MAC, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"
ADDRESS = "10.1.255.254"
KEY, WRONG = b"k" * 32, b"w" * 32


# --- whose an address is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sight", "role", "running", "level", "words"),
    [
        (Sight(True), "active", True, Level.OK, "nobody else"),
        (Sight(True, [MAC]), "active", True, Level.FAILED, "replies for it, too"),
        (Sight(True, [MAC], [MAC]), "active", True, Level.FAILED, "replies for it, too"),
        (Sight(True), "standby", True, Level.FAILED, "role is standby"),
        (Sight(True), None, False, Level.WARNING, "no daemon runs"),
        (Sight(False, [MAC], [MAC]), "standby", True, Level.OK, "the partner has it"),
        (Sight(False, [MAC], [MAC]), "active", True, Level.FAILED, "the role here is active"),
        (Sight(False, [OTHER], [MAC]), "standby", True, Level.FAILED, "not the partner"),
        (Sight(False, [OTHER]), "standby", True, Level.WARNING, "has it"),
        (Sight(False, [MAC, OTHER], [MAC]), "standby", True, Level.FAILED, "several hosts"),
        (Sight(False), "standby", True, Level.FAILED, "nobody on the LAN"),
        (Sight(False), None, False, Level.OK, "nobody on the LAN"),
    ],
)
def test_whose_an_address_is(sight, role, running, level, words):
    found = judged(ADDRESS, sight, role, running=running).diagnosis
    assert found.level is level
    assert words in found.text
    assert bool(found.remedy) == (level is not Level.OK)


# --- how findings are shown ----------------------------------------------------------------------


def test_a_finding_is_one_line_and_only_what_is_broken_fails():
    good, warned = Finding.good("lan", "is there"), Finding.warning("clock", "is off", "set it")
    bad = Finding.failed("wan", "is down", "plug it in")
    assert bad.line == "FAILED   wan: is down: plug it in"
    assert good.line == "ok       lan: is there"
    assert [exit_status([]), exit_status([good, warned]), exit_status([good, bad])] == [0, 0, 1]
    assert summary([good, warned, bad]) == "1 failed, 1 warning, 1 ok"
    shown = report("f", "gw", [warned, bad], running=True)
    assert (shown["schema"], shown["failed"], shown["warnings"], shown["ok"]) == (1, 1, 1, 0)
    assert shown["findings"][1]["remedy"] == "plug it in"


class Hostile:
    def __str__(self):
        raise SystemExit


def damaged():
    found = Diagnosis.good("text")
    object.__delattr__(found, "text")
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ([], []),
        ((Diagnosis.good("fine"),), [Diagnosis.good("fine")]),
        ([Diagnosis.failed("a\nb", "c\td")], [Diagnosis.failed("a b", "c d")]),
        (7, [Diagnosis.failed("diagnose gave 7, which is no list", REPORT)]),
        ([Hostile()], [Diagnosis.failed("diagnose gave a Hostile, which is no Diagnosis", REPORT)]),
        ([damaged()], [Diagnosis.failed("diagnose gave a Diagnosis without its fields", REPORT)]),
        (
            [Diagnosis("grave", "text")],
            [Diagnosis.failed("text (of the level 'grave', which is none)", REPORT)],
        ),
    ],
)  # fmt: skip
def test_what_a_plugin_gives_is_a_list_of_diagnoses(value, expected):
    assert as_diagnoses(value) == expected


# --- the runner ----------------------------------------------------------------------------------


def test_checks_run_side_by_side_in_order_and_none_outlasts_its_deadline():
    async def hangs(case):
        await asyncio.sleep(60)

    async def breaks(case):
        raise RuntimeError("a bug")

    async def good(case):
        case.append("first")
        return [Finding.good("x", "fine")]

    async def later(case):
        return [Finding.good("y", " ".join(case))]

    checks = {"slow": hangs, "broken": breaks, "later": later, "needs": good}
    found = asyncio.run(run([], checks, deadline_s=0.2))
    assert [each.check for each in found] == ["slow", "broken", "later", "needs"]
    assert "no result within 0.2 s" in found[0].diagnosis.text
    assert "RuntimeError: a bug" in found[1].diagnosis.text
    assert [each.broken for each in found] == [True, True, False, False]
    assert found[2].diagnosis.text == "first"  # what the others rest on comes first


# --- the checks on this host ---------------------------------------------------------------------

FILE = """
[node]
name = "gw"
run_dir = "{dir}/run"
state_dir = "{dir}/state"
[path.vpn1]
interval = "100ms"
timeout = "200ms"
{path}
[path.vpn1.probe.echo]
type = "udp-echo"
host = "127.0.0.1"
port = {port}
{probe}
{more}
"""


@pytest.fixture
def case(tmp_path):
    def make(path="", probe="", more="", port=9, **facts):
        file = tmp_path / "havpn.toml"
        text = FILE.format(dir=tmp_path, path=path, probe=probe, more=more, port=port)
        file.write_text(text)
        config, _ = load(file)
        return Case(config, Path(config.node.run_dir), **facts)

    return make


def looked(check, case):
    return {each.subject: each.diagnosis for each in asyncio.run(check.look(case))}


def test_devices_and_addresses_are_looked_for(case):
    found = looked(
        devices,
        case(
            path='carrier = ["nodev0"]',
            probe='source = "192.0.2.77"\ndevice = "lo"',
            more='[respond]\nlisten = ["127.0.0.1:7"]\nallow = ["192.0.2.6/32"]',
        ),
    )
    assert found["lo"].level is Level.OK
    assert found["127.0.0.1"] == Diagnosis.good("is on lo")
    assert found["nodev0"].level is Level.FAILED and "path.vpn1.carrier" in found["nodev0"].remedy
    assert found["192.0.2.77"].level is Level.FAILED
    assert "path.vpn1.probe.echo.source" in found["192.0.2.77"].remedy


def test_a_serial_device_is_no_interface(case):
    links = '[pair]\npriority = 1\nkey_file = "/x"\n[pair.link.cable]\ntype = "serial"\n'
    given = case(more=f'{links}device = "/dev/ttyS77"')
    assert devices.absent(given.config) == []
    assert "device /dev/ttyS77 is not there" in needs.missing(given.config)[-1]
    found = looked(needs, given)
    assert found["pair.link.cable"].remedy == "plug the adapter in or correct the name"
    assert given.lacking >= {"pair.link.cable"}


def test_only_a_file_whose_things_are_here_is_good():
    assert concluded(0, 0) == "good"
    assert concluded(2, 1) == "2 problems"
    for absent in (1, 3):
        assert "good" not in concluded(0, absent)
        assert concluded(0, absent).startswith(f"valid, but {absent} ")


def test_names_that_do_not_resolve(case, monkeypatch):
    def look_up(host, *more, **options):
        if host == "far.example":
            return [(2, 2, 17, "", ("192.0.2.6", 0))]
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    second = '[path.vpn1.probe.two]\ntype = "tcp"\nport = 1\nhost = "no.example"'
    given = case(more=second)
    echo = given.config.paths[0].probes[0]
    assert asyncio.run(names.resolved(given, echo)) == "127.0.0.1"
    found = looked(names, given)
    assert list(found) == ["path.vpn1.probe.two.host"]
    assert found["path.vpn1.probe.two.host"].level is Level.FAILED
    assert "name not resolved" in found["path.vpn1.probe.two.host"].text
    good = looked(names, case(more=second.replace("no.", "far.")))
    assert good["path.vpn1.probe.two.host"] == Diagnosis.good("far.example is 192.0.2.6")


def test_a_resolver_that_hangs_is_waited_for_only_so_long(case, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **o: release.wait(30))
    given = case(more='[path.vpn1.probe.two]\ntype = "tcp"\nport = 1\nhost = "no.example"')
    began = time.monotonic()
    found = asyncio.run(names.resolved(given, given.config.paths[0].probes[1], within_s=0.1))
    assert "not resolved yet" in str(found) and time.monotonic() - began < 10
    release.set()


def test_capabilities_are_those_of_the_daemon(case, monkeypatch):
    given = case(
        more='[action.vip]\ntype = "alias-arp"\ndevice = "lo"\naddresses = ["10.0.0.1/24"]'
    )
    asked = []

    def without(needed, pid=None):
        asked.append(pid)
        return [each for each in needed if each == "CAP_NET_RAW"]

    monkeypatch.setattr(needs, "missing_capabilities", without)
    found = looked(needs, given)
    assert found["action.vip"] == Diagnosis.failed("this process has no CAP_NET_RAW", needs.GRANT)
    looked(needs, Case(given.config, given.run_dir, pid=os.getpid()))
    assert asked == [None, os.getpid()]


@pytest.mark.parametrize(("first", "needed"), [("1024", True), ("0", False), ("rubbish", True)])
def test_low_ports_need_a_capability_where_the_kernel_says_so(
    case, tmp_path, monkeypatch, first, needed
):
    monkeypatch.setattr(needs, "FIRST_PORT", tmp_path / "first")
    (tmp_path / "first").write_text(first)
    config = case(more='[respond]\nlisten = ["127.0.0.1:7"]\nallow = ["192.0.2.6/32"]').config
    wanted = ("respond.listen", "CAP_NET_BIND_SERVICE") in needs.capabilities(config)
    assert wanted is needed
    # A unit may give it to the daemon, so that a check by hand says nothing of it.
    assert not any("BIND_SERVICE" in each for each in needs.missing(config))


def test_a_secret_that_only_root_reads_is_named(case, tmp_path, monkeypatch):
    monkeypatch.setattr(rights, "service_group", lambda: 77)
    user = SimpleNamespace(pw_uid=66)
    monkeypatch.setattr(rights.pwd, "getpwnam", {"havpn": user}.__getitem__)
    modes = {"a": (0, 0, 0o600), "b": (0, 77, 0o640), "c": (66, 66, 0o600), "d": (0, 77, 0o600)}
    tables = []
    for name, (_, _, mode) in modes.items():
        file = tmp_path / name
        file.write_text("Authorization: Bearer x")
        file.chmod(mode)
        tables.append(f'[notifier.{name}]\ntype = "webhook"\nheaders_file = "{file}"')
        tables.append('url = "https://localhost/"')
    config = case(more="\n".join([*tables, '[notifier.gone]\ntype = "webhook"',
                                  'url_file = "/gone"'])).config  # fmt: skip
    real = Path.stat

    def owned(self, **more):
        uid, gid, mode = modes[self.name] if self.parent == tmp_path else (0, 0, 0o600)
        return os.stat_result((0o100000 | mode, *real(self, **more)[1:4], uid, gid, 0, 0, 0, 0))

    monkeypatch.setattr(Path, "stat", owned)
    found = needs.unreadable(config)
    assert [each.partition(":")[0] for each in found] == [
        "notifier.a.headers_file", "notifier.d.headers_file",
    ]  # fmt: skip
    assert all("run chown root:havpn and chmod 640 on it" in each for each in found)
    monkeypatch.setattr(rights.pwd, "getpwnam", {}.__getitem__)
    assert needs.unreadable(config) == []  # there is no packaged unit


def test_every_capability_is_known():
    text = Path("/proc/self/status").read_text()
    whole = int(text.partition("CapBnd:")[2].split()[0], 16) == (1 << 41) - 1
    names_ = ("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_NET_RAW", "CAP_CHECKPOINT_RESTORE")
    from havpn_core.host.capabilities import NUMBERS

    assert [NUMBERS[each] for each in names_] == [0, 1, 5, 13, 40]
    effective = int(text.partition("CapEff:")[2].split()[0], 16)
    lacking = missing_capabilities(NUMBERS, os.getpid())
    assert len(lacking) == 41 - bin(effective & ((1 << 41) - 1)).count("1")
    assert not whole or set(lacking) <= set(NUMBERS)
    assert missing_capabilities(["CAP_NOT_KNOWN"]) == ["CAP_NOT_KNOWN"]


def test_programs_are_looked_for_where_the_daemon_looks(case, tmp_path):
    tool = tmp_path / "bin" / "only-there"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    given = case(more='[notifier.own]\ntype = "exec"\ncommand = ["only-there"]')
    assert looked(needs, given)["notifier.own"].level is Level.FAILED
    child = os.posix_spawn("/bin/sleep", ["sleep", "60"], {"PATH": str(tool.parent)})
    before = os.environ["PATH"]
    try:
        while not Path(f"/proc/{child}/environ").read_bytes():  # until it is in its program
            time.sleep(0.001)
        found = looked(needs, Case(given.config, given.run_dir, pid=child))
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert "notifier.own" not in found
    assert found["programs and files"].level is Level.OK
    assert os.environ["PATH"] == before


def test_forwarding_of_the_families_of_the_addresses(case, monkeypatch):
    monkeypatch.setattr(lan, "forwarding", lambda family: family == "IPv6")
    monkeypatch.setattr(lan, "has_carrier", lambda device: False)
    alias = '[action.vip]\ntype = "alias-arp"\ndevice = "nodev0"\naddresses = [{}]'
    both = looked(lan, case(more=alias.format('"10.0.0.1/24", "2001:db8::1/64"')))
    assert both["net.ipv4.ip_forward"].level is Level.FAILED
    assert both["net.ipv6.conf.all.forwarding"].level is Level.OK
    six = looked(lan, case(more=alias.format('"2001:db8::1/64"')))
    assert "net.ipv4.ip_forward" not in six
    # Whose addresses are not known may have no use for it.
    unknown = '[action.own]\ntype = "exec"\nactive = ["true"]\nstandby = ["true"]'
    assert looked(lan, case(more=unknown))["net.ipv4.ip_forward"].level is Level.WARNING
    assert looked(lan, case()) == {}
    assert looked(lan, case(more="[lan]\nforwarding = false")) == {}


def test_a_probe_is_sent_and_its_result_explained(case):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        port = far.getsockname()[1]

        def echo():
            with far.dup() as mine:
                mine.settimeout(10)
                first = True
                while True:
                    data, sender = mine.recvfrom(2000)
                    if data == b"end":
                        return
                    if not first:  # one lost probe says little
                        mine.sendto(data, sender)
                    first = False

        thread = threading.Thread(target=echo, daemon=True)
        thread.start()
        found = looked(probes, case(port=port))["path.vpn1.probe.echo"]
        far.sendto(b"end", far.getsockname())
        thread.join(10)
    assert found.level is Level.OK and "ms by 127.0.0.1" in found.text
    refused = looked(probes, case(port=port))["path.vpn1.probe.echo"]
    assert refused.level is Level.FAILED
    assert refused.text == "127.0.0.1 refuses the probe"
    assert "respond.allow" in refused.remedy


@pytest.mark.parametrize("option", ['device = "nodev0"', 'source = "192.0.2.77"'])
def test_a_probe_whose_own_end_is_not_here_is_not_tried(case, option):
    """The missing interface or address is named; no firewall and no far end is at fault."""
    given = case(probe=option)
    assert looked(probes, given) == {}
    (failed,) = looked(devices, given).values()
    assert failed.level is Level.FAILED and "path.vpn1.probe.echo." in failed.remedy


def test_what_a_sample_means(case):
    given = case(
        probe='watches = "tunnel"',
        more='[path.vpn1.probe.own]\ntype = "exec"\ncommand = ["true"]',
    )
    tunnel, own = given.config.paths[0].probes
    lost = probes.judged(tunnel, Sample.fail("no reply")).diagnosis
    assert lost.text == "no reply (127.0.0.1)" and "swanctl --list-sas" in lost.remedy
    error = probes.judged(own, Sample.error("operation not permitted")).diagnosis
    assert error.level is Level.FAILED and "as root" in error.remedy
    assert "by hand" in probes.judged(own, Sample.fail("status 1")).diagnosis.remedy
    assert probes.judged(own, Sample.ok(0.0015, "fine")).diagnosis.text == (
        "a reply in 1.5 ms: fine"
    )


def test_the_responder_s_port_that_another_program_has(case):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        more = f'[respond]\nlisten = ["127.0.0.1:{port}"]\nallow = ["192.0.2.6/32"]'
        taken = looked(responder, case(more=more))[f"respond.listen 127.0.0.1:{port}"]
        # It is the daemon's own where one runs.
        assert looked(responder, case(more=more, pid=1)) == {}
    assert taken.level is Level.FAILED and "ss -ulnp" in taken.remedy
    free = looked(responder, case(more=more))[f"respond.listen 127.0.0.1:{port}"]
    assert free.level is Level.OK


def test_the_port_of_the_metrics_is_bound_where_no_daemon_runs(case):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        given = case(more=f'[metrics]\nlisten = ["127.0.0.1:{port}", "192.0.2.77:9713"]')
        found = asyncio.run(responder.look_at_metrics(given))
    taken, absent = (each.diagnosis for each in found)
    assert taken.level is absent.level is Level.FAILED
    assert "ss -tlnp" in taken.remedy and "correct metrics.listen" in absent.remedy
    given = case(more=f'[metrics]\nlisten = ["127.0.0.1:{port}", "[::1]:{port}"]')
    found = asyncio.run(responder.look_at_metrics(given))
    assert found == [
        Finding.good(f"metrics.listen {place}:{port}", "can be bound")
        for place in ("127.0.0.1", "[::1]")
    ]


@pytest.mark.parametrize(
    ("reply", "level", "words"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nalive", Level.OK, "alive"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", Level.FAILED, "hangs"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", Level.FAILED, "not havpn"),
        (b"", Level.FAILED, "not havpn"),
        (100_000 * b"x", Level.FAILED, "none of HTTP"),
        (None, Level.FAILED, "connection refused"),
    ],
)
def test_the_metrics_of_a_daemon_are_requested(case, reply, level, words):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        given = case(more=f'[metrics]\nlisten = ["127.0.0.1:{port}"]', pid=1)

        def serve():
            made, _ = server.accept()
            with made:
                assert made.recv(1000).startswith(b"GET /liveness HTTP/1.1\r\n")
                made.sendall(reply)

        if reply is None:
            server.close()
        else:
            threading.Thread(target=serve, daemon=True).start()
        (found,) = asyncio.run(responder.look_at_metrics(given))
    assert (found.diagnosis.level, words in found.diagnosis.text) == (level, True), found
    assert bool(found.diagnosis.remedy) == (level is not Level.OK)


def test_check_looks_for_the_address_and_the_right_to_the_port_of_the_metrics(case):
    listen = '["192.0.2.77:80", "0.0.0.0:80", "[::]:80", "127.0.0.9:80"]'
    config = case(more=f"[metrics]\nlisten = {listen}").config
    there = ("metrics.listen", "no interface has the address 192.0.2.77 now")
    assert devices.absent(config) == [there]
    assert ("metrics.listen", "CAP_NET_BIND_SERVICE") in needs.capabilities(config)


# --- frames of the partner -----------------------------------------------------------------------


def frame(key=KEY, incarnation=1000):
    content = Content(
        node=node_number("partner"), priority=100, line=None, held=None, wanted=Role.STANDBY,
        mode=Mode.STANDBY, term=1,
    )  # fmt: skip
    return Authenticator((key,), incarnation, b"n" * NONCE_BYTES).sign(content)


@pytest.mark.parametrize(
    ("frames", "level", "words"),
    [
        ([frame()], Level.OK, "known key"),
        ([b"\x01", frame(WRONG), frame()], Level.OK, "known key"),
        ([frame(WRONG)], Level.FAILED, "another key"),
        ([frame()[:-1] + b"?"], Level.FAILED, "another key"),
        ([b"\x09" * 80], Level.FAILED, "another version"),
        ([b"\x01", b"\x01noise"], Level.FAILED, "no frames of a pair"),
        ([], Level.FAILED, "no frame of the partner"),
    ],
)
def test_what_the_frames_of_a_link_mean(frames, level, words):
    [found] = links.judged("link", frames, (KEY,), now_s=1.0)
    assert found.diagnosis.level is level
    assert words in found.diagnosis.text


def test_a_partner_from_the_future_shows_that_a_clock_is_off():
    hour = frame(incarnation=int((1000 + 3600) * 1e6))
    found = links.judged("link", [hour], (KEY,), now_s=1000.0)
    assert found[1].broken and "1h ahead" in found[1].diagnosis.text
    assert len(links.judged("link", [hour], (KEY,), now_s=4590.0)) == 1


# --- the clock -----------------------------------------------------------------------------------


def test_the_clock_by_the_kernel_s_word(case, monkeypatch):
    for word, level in ((True, Level.OK), (None, Level.OK), (False, Level.WARNING)):
        monkeypatch.setattr(clock, "synchronised", lambda word=word: word)
        assert looked(clock, case())["clock"].level is level


def test_the_kernel_is_asked_for_real():
    assert clock.synchronised() in (True, False, None)


def test_a_clock_that_is_behind_what_was_written(case, monkeypatch):
    monkeypatch.setattr(clock, "synchronised", lambda: True)
    given = case()
    later = time.time() + 86400
    os.utime(given.config.file, (later, later))
    [_, found] = asyncio.run(clock.look(given))
    assert found.broken and f"behind the time at which {given.config.file}" in found.line


# --- the daemon and the command ------------------------------------------------------------------


def test_the_daemon_that_has_a_folder_is_seen_without_taking_its_lock(tmp_path):
    assert holder(tmp_path / "none", "control.sock") is None
    assert holder(tmp_path, "control.sock") is None

    async def hold():
        lock = RunLock(tmp_path)
        await lock.take("control.sock")
        seen = holder(tmp_path, "control.sock")
        lock.release()
        return seen

    assert asyncio.run(hold()) == os.getpid()
    assert holder(tmp_path, "control.sock") is None


def test_a_hung_daemon_is_named(case, tmp_path):
    given = case()
    given.run_dir.mkdir()

    async def look():
        lock = RunLock(given.run_dir)
        await lock.take("control.sock")
        try:
            found = examine(given.config, given.run_dir)
            return found, await CHECKS["daemon"](found)
        finally:
            lock.release()

    found, said = asyncio.run(look())
    assert found.running and found.status is None
    assert said[0].broken and "no status" in said[0].line and "restart it" in said[0].line


def test_the_command_says_what_is_broken_and_ends_with_1(case):
    given = case(path='carrier = ["nodev0"]')
    done = CliRunner().invoke(doctor, ["-c", str(given.config.file)])
    assert done.exit_code == 1, done.output
    assert "FAILED   nodev0: there is no such interface" in done.output
    assert "warning  path.vpn1: no probe watches the tunnel" in done.output
    again = CliRunner().invoke(doctor, ["-c", str(given.config.file), "--json"])
    found = json.loads(again.output)
    assert again.exit_code == 1 and found["schema"] == 1 and found["daemon"] == "not running"
    assert {each["level"] for each in found["findings"]} == {"ok", "warning", "failed"}
    assert {each["check"] for each in found["findings"]} - {""} <= set(CHECKS)


def test_a_file_with_errors_is_said_as_by_every_command(tmp_path):
    (tmp_path / "bad.toml").write_text("[path.x]\n")
    done = CliRunner().invoke(doctor, ["-c", str(tmp_path / "bad.toml")])
    assert done.exit_code == 1
    assert "path.x.probe" in str(done.exception)
