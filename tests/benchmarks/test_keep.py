"""What a benchmark writes is what docs/measurements.md shows."""

import json
import sys
import types

import pytest

from benchmarks import keep
from benchmarks.figures import SHOWN, show
from benchmarks.measurements import Kept, sections

MACHINE = {"Processor": "one", "HA-VPN": "0.1.0, commit abc"}
PAGE = "# Measured\n\n<!-- table: fake -->\n<!-- end of table -->\n"


@pytest.fixture
def docs(tmp_path, monkeypatch):
    """Give a folder in place of the documentation, with a page for one benchmark."""
    monkeypatch.setattr(keep, "RESULTS", tmp_path / "measurements.json")
    monkeypatch.setattr(keep, "DOCUMENT", tmp_path / "measurements.md")
    monkeypatch.setattr(sys, "argv", ["keep"])
    monkeypatch.setattr(keep, "machine", lambda: MACHINE)
    SHOWN.clear()
    keep.DOCUMENT.write_text(PAGE)
    yield tmp_path
    SHOWN.clear()


def benchmark(monkeypatch, tables, status=0):
    """Make a benchmark that shows these tables and ends so."""
    module = types.ModuleType("benchmarks.fake")

    def main():
        for heads, rows in tables:
            show(heads, rows)
        sys.exit(status)

    module.main = main
    monkeypatch.setitem(sys.modules, "benchmarks.fake", module)


def run(*arguments):
    sys.argv = ["keep", *arguments]
    with pytest.raises(SystemExit) as ended:
        keep.main()
    return ended.value.code


def test_the_page_of_the_documentation_is_what_the_benchmarks_wrote():
    text = keep.DOCUMENT.read_text()
    assert keep.page(text, keep.read()) == text


def test_what_a_benchmark_shows_is_kept_and_written_into_the_page(docs, monkeypatch, capsys):
    benchmark(monkeypatch, [(("who", "ms"), [("a", 1), ("b", 2.5)])])
    assert run("fake", "--cuts", "3", "--rtt", "1 ms") == 0
    assert "a" in capsys.readouterr().out
    (found,) = json.loads(keep.RESULTS.read_text()).values()
    assert found["tables"] == [[["who", "ms"], ["a", "1"], ["b", "2.5"]]]
    text = keep.DOCUMENT.read_text()
    assert "| b | 2.5 |" in text
    assert "`python -m benchmarks.fake --cuts 3 --rtt '1 ms'`" in text
    assert "commit abc" in text
    again = keep.page(text, keep.read())
    assert again == text


def test_a_bound_that_is_missed_ends_with_its_status_and_the_figures_are_kept(docs, monkeypatch):
    benchmark(monkeypatch, [(("who",), [("a",)])], status=1)
    assert run("fake") == 1
    assert "| a |" in keep.DOCUMENT.read_text()


def test_a_table_without_a_place_is_an_error_that_loses_nothing(docs, monkeypatch):
    benchmark(monkeypatch, [(("who",), [("a",)]), (("second",), [("b",)])])
    assert "fake-2" in run("fake")
    assert len(keep.read()["fake"].tables) == 2
    assert keep.DOCUMENT.read_text() == PAGE


def test_a_benchmark_that_ends_before_it_has_shown_anything_replaces_nothing(docs, monkeypatch):
    benchmark(monkeypatch, [(("who",), [("a",)])])
    assert run("fake") == 0
    before = keep.RESULTS.read_text()
    SHOWN.clear()
    benchmark(monkeypatch, [], status="keepalived is missing")
    assert run("fake") == "keepalived is missing"
    assert keep.RESULTS.read_text() == before


def test_the_source_stands_below_the_last_table():
    kept = Kept("python -m x", "2026-01-02", 0.5, MACHINE, [[["h"], ["1"]], [["g"], ["2"]]])
    found = sections({"x": kept})
    assert list(found) == ["x", "x-2"]
    assert found["x"][-1] == "| 1 |"
    assert found["x-2"][-1] == "`python -m x`, 2026-01-02, one, HA-VPN 0.1.0, commit abc, load 0.5."
