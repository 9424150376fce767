import os
import sys
import time
from pathlib import Path

import msgspec
import pytest
from probe_world import built, descriptors, run

from havpn_core import Outcome

exec_ = __import__("havpn_plugins.probes.exec", fromlist=["havpn_register_probes"])
[TYPE] = exec_.havpn_register_probes()


def ran(world, script, timeout_s=10, **options):
    async def scenario():
        command = ["sh", "-c", script]
        async with built(TYPE, world, command=command, **options) as probe:
            return await probe.check(timeout_s)

    return run(scenario())


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("exit 0", Outcome.OK),
        ("exit 1", Outcome.OK),
        ("exit 2", Outcome.FAIL),
        ("exit 3", Outcome.ERROR),
        ("exit 4", Outcome.ERROR),
        ("exit 127", Outcome.ERROR),
        ("kill -9 $$", Outcome.ERROR),
    ],
)
def test_exit_statuses_mean_what_they_mean_to_nagios(world, script, outcome):
    assert ran(world, script).outcome is outcome


def test_a_warning_is_a_fail_where_asked(world):
    assert ran(world, "exit 1", warning="fail").outcome is Outcome.FAIL


@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_the_first_line_is_the_detail(world, status):
    sample = ran(world, f"echo PING 12 ms; echo more; echo complaint >&2; exit {status}")
    assert sample.detail == "PING 12 ms"


def test_a_hung_command_is_a_fail_at_the_deadline_and_its_children_die(world, tmp_path):
    note = tmp_path / "pid"
    started = time.monotonic()
    sample = ran(world, f"sleep 300 & echo $! > {note}; wait", 0.5)
    assert sample.outcome is Outcome.FAIL
    assert time.monotonic() - started < 5
    deadline = time.monotonic() + 5
    while runs(int(note.read_text())):
        assert time.monotonic() < deadline, "the child outlived the deadline"
        time.sleep(0.02)


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_command_knows_its_instance_and_its_deadline(world):
    sample = ran(world, 'echo "$HAVPN_INSTANCE $HAVPN_TIMEOUT"', 2.5)
    assert sample.detail == "path.p.probe.x 2.5"


def test_no_shell_reads_the_arguments(world):
    async def scenario():
        code = "import sys; print(sys.argv[1].encode().hex())"
        command = [sys.executable, "-c", code, "$HOME; `id`"]
        async with built(TYPE, world, command=command) as probe:
            return await probe.check(20)

    assert bytes.fromhex(run(scenario()).detail).decode() == "$HOME; `id`"


def test_the_detail_holds_no_argument(world):
    async def scenario(status):
        code = f"import sys; print('usage:', *sys.argv[1:]); sys.exit({status})"
        command = [sys.executable, "-c", code, "--token=hunter", "hunter" * 20]
        async with built(TYPE, world, command=command) as probe:
            return await probe.check(20)

    for status in range(4):
        assert run(scenario(status)).detail == "usage: *** ***"


def test_a_command_that_is_not_there_is_an_error_and_missing(world):
    command = ["/no/such/command", "x"]

    async def scenario():
        async with built(TYPE, world, command=command) as probe:
            return await probe.check(5)

    assert run(scenario()).outcome is Outcome.ERROR
    [sentence] = TYPE.missing(TYPE.config(command=command))
    assert "/no/such/command" in sentence


def test_a_command_that_is_not_executable_is_missing(tmp_path):
    script = tmp_path / "probe"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o644)
    assert TYPE.missing(TYPE.config(command=[str(script)]))
    script.chmod(0o755)
    assert TYPE.missing(TYPE.config(command=[str(script)])) == []
    assert os.access(script, os.X_OK)


def test_output_by_the_megabyte_is_no_trouble(world):
    sample = ran(world, "echo first; head -c 3000000 /dev/zero | tr '\\0' x")
    assert (sample.outcome, sample.detail) == (Outcome.OK, "first")


def test_a_long_line_is_cut(world):
    assert 0 < len(ran(world, "head -c 5000 /dev/zero | tr '\\0' x").detail) <= 200


@pytest.mark.parametrize(
    "wrong", [{}, {"command": []}, {"command": "ping x"}, {"command": ["a"], "warning": "maybe"}]
)
def test_impossible_options_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, TYPE.config)


def test_no_descriptor_is_left(world):
    async def scenario():
        async with built(TYPE, world, command=["sleep", "9"]) as probe:
            await probe.check(0.05)
            before = descriptors()
            for _ in range(5):
                await probe.check(0.05)
            return before, descriptors()

    before, after = run(scenario())
    assert after == before
