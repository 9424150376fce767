"""What the agent says of itself is valid for everybody who reads it, and does not change unseen."""

import os
import subprocess
from pathlib import Path

import pytest

from havpn_core.pacemaker import agent

HERE = Path(__file__).parent
LINK = HERE.parents[1] / "ocf" / "link"
GOLDEN = HERE / "link.xml"


@pytest.fixture(scope="module")
def meta_data():
    ended = subprocess.run([LINK, "meta-data"], env={}, capture_output=True, text=True, check=True)
    return ended.stdout


def lint(text, *options, cwd="/"):
    argv = ["xmllint", "--noout", *options, "-"]
    return subprocess.run(argv, input=text, capture_output=True, text=True, cwd=cwd, check=False)


def test_it_is_the_golden_file(meta_data):
    """A change is on purpose: copy the output of `ocf/link meta-data` to tests/ocf/link.xml."""
    assert meta_data == GOLDEN.read_text()


def test_the_old_dtd_accepts_it(meta_data):
    ended = lint(meta_data, "--valid", cwd="/usr/share/resource-agents")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("schema", ["/usr/share/pcs/data/ocf-1.1.rng"])
def test_the_ocf_1_1_schema_accepts_it(meta_data, schema):
    ended = lint(meta_data, "--relaxng", schema)
    assert ended.returncode == 0, ended.stderr
    broken = meta_data.replace('<parameter name="dampen"', "<parameter")
    assert lint(broken, "--relaxng", schema).returncode != 0


def test_nobody_may_read_it_and_nothing_is_needed(tmp_path):
    script = tmp_path / "link"
    script.write_text(agent.text())
    script.chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents):
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o755)
    nobody = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    ended = subprocess.run(
        [script, "meta-data"], env={}, capture_output=True, text=True, check=False, **nobody
    )
    assert ended.returncode == 0
    assert ended.stdout == GOLDEN.read_text()


def test_an_interpreter_with_a_quote_in_its_path_is_written_so_that_sh_reads_it():
    text = agent.text("/opt/it's here/python")
    line = next(line for line in text.splitlines() if line.startswith("python="))
    shown = subprocess.run(
        ["sh", "-c", f'{line}\nprintf %s "$python"'], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "/opt/it's here/python"
