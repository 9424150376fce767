"""The mark of a file, and the digests that neither version nor secrets change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.plugging.rendering import RenderedFile
from havpn_core.site.rendering import digest
from havpn_core.site.rendering.digest import (
    digest_of,
    digest_of_text,
    mark_of,
    marked,
    marker,
    unmarked,
)
from havpn_core.version import __version__
from tests.site.figure import MODES, files_of, tables

TEXTS = st.text().filter(lambda text: mark_of(text) is None)


@given(TEXTS, st.sampled_from(["#", ";", "//", "--", '"']))
def test_a_mark_is_read_as_it_was_written_and_taken_off_again(text, comment):
    whole = marked(text, comment)
    assert unmarked(whole) == text
    assert mark_of(whole) == (__version__, digest_of_text(text))
    assert marked(whole, comment) == whole
    assert digest_of_text(whole) == digest_of_text(text)


def test_the_mark_is_the_first_line_or_the_one_behind_the_interpreter():
    assert marked("a\n").splitlines() == [marker("a\n"), "a"]
    assert marked("#!/bin/sh\na\n").splitlines() == ["#!/bin/sh", marker("#!/bin/sh\na\n"), "a"]


@pytest.mark.parametrize("mode", MODES)
def test_every_rendered_file_begins_with_its_mark(mode):
    for files in files_of(tables(mode=mode, render={"conntrackd": True})).values():
        for file in files.values():
            assert file.text.splitlines()[0] == marker(file.text)
            assert file.text.endswith("\n") and not file.text.endswith("\n\n")


def test_another_version_that_renders_the_same_is_the_same(monkeypatch):
    before = files_of(tables())["gw-aa"]
    monkeypatch.setattr(digest, "__version__", "9.9.9")
    after = files_of(tables())["gw-aa"]
    assert all("9.9.9" in file.text for file in after.values())
    assert digest_of(before.values()) == digest_of(after.values())


def test_a_digest_is_of_texts_and_places_in_any_order():
    one, two = RenderedFile("/a", "x"), RenderedFile("/b", "y")
    whole = digest_of([one, two])
    assert digest_of([two, one]) == whole
    others = ([one], [one, RenderedFile("/b", "z")], [one, RenderedFile("/c", "y")])
    assert len({whole, *map(digest_of, others)}) == 4


@pytest.mark.parametrize(
    "line",
    [
        "# rendered by HA-VPN 0.1.0, digest 0123456789abcdef",
        "# Rendered by HA-VPN 0.1.0, digest 0123456789abcdeg",
        "# Rendered by HA-VPN 0.1.0, digest 0123456789abcdef and edited",
        "Rendered by HA-VPN 0.1.0, digest 0123456789abcdef",
        "\n\n# Rendered by HA-VPN 0.1.0, digest 0123456789abcdef",
    ],
)
def test_what_is_no_mark(line):
    assert mark_of(line) is None
    assert unmarked(line) == line
