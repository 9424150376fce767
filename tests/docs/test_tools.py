"""The pictures move, the word list finds what it should, links lead into the site."""

import importlib.util
import re
import sys
from importlib.machinery import SourceFileLoader

import pytest

from havpn_core.study.timeline import Bar, Row, timeline
from tests.docs.pages import DOCS, REPO


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(REPO / "scripts"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


def test_a_moving_picture_takes_the_time_of_what_it_shows(scripts):
    from website import pictures

    rows = [Row("gw-aa", (Bar(102.0, 106.0, "active"), Bar(104.0, 105.0, "down")))]
    still = timeline(rows, [(104.0, "cut")], (100.0, 112.0))
    assert pictures.seconds_of(still) == pytest.approx(12.0, abs=0.1)
    shown = pictures.moving(still)
    whole = float(re.search(r'dur="([\d.]+)s"', shown)[1])
    assert whole == pytest.approx(10.0 + pictures.HOLD_S, abs=0.3)
    assert shown.startswith(still.removesuffix("</svg>\n"))
    assert '<rect x="850" y="8" height="' in shown  # without animation it covers nothing
    assert re.search(r'<rect x="850"[^>]* width="0"', shown)


def test_the_picture_of_the_readme_is_a_timeline_that_moves():
    text = (DOCS / "failover.svg").read_text()
    assert "<animate" in text
    assert all(word in text for word in ("cut", "heal", "gw-aa", "traffic flows"))


def test_each_simulation_of_the_page_has_its_picture(scripts):
    from website import pictures

    drawn = [line[line.index("--plot") + 1] for line in pictures.simulations()]
    assert len(drawn) >= 3
    for picture in drawn:
        assert (REPO / picture).read_text().lstrip().startswith("<?xml")


@pytest.mark.parametrize(
    ("target", "source", "uri"),
    [
        ("docs/quickstart.md", "README.md", "quickstart.md"),
        ("CONTRIBUTING.md", "README.md", "contributing.md"),
        ("../README.md", "docs/conntrackd.md", "index.md"),
        ("../examples/havpn-wireguard", "docs/tunnel.md", "plugins/havpn-wireguard.md"),
        ("../examples/libreswan-sa", "docs/tunnel.md", "files/examples/libreswan-sa"),
        ("../behaviour.md", "docs/plugins/action.md", "behaviour.md"),
    ],
)
def test_links_lead_to_their_place_in_the_site(scripts, target, source, uri):
    from website.hooks import site_uri

    assert site_uri(target, source) == uri


def test_links_of_a_page_are_rewritten_and_anchors_kept(scripts):
    from website.hooks import rewritten

    text = "[a](../behaviour.md#status) [b](https://example.com/x.md) [c](#here)"
    there = rewritten(text, "docs/plugins/action.md", "plugins/action.md")
    assert there == text
    there = rewritten("see [a](docs/pair.md#keys)", "README.md", "index.md")
    assert there == "see [a](pair.md#keys)"


# --- words ---------------------------------------------------------------------------------------


@pytest.fixture
def check():
    loader = SourceFileLoader("check_words", str(REPO / "scripts" / "words"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_words", loader))
    loader.exec_module(module)
    return module


BAD = (
    "The question is sent.", "it is told so", "It asked twice.", "the line is lived with",
    "what becomes of it", "the dice decide", "to the end that", "it holds fast",
    "a name, as `eth0`", 'a time, as "10m"', "lost of late", "goes to\nand fro",
    "It is QUESTIONED.", "Lives\n    with it", "what is becoming\n  of it", "an alias, as eth0:0",
    "an agent (as `ocf:x`)", "the extra, as pip install x", "a page, as\n    https://host/path",
)  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_each_word_is_found_in_a_page_and_in_a_program(check, tmp_path, text):
    page, program = tmp_path / "page.md", tmp_path / "program.py"
    page.write_text(f"# Title\n\n{text}\n")
    program.write_text(f"x = {text!r}\n")
    for file in (page, program):
        assert list(check.found(file, check.words())), file
    assert next(check.found(page, check.words())).line == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.toml", "a = 1  # it is lived\n# with\n"),
        ("x.service", "[Unit]\n# A unit that is\n#   told so\n"),
        ("x.html", "<p>\n    the user asked\n</p>"),
        ("x.md", "```toml\na = 1  # it was asked\n```\n"),
        ("x.md", "* a list\n\n  ```text\n  nobody told it\n  ```\n"),
        ("x.md", "> what becomes\n> of it\n"),
        ("x.py", 'x = f"{1} was\\n    asked {2}"\n'),
        ("x.py", 'def f():\n    """It is\n\n    lived\n    with."""\n'),
        ("script", '#!/usr/bin/env python3\nx = "it was told"\n'),
        ("script", "#!/bin/sh\necho it was told\n"),
    ],
)
def test_indentation_comments_and_the_kind_of_file_hide_nothing(check, tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text)
    assert len(list(check.found(file, check.words()))) == 1


def test_the_line_of_a_word_is_right_however_the_text_is_broken(check, tmp_path):
    file = tmp_path / "x.md"
    file.write_text("a\n\n```sh\necho\n```\n\n* one\n  two\n\n> it is\n> told\n")
    assert [each.line for each in check.found(file, check.words())] == [11]


def test_all_that_is_shown_is_read(check):
    names = {str(file.relative_to(REPO)) for file in check.files()}
    assert {
        "README.md", "docs/plugins/probe.md", "examples/havpn-motd/README.md", "ocf/link",
        "havpn_core/serve/page.html", "packaging/systemd/havpn.service", "scripts/test-lanes",
        "havpn_core/site/templates/site.toml", "packaging/prometheus/havpn.rules.yml",
        "havpn_core/plugging/templates/README.md.in", "packaging/debian/postinst",
        "packaging/grafana/havpn.json",
    } <= names  # fmt: skip
    assert not any(name.startswith("scripts/words") for name in names)


def test_code_and_good_words_are_passed_over(check, tmp_path):
    page, program = tmp_path / "page.md", tmp_path / "program.py"
    page.write_text(
        "```sh\necho told asked\n```\nA probe, such as `tcp`, as `havpn check` does, as data: 1.\n"
    )
    program.write_text("told = asked = 'told'  # asked\n")
    assert list(check.found(page, check.words())) == []
    assert list(check.found(program, check.words())) == []


def test_only_the_newest_section_of_the_changelog_counts(check, tmp_path):
    file = tmp_path / "CHANGELOG.md"
    file.write_text("# Changelog\n\n## 2\n\nfine\n\n## 1\n\nwas told\n")
    assert list(check.found(file, check.words())) == []


def test_the_documents_and_the_program_are_clean(check):
    listed = check.words()
    bad = [each for file in check.files() for each in check.found(file, listed)]
    assert [(str(each.file.relative_to(REPO)), each.line, each.text) for each in bad] == []
