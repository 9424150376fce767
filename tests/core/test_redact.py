"""What stands on a command line is in nothing that anybody may read."""

import asyncio
import base64
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core import CommandTimeout, program_of, redacted, run_command
from havpn_core.plugging.redact import MARK, path_of
from havpn_core.plugging.wording import describe


@pytest.mark.parametrize(
    ("argv", "program", "path"),
    [
        (["/usr/bin/curl", "--token=S3cret"], "curl", "/usr/bin/curl"),
        (["curl --token=S3cret"], "curl", "curl"),
        (["/usr/bin/curl https://x/S3cret"], "curl", "/usr/bin/curl"),
        (["/a/b/"], "b", "/a/b/"),
        (["TOKEN=S3cret curl"], "command", "command"),
        ([" "], "command", "command"),
        (["/"], "command", "/"),
        ([], "command", "command"),
    ],
)
def test_a_program_is_named_without_its_arguments(argv, program, path):
    assert (program_of(argv), path_of(argv)) == (program, path)


@pytest.mark.parametrize(
    ("argument", "printed"),
    [
        ("--token=hunter", "usage: tool --token=hunter"),
        ("--token=hunter", "bad token 'hunter'"),
        ("-phunter", "no user hunter"),
        ("hunter", "Hunter is not known"),
        ("user:hunter", "login of user with hunter failed"),
        ("https://me:hunter@host/x", "cannot log in with hunter"),
        ("https://host/services/T0/hunter9", "404: /services/T0/hunter9"),
        ("https://host/?key=hunter&x=1", "GET /?key=hunter"),
        ("Authorization: Bearer hunter", "refused: Bearer hunter"),
        ("Authorization: Bearer hunter", "refused: hunter"),
        ('a hunter\'s "way"', 'unknown: "a hunter\'s \\"way\\""'),
        ('a hunter\'s "way"', repr(['a hunter\'s "way"'])),
        ("hunter/a b", "GET /hunter%2Fa%20b"),
        ("first line\nhunter line", "line 2: hunter line"),
        ("curl -u hunter https://host", "hunter is not known"),
        ("curl --token hunter https://host", "hunter is not known"),
        ("TOKEN=hunter tool", "hunter is not known"),
        ("tool password hunter", "hunter is not known"),
        ("tool 'Xhunter1'", "Xhunter1 is not known"),
        ("me:hunter-hunter", base64.b64encode(b"me:hunter-hunter").decode()),
        ("hunter-hunter", "usage: tool hunter-hun"),
    ],
)
def test_no_part_of_an_argument_that_may_be_a_secret_is_shown(argument, printed):
    shown = redacted(printed, [argument])
    assert MARK in shown
    assert "hunt" not in shown.lower()
    assert base64.b64encode(b"me:hunter-hunter").decode() not in shown


@pytest.mark.parametrize(
    "said",
    ["PING OK - 192.0.2.6: rta 0.5 ms", "no such device", "2001:db8::1 is gone", "", "ok -n 5 eth"],
)
def test_what_is_no_secret_stays(said):
    arguments = ("-n", "5", "192.0.2.6", "2001:db8::1", "echo gone; exit 5", "")
    assert redacted(said, arguments) == said


@given(st.lists(st.text(min_size=3), max_size=4), st.text(), st.text())
def test_no_argument_survives_whatever_it_is(arguments, before, after):
    for argument in arguments:
        shown = redacted(f"{before} {argument} {after}", arguments)
        assert (
            argument.strip() == ""
            or len(argument.strip()) < 3
            or argument not in shown
            or (argument in f"{before} {after} {MARK}")
        )


def test_a_script_may_be_of_any_length():
    script = "\n".join(f"run{n} --option{n}=Value{n}x /path/{n}/to" for n in range(5000))
    shown = redacted("x Value77x y" * 300, [script])
    assert "Value77x" not in shown


def test_a_text_that_cannot_be_encoded_is_kept_back_as_well():
    assert redacted("it is \ud800hunter", ["\ud800hunter"]) == f"it is {MARK}"


def test_a_finished_command_says_its_last_line_without_its_arguments():
    script = "import sys; print('usage: tool', *sys.argv[1:], file=sys.stderr)"
    argv = [sys.executable, "-c", script, "--token=hunter", "other"]
    ended = asyncio.run(run_command(argv, 20, env={"PIN_CODE": "hunter2"}))
    assert ended.said == f"usage: tool {MARK} {MARK}"
    assert "hunter" in ended.complaint, "who reads the output reads all of it"
    assert "hunter" not in repr(ended)


def test_a_value_of_the_environment_is_not_said_either():
    argv = [sys.executable, "-c", "import os, sys; sys.exit(os.environ['WORD'])"]
    assert asyncio.run(run_command(argv, 20, env={"WORD": "bad hunter"})).said == MARK


def test_a_line_without_end_is_cut():
    argv = [sys.executable, "-c", "print('x' * 100000)"]
    assert 0 < len(asyncio.run(run_command(argv, 20)).said) <= 500


def test_a_timeout_names_the_program_alone():
    with pytest.raises(CommandTimeout) as caught:
        asyncio.run(run_command(["/bin/sleep", "300"], 0.2))
    assert str(caught.value) == "sleep did not end within 0.2 s"


@pytest.mark.parametrize("cmd", [["/bin/tool", "--token=hunter"], "/bin/tool --token=hunter"])
def test_an_error_of_subprocess_does_not_quote_its_command(cmd):
    failed = subprocess.CalledProcessError(3, cmd, "hunter")
    assert describe(failed) == "CalledProcessError: tool ended with status 3"
    late = subprocess.TimeoutExpired(cmd, 2.5)
    assert describe(late) == "TimeoutExpired: tool did not end within 2.5 s"
