"""What the tests of a plugin show: whether they pass, and which contracts they checked.

The checks of :mod:`havpn_core.testing` write each type that passed into the file that a variable of
the environment names, so that no list of a package's author has to be believed.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

VARIABLE = "HAVPN_CONTRACTS"
"""Names the file that the checks of contracts write to."""
LONGEST_S = 600.0
NONE_FOUND = 5
"""Status of pytest where there is no test."""

Contracts = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the tests showed.

    :param problem: why they do not count as passed; ``None`` if they do.
    :param contracts: kind and name of each type whose contract was checked.
    """

    problem: str | None
    contracts: Contracts = frozenset()


def note(kind: str, name: str) -> None:
    """Write down that a type keeps its contract, if anybody wants to know."""
    if file := os.environ.get(VARIABLE):
        with Path(file).open("a", encoding="utf-8") as noted:
            noted.write(json.dumps([kind, name]) + "\n")


def read(file: Path) -> Contracts:
    """Read what was written down."""
    if not file.exists():
        return frozenset()
    found = set()
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        # A process that is killed while it writes leaves half a line.
        with contextlib.suppress(ValueError):
            kind, name = json.loads(line)
            found.add((str(kind), str(name)))
    return frozenset(found)


def run(root: Path, tests: Sequence[str]) -> Evidence:
    """Run tests by pytest in a process of their own.

    :param root: where they are run; its modules can be imported.
    :param tests: arguments of pytest.
    """
    with tempfile.TemporaryDirectory(prefix="havpn-grade-") as folder:
        file, report = Path(folder) / "contracts", Path(folder) / "report.xml"
        python_path = [str(root), str(root / "src"), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {
            VARIABLE: str(file),
            "PYTHONPATH": os.pathsep.join(filter(None, python_path)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        argv += [f"--junitxml={report}", *tests]
        said = Path(folder) / "said", Path(folder) / "complained"
        status = _status(argv, root, environment, said)
        if status is None:
            return Evidence(f"the tests do not end within {LONGEST_S:g} s: see which one hangs")
        out, err = (each.read_text(encoding="utf-8", errors="replace") for each in said)
        return Evidence(_problem(status, out, err) or _nothing(report), read(file))


def _status(
    argv: Sequence[str], root: Path, environment: dict[str, str], said: tuple[Path, Path]
) -> int | None:
    """Run a program to its end, and end all that it leaves; ``None`` if it takes too long.

    Its output goes into files: what it leaves may hold a pipe open without end.
    """
    with said[0].open("wb") as out, said[1].open("wb") as err:
        process = subprocess.Popen(
            argv, cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            start_new_session=True,
        )  # fmt: skip
        try:
            return process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _problem(status: int, out: str, err: str) -> str | None:
    if status == 0:
        return None
    if "No module named pytest" in err:
        return "pytest is not installed: pip install pytest"
    if status == NONE_FOUND:
        return "no test was run: write tests/test_*.py"
    lines = (out.strip() or err.strip()).splitlines()
    return f"the tests do not pass ({lines[-1] if lines else 'no output'}): run pytest there"


def _nothing(report: Path) -> str | None:
    """Say so where pytest is content and no test was carried out to its end."""
    try:
        cases = ElementTree.parse(report).iter("testcase")
    except (OSError, ElementTree.ParseError):
        return None  # the tests turned the report off
    if any(case.find("skipped") is None for case in cases):
        return None
    return "all tests were skipped: have at least one run where it is graded"
