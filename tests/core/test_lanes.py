"""`scripts/test-lanes`: what a lane leaves out is named at the end; what fails fails the whole."""

import os
import subprocess
from pathlib import Path

import pytest

LANES = Path(__file__).parents[2] / "scripts" / "test-lanes"
SKIPS = """#!/bin/sh
case "$*" in
*tests/lab/test_page.py*) echo "SKIPPED [1] tests/lab/test_page.py:36: THE PAGE WAS NOT TESTED" ;;
*--lf*) exit "${AGAIN:-0}" ;;
*tests/ocf*) [ -z "$FAILS" ] || { echo "FAILED tests/ocf/test_agent.py::test_it"; exit 1; } ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    """Run all lanes with programs that only say what they would have found."""
    for name, text in (("pytest", SKIPS), ("python", "#!/bin/sh\n"), ("make", "#!/bin/sh\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    def go(**env):
        path = f"{tmp_path}:{os.environ['PATH']}"
        return subprocess.run(
            [LANES, tmp_path / "pytest"], capture_output=True, text=True, check=False, timeout=100,
            env=os.environ | {"PATH": path} | env, cwd=LANES.parents[1],
        )  # fmt: skip

    return go


def test_what_was_left_out_is_named_after_all_lanes(run):
    done = run()
    assert done.returncode == 0, done.stderr
    last = done.stdout.partition("=== NOT RUN")[2]
    assert "cockpit: [1] tests/lab/test_page.py:36: THE PAGE WAS NOT TESTED" in last
    assert "make test-debian" in last


def test_a_failure_that_comes_again_fails_the_whole(run):
    assert run(FAILS="1").returncode == 0
    done = run(FAILS="1", AGAIN="1")
    assert done.returncode == 1
    assert "=== ocf, what failed, once more and alone" in done.stdout
