"""The table of streams' calm: every part but the hours."""

import pytest

from benchmarks import calm_streams
from benchmarks.calm_streams import Cell


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Cell(100, 0, 0.0, 0.062), "0  62 ms"),
        (Cell(100, 3, 0.25, None), "0.03/h  0.25 down"),
    ],
)
def test_a_cell(cell, text):
    assert str(cell) == text


def test_a_cell_is_judged_at_both_ends(monkeypatch):
    monkeypatch.setattr(calm_streams, "CUTS", 4)
    cell = calm_streams.judge("fast", "5 %", 0.02, 1)
    assert (cell.switches, cell.down_share) == (0, 0)
    assert 0.05 < cell.detection_s < 0.15
    spells = calm_streams.judge("balanced", calm_streams.BURSTY, 0.05, 1)
    assert spells.detection_s is None


def test_a_line_that_begins_to_lose_is_called_grey_and_puts_nobody_down():
    assert calm_streams.changed("balanced", 3, 1) == (0, 3)


def test_what_misses_a_bound_is_named():
    good = {("fast", line): Cell(100, 0, 0.0, 0.1) for line in calm_streams.LINES}
    assert calm_streams.missed(good, {"fast": 10}, 1000) == []
    bad = good | {("fast", "5 %"): Cell(100, 1, 0.0, 0.1), ("fast", "30 %"): Cell(100, 101, 0, 0.1)}
    assert calm_streams.missed(bad, {"fast": 11}, 1000) == [
        "fast at 5 %: 1 switches in 100 h",
        "fast at 30 %: 101 switches in 100 h",
        "fast: 11 of 1000 changes put a path down",
    ]


@pytest.mark.parametrize("arguments", [["--hours", "0"], ["--changes", "1"]])
def test_wrong_usage_is_told_before_the_hours(arguments):
    with pytest.raises(SystemExit) as ended:
        calm_streams.main(arguments)
    assert ended.value.code == 2
