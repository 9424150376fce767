"""The site builds without a dead link, generated pages are current, figures are those measured."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from havpn_core.cli import command_list, json_list
from havpn_core.daemon.state.status import Status
from tests.docs.pages import DOCS, REPO

README = (REPO / "README.md").read_text()


def test_the_site_builds_and_warns_of_nothing(tmp_path):
    """A dead link, a missing anchor or a page that no menu names is a warning, which ends it."""
    argv = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        argv, cwd=REPO, env=environment, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    front = (tmp_path / "site" / "index.html").read_text()
    assert "docs/quickstart" not in front
    assert "quickstart.html" in front
    for foreign in ("fonts.googleapis", "unpkg.com"):
        assert foreign not in front


def test_the_menu_names_each_page_once():
    text = re.sub(r"!!python\S+", "", (REPO / "mkdocs.yml").read_text())
    named = list(leaves(yaml.safe_load(text)["nav"]))
    assert len(named) == len(set(named))
    written = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert written <= set(named)


def leaves(entry):
    if isinstance(entry, str):
        yield entry
    else:
        for each in entry.values() if isinstance(entry, dict) else entry:
            yield from leaves(each)


# --- what is made from the program --------------------------------------------------------------


@pytest.mark.parametrize(("page", "maker"), [("commands", command_list), ("json", json_list)])
def test_the_page_is_current(page, maker):
    """Bring it up to date with `python -m havpn_core.cli.command_list` or `json_list`."""
    assert (DOCS / f"{page}.md").read_text() == maker.markdown()


def test_each_key_of_the_status_has_a_meaning():
    text = json_list.markdown()
    assert re.findall(r"^\| `.*\| *\|$", text, re.M) == []
    assert len(json_list.structs_of(Status)) > 15


def test_each_option_of_the_file_has_a_meaning():
    text = (DOCS / "reference.md").read_text()
    assert re.findall(r"^\| `.*\| *\|$", text, re.M) == []


# --- figures -------------------------------------------------------------------------------------


def rows(text, head):
    """Give the cells of each row of the table whose head begins so."""
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(head))
    found = [[cell.strip() for cell in lines[start].strip("|").split("|")]]
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return found
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


MODES = {
    "HA-VPN, pair": "pair",
    "HA-VPN and heartbeat": "heartbeat",
    "HA-VPN in Pacemaker": "pacemaker",
    "keepalived with BFD": "keepalived",
}


def shown(found):
    outage = found["outage_s"]
    return "lost" if outage is None else f"{outage:.2f} s"


def test_the_outages_in_the_readme_are_those_measured():
    measured = json.loads((DOCS / "faults.json").read_text())
    head, *table = rows(README, "| fault |")
    assert len(table) >= 5
    for fault, *cells in table:
        for title, cell in zip(head[1:], cells, strict=True):
            assert cell == shown(measured[MODES[title]][fault]), (fault, title)


def test_the_outages_of_the_modes_are_those_measured():
    measured = json.loads((DOCS / "faults.json").read_text())
    text = (DOCS / "modes.md").read_text()
    [row] = [row for row in rows(text, "| | pair |") if row[0].startswith("outage")]
    modes = ("pair", "heartbeat", "pacemaker")
    assert row[1:] == [shown(measured[mode]["line cut at gw-aa"]) for mode in modes]


def test_each_table_of_the_measurements_is_kept_and_each_command_is_there():
    text = (DOCS / "measurements.md").read_text()
    by_hand = re.sub(r"<!-- table: .*?<!-- end of table -->", "", text, flags=re.S)
    figures = [line for line in by_hand.splitlines() if line.startswith("|")]
    assert figures[0] == "| what | where | command |"
    assert all(line.endswith("` |") for line in figures[2:])
    modules = re.findall(r"python -m (benchmarks[\w.]+)", text)
    for module in modules:
        assert (REPO / f"{module.replace('.', '/')}.py").exists(), module


def test_each_picture_is_there():
    for page in (REPO / "README.md", *DOCS.rglob("*.md")):
        for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text()):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"


# --- troubleshooting -----------------------------------------------------------------------------


def literals():
    """Give all texts of the program, the parts of formatted ones each for itself."""
    found = []
    for folder in ("havpn_core", "plugins"):
        for file in (REPO / folder).rglob("*.py"):
            tree = ast.parse(file.read_text())
            found += [
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ]
    return "\n".join(found)


TEXTS = literals()
MADE_UP = {"12", "vpn1", "lan", "wan", "IPv4", "RUN_DIR", "FILE", "X", "..."}
"""Words of an example; the program puts others there."""


def parts(message):
    """Give what of a message stands in the program as it is: between what it fills in."""
    words = re.split(r"\s+|(?<=:)", message)
    part = []
    for word in [*words, "12"]:
        bare = word.strip("':;,")
        if bare in MADE_UP or "." in bare or bare in ("ERROR",):
            if part:
                yield " ".join(part)
            part = []
        else:
            part.append(word)


def messages():
    for line in (DOCS / "troubleshooting.md").read_text().splitlines():
        if line.startswith("|"):
            yield from re.findall(r"`([^`]+)`", line.split("|")[1])


@pytest.mark.parametrize("message", sorted(set(messages())))
def test_the_program_says_what_the_troubleshooting_quotes(message):
    for part in parts(message):
        for piece in re.split(r"[:;,]", part):
            assert piece.strip() in TEXTS, piece


def test_the_examples_of_the_troubleshooting_are_many():
    assert len(set(messages())) > 40
    assert Path(DOCS / "troubleshooting.md").is_file()


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


def test_each_test_and_module_that_a_page_names_is_there():
    named = set()
    for page in (REPO / "README.md", REPO / "CONTRIBUTING.md", *DOCS.rglob("*.md")):
        text = page.read_text()
        named |= set(re.findall(r"`(tests/[\w/]+\.py)`", text))
        modules = re.findall(r"`(?:\.venv/bin/)?python -m ([a-z_.]+[a-z_])", text)
        named |= {f"{module.replace('.', '/')}.py" for module in modules}
    assert len(named) > 30
    absent = {each for each in named if not (REPO / each).exists()}
    assert {each for each in absent if not (REPO / each.removesuffix(".py")).is_dir()} == set()
