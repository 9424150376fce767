"""The list of events: current, complete, and each event of the code is in it."""

import ast
import importlib
import json
import re
from pathlib import Path

import pytest

from havpn_core.cli import event_list
from havpn_core.daemon.paths import holds, roads, saying
from havpn_core.daemon.state.catalogue import CATALOGUE, strangers
from havpn_core.pair.health import troubles
from havpn_core.plugging.descriptors import Event, EventKind, Severity
from havpn_core.rules.cluster import road
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.road import follow
from plugins.notifiers.exec import Kind

REPO = Path(__file__).parents[2]
TEXT = (REPO / "docs" / "events.md").read_text()


def test_the_list_is_current():
    """Bring it up to date with `python -m havpn_core.cli.event_list > docs/events.md`."""
    assert event_list.markdown() == TEXT


def test_every_example_is_an_event_of_the_list_as_the_history_has_it():
    lines = re.findall(r"^\{.*\}$", TEXT, re.MULTILINE)
    assert len(lines) == len(CATALOGUE)
    for line, listed in zip(lines, CATALOGUE, strict=True):
        assert list(json.loads(line)) == FIELDS
        found = {key: value for key, value in json.loads(line).items() if key != "at"}
        assert listed.fits(Event(**found)) and strangers([Event(**found)]) == []


FIELDS = ["at", "node", "kind", "subject", "before", "after", "severity", "detail"]


def test_every_kind_is_listed_and_every_notifier_may_choose_it():
    assert {each.kind for each in CATALOGUE} == {*EventKind} == {*event_list.ABOUT}
    assert {*Kind.__args__} == {*EventKind}


def test_an_event_that_is_not_listed_is_a_stranger():
    known = Event("pair", "", "", "link lost")
    assert strangers([known]) == []
    unknown = [
        Event("pair", "", "", "link lots"),
        Event("pair", "vpn1", "", "link lost"),
        Event("verdict", "", "", "up"),
        Event("role", "", "", "forced to "),
        Event("nonesuch", "", "", "link lost"),
    ]
    assert strangers(unknown) == unknown
    assert strangers([Event("role", "", "", "forced to active")]) == []
    assert strangers([Event("cluster", "", "", "anything"), Event("cluster", "n", "", "x")]) == []


@pytest.mark.parametrize(
    ("kind", "subject", "words"),
    [
        ("verdict", "vpn1", [verdict.value for verdict in Verdict]),
        ("pair", "", [*troubles._TEXTS, *troubles._ENDS, *troubles._ENDS.values()]),
        ("pair", "", [f"{word} over" for word in troubles._OVER if word not in troubles._ENDS]),
        ("pair", "", [troubles.PRIORITIES, troubles.RAISED, troubles.LINK_LOST]),
        ("path", "vpn1", [saying.MISSING, saying.BACK, saying.GREY, saying.GREY_NO_MORE]),
        ("path", "vpn1", [holds.BEGUN, holds.OVER]),
        ("road", "vpn1", [*roads.WORDS.values()]),
        ("road", "", [roads.BACK, road.OFF, follow.OFF, follow.LEAVES]),
    ],
)
def test_the_words_of_the_code_are_listed(kind, subject, words):
    assert strangers([Event(kind, subject, "", word) for word in words]) == []


def calls():
    """Give each ``Event(...)`` of the program whose kind and words can be read from the code."""
    for file in [*(REPO / "havpn_core").rglob("*.py"), *(REPO / "plugins").rglob("*.py")]:
        name = ".".join(file.relative_to(REPO).with_suffix("").parts)
        if "testing" in name or name.endswith(("table", "event_list", "descriptors")):
            continue
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Event":
                yield name, node


def read(name, node):
    """Give a text of the code; ``x`` for what is put into it; ``None`` if it is not to be read."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Attribute(value=ast.Name(id="EventKind"), attr=word):
            return EventKind[word].value
        case ast.Name(id=constant):
            return getattr(importlib.import_module(name), constant, None)
        case ast.JoinedStr(values=parts):
            return "".join(read(name, part) or "x" for part in parts)
        case _:
            return None


def test_the_events_that_stand_in_the_code_are_listed():
    readable = 0
    for name, node in calls():
        if any(isinstance(each, ast.Starred) for each in node.args[:4]) or len(node.args) < 4:
            continue
        kind, after = read(name, node.args[0]), read(name, node.args[3])
        if kind is None or after is None:
            continue
        readable += 1
        found = [Event(kind, subject, "", after) for subject in ("", "some")]
        assert len(strangers(found)) < 2, f"{name}:{node.lineno}: {kind} {after}"
    assert readable > 20


def test_the_severities_of_the_list_are_those_that_there_are():
    assert {each.severity for each in CATALOGUE} == {*Severity}


def test_every_event_that_a_document_names_is_listed():
    """Where a document says that an event comes, and names it, it is one of the list."""
    named = re.compile(r"events? (?:of kind )?`([^`]+)`(?:, `([^`]+)`)?")
    known = {each.after for each in CATALOGUE} | {str(kind) for kind in EventKind}
    shown = {f"{each.kind} NAME: {each.after}" for each in CATALOGUE}
    shown |= {f"{each.kind}: {each.before} -> {each.after}" for each in CATALOGUE}
    shown |= {f"{each.kind}: {each.after}" for each in CATALOGUE}
    found = []
    for file in (REPO / "README.md", *(REPO / "docs").rglob("*.md")):
        if file.name == "events.md":
            continue
        text = " ".join(file.read_text().split())
        found += [word for match in named.findall(text) for word in match if word]
    assert len(found) >= 5
    assert [word for word in found if word not in known | shown] == []


def test_the_troubles_that_the_document_of_a_pair_lists_are_those_that_there_are():
    table = (REPO / "docs" / "pair.md").read_text().partition("## Troubles")[2]
    rows = re.findall(r"^\| `([a-z ]+)` \| .* \| `([a-z ]+)` \|$", table, re.MULTILINE)
    assert len(rows) >= 9
    assert strangers([Event("pair", "", "", word) for row in rows for word in row]) == []
