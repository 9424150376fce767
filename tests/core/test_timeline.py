"""The demo's timeline is read back: what is drawn where, and what tells states apart."""

import itertools
import sys
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from havpn_core.cli import havpn
from havpn_core.study.demo import needs, scene
from havpn_core.study.timeline import LEFT, LOOKS, WIDTH, Bar, Row, timeline

NS = "{http://www.w3.org/2000/svg}"
ROWS = [
    Row("gw-aa has address A", (Bar(100, 105, "active"), Bar(110, 120, "active"))),
    Row("gw-aa says <of its line>", (
        Bar(100, 105, "up"), Bar(105, 105.1, "failing"), Bar(105.1, 108, "down"),
        Bar(108, 111, "recovering"), Bar(111, 120, "up"),
    )),
    Row("client's traffic", (Bar(100, 120, "flows"), Bar(105, 105.05, "lost"))),
]  # fmt: skip


def drawn(rows=ROWS, acts=((105, "cut"), (108, "heal")), span=(100, 120)):
    return ElementTree.fromstring(timeline(rows, acts, span))


def words(svg):
    return [each.text.strip() for each in svg.iter(f"{NS}text")]


def test_each_bar_is_at_its_time():
    svg = drawn()
    groups = [g for g in svg.iter(f"{NS}g") if g.find(f"{NS}title") is not None]
    assert len(groups) == 9
    down = next(g for g in groups if g.find(f"{NS}title").text == "down, 2.90 s")
    box = down.find(f"{NS}rect")
    assert float(box.get("x")) == pytest.approx(LEFT + WIDTH * 5.1 / 20, abs=0.1)
    assert float(box.get("width")) == pytest.approx(WIDTH * 2.9 / 20, abs=0.1)


def test_the_shortest_outage_is_seen():
    lost = next(g for g in drawn().iter(f"{NS}g") if "lost" in g.find(f"{NS}title").text)
    assert float(lost.find(f"{NS}rect").get("width")) > 1


def test_rows_acts_and_states_are_named():
    found = words(drawn())
    assert {row.name for row in ROWS} <= set(found)
    assert {"cut", "heal", "seconds"} <= set(found)
    assert [word for word in found if word in {look.words for look in LOOKS.values()}] == [
        LOOKS[word].words
        for word in ("active", "up", "failing", "down", "recovering", "flows", "lost")
    ]


def test_states_differ_without_their_colours():
    rows = [("active",), ("up", "failing", "down", "recovering", "unknown"), ("flows", "lost")]
    for row in rows:
        for one, two in itertools.combinations(row, 2):
            a, b = LOOKS[one], LOOKS[two]
            assert (a.height, a.pattern) != (b.height, b.pattern), (one, two)
    patterns = [look.pattern for look in LOOKS.values() if look.pattern]
    assert len(set(patterns)) == len(patterns)


def test_every_pattern_that_is_used_is_there():
    svg = drawn()
    used = {each.get("fill")[5:-1] for each in svg.iter() if "url(" in each.get("fill", "")}
    assert used == {each.get("id") for each in svg.iter(f"{NS}pattern")} == {
        "failing", "down", "recovering",
    }  # fmt: skip


def test_a_word_of_later_versions_is_drawn_too():
    assert "unknown" in words(drawn([Row("x", (Bar(0, 5, "<new>"),))], (), (0, 5)))


def test_a_long_name_is_not_cut_off():
    name = "gateway-berlin-west-02 has 2001:db8:b:40::1"
    svg = drawn([Row(name, (Bar(0, 5, "active"),))], (), (0, 5))
    begin, _, wide, _ = map(float, svg.get("viewBox").split())
    label = next(each for each in svg.iter(f"{NS}text") if each.text.strip() == name)
    assert float(label.get("x")) - 6.5 * len(name) > begin
    assert begin + wide > LEFT + WIDTH
    assert drawn().get("viewBox").startswith("0 0 "), "short names need no more room"


def test_the_scale_has_few_marks_whatever_the_length():
    for seconds in (0.5, 7, 20, 100, 999, 86400):
        numbers = [w for w in words(drawn([], (), (0, seconds))) if w.replace("e+", "").isdigit()]
        assert 1 <= len(numbers) <= 16, seconds
    with pytest.raises(ValueError, match="shows nothing"):
        timeline([], (), (5, 5))


def test_a_picture_of_another_kind_is_refused_before_anything_is_built():
    ended = CliRunner().invoke(havpn, ["demo", "-o", "a.png"])
    assert ended.exit_code == 2
    assert "end in .svg" in ended.output


def stubbed(folder, monkeypatch, *programs, status=0):
    for name in programs:
        (folder / name).write_text(f"#!{sys.executable} -S\nraise SystemExit({status})\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_kernel_that_forbids_user_namespaces_gets_a_sentence(tmp_path, monkeypatch):
    stubbed(tmp_path, monkeypatch, "ip", "sysctl", "unshare", status=1)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    (said,) = needs.missing_for_demo()
    assert said.startswith("needs network namespaces: run it as root, or let users make user")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert needs.missing_for_demo() == []


def test_what_is_not_installed_is_named_with_its_package(tmp_path, monkeypatch):
    stubbed(tmp_path, monkeypatch, "unshare")
    assert needs.missing_for_demo() == [
        "command ip is not there: install iproute2",
        "command sysctl is not there: install procps",
    ]


def test_verdicts_have_signs_of_their_own_in_every_terminal():
    for number in (1, 2):
        signs = [look[number] for look in scene.LOOKS.values()]
        assert len(set(signs)) == len(signs)
    assert all(look[2].isascii() for look in scene.LOOKS.values())
