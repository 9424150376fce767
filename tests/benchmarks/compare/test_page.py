"""How the figures are written, and that the page in docs has those of its file."""

from pathlib import Path

import pytest

from benchmarks.compare import __main__ as command
from benchmarks.compare import summary
from benchmarks.compare.grid import Cell
from benchmarks.compare.page import NOTHING, Tables, Who, filled, table
from benchmarks.compare.results import Cost, Lossy, Measured, Results, Run, load

DOCS = Path(__file__).parents[3] / "docs"


def runs(*outages, back=0.0, home=True, apart=0.0):
    made = tuple(Run(each, back, apart, home) for each in outages)
    return Measured(len(made), "2026-11-27", 1.0, 2.5, runs=made)


@pytest.mark.parametrize(
    ("outages", "text"),
    [
        ((0.1,), "0.10 / 0.10 (1)"),
        ((0.1, 0.2, 0.9), "0.20 / 0.90 (3)"),
        ((0.1,) * 15 + (0.19,) * 4 + (5.0,), "0.10 / 0.19 (20)"),
        ((0.1, None), "0.10 / 0.10 (2), **lost** 1 of 2"),
        ((None, None), "**lost** (2)"),
    ],
)
def test_outages_are_written_as_median_p95_and_number(outages, text):
    assert summary.outages(runs(*outages)) == text


def test_who_does_not_come_home_is_said():
    assert summary.failbacks(runs(1, 1, back=0.02)) == "0.02 / 0.02 (2)"
    assert summary.failbacks(runs(1, back=None)) == "**not back** (1)"
    assert summary.failbacks(runs(1, 1, home=False)) == "0.00 / 0.00 (2); not home 2 of 2"


def test_figures_of_bad_lines():
    lossy = Lossy(60.0, 6000, 300, (3, 2), 0.124)
    written = [summary.lost(lossy), summary.moves(lossy), summary.moves_per_hour(lossy)]
    assert [*written, summary.apart(lossy)] == ["5.0", "3 / 2", "300", "12"]


def test_what_a_contender_needs():
    assert summary.costs(Cost(30.0, 0.0213, 13 << 20, 27)) == ["2.1 %", "13 MiB", "27"]


def test_what_was_not_measured_is_said():
    written = [summary.outages(None), summary.failbacks(None), summary.apart_s(None)]
    written += [f(None) for f in (summary.lost, summary.moves, summary.apart)]
    assert {*written, summary.moves_per_hour(None), *summary.costs(None)} == {summary.UNKNOWN}


CUTS = (Cell("cut", "line cut", 2), Cell("cut", "line cut", 5, 80.0), Cell("fault", "LAN port", 5))
WHO = [Who("one", "One", "set", CUTS), Who("two", "Two", "also set", CUTS[:2])]
FOUND = Results(
    {"Kernel": "6.1"},
    {
        "one": {
            "cut/line cut/1 ms": runs(0.1, 0.3, back=0.02),
            "cut/line cut/80 ms": runs(None),
            "fault/LAN port/1 ms": runs(0.2, apart=1.25),
            "loss/20/perfect/1 ms": Measured(
                60, "2026-11-28", 1.0, 4.0, lossy=Lossy(60.0, 100, 5, (1, 1), 0.02)
            ),
            "loss/10/alike/1 ms": Measured(
                60, "2026-11-28", 1.0, 4.0, lossy=Lossy(60.0, 100, 36, (1, 0), 0.5)
            ),
            "idle/1 ms": Measured(30, "2026-11-28", 1.0, 4.0, cost=Cost(30.0, 0.02, 13 << 20, 27)),
        }
    },
)


def test_the_tables_have_a_row_for_who_was_measured():
    every = Tables(FOUND, WHO).every()
    assert every["machine"][2:] == [
        "| Kernel | 6.1 |",
        "| Cells of the full grid | 1 in full, 2 with fewer repeats or seconds, 2 not measured |",
    ]
    assert every["contenders"][2:] == ["| One | set | 2026-11-27 to 2026-11-28 | 4.0 |"]
    assert every["cuts"] == [
        "| silent cut of line 1 | 1 ms | 20 ms | 80 ms | 200 ms |",
        "| --- | --- | --- | --- | --- |",
        "| One | 0.20 / 0.30 (2) | not measured | **lost** (1) | not measured |",
    ]
    assert every["failback"][2].startswith("| One | 0.02 / 0.02 (2) | not measured | 0.00 / 0.00")
    assert "| not measured | 0.20 / 0.20 (1) |" in every["faults"][2]
    assert "| 1.2 |" in every["apart"][2]
    assert "| 5.0 | 1 / 1 | 2 |" in every["perfect"][2]
    assert "| One | 60 | 36.0 | not measured |" in every["alike"][2]
    assert every["cost"][2:] == ["| One | 2.0 % | 13 MiB | 27 |"]


def test_without_figures_every_table_says_so():
    assert set(map(tuple, Tables(Results(), WHO).every().values())) == {(NOTHING,)}


def test_a_bar_in_a_cell_does_not_end_it():
    assert table(["a|b"], [["c"]]) == [r"| a\|b |", "| --- |", "| c |"]


PAGE = "before\n<!-- table: x -->\nold\n<!-- end of table -->\nafter\n"


def test_a_table_takes_the_place_of_what_was_between_its_markers():
    once = filled(PAGE, {"x": ["| a |", "| - |"]})
    assert once == ("before\n<!-- table: x -->\n\n| a |\n| - |\n\n<!-- end of table -->\nafter\n")
    assert filled(once, {"x": ["| a |", "| - |"]}) == once


@pytest.mark.parametrize("tables", [{}, {"y": []}, {"x": [], "y": []}])
def test_tables_and_places_must_match(tables):
    with pytest.raises(ValueError, match="places"):
        filled(PAGE, tables)


def test_the_page_has_the_figures_of_its_file():
    text = command.DOCUMENT.read_text(encoding="utf-8")
    results = load(command.RESULTS.read_text(encoding="utf-8"))
    assert command.page(text, results) == text, "python -m benchmarks.compare --page"
