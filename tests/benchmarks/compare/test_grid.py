"""The grid of the comparison: what is measured of whom, and what of it is left."""

from itertools import groupby

from benchmarks.compare import grid
from benchmarks.compare.contenders import CONTENDERS
from benchmarks.compare.faults import FAULTS
from benchmarks.compare.grid import FULL, QUICK, Cell, cells, left, networks


def test_the_full_grid_has_every_distance_loss_and_fault():
    found = cells(FULL)
    assert [cell.rtt_ms for cell in found if cell.kind == grid.CUT] == [1, 20, 80, 200]
    lines = {(cell.what, cell.second) for cell in found if cell.kind == grid.LOSS}
    assert lines == {(x, y) for x in ("10", "20", "spells") for y in ("perfect", "alike")}
    faults = {cell.what: cell.amount for cell in found if cell.kind == grid.FAULT}
    assert faults == dict.fromkeys(
        ("line cut one way", "LAN port", "power off", "daemon killed", "SA deleted"), 5
    )
    assert [cell.rtt_ms for cell in found if cell.kind == grid.FAULT] == [1] * 5


def test_every_cell_has_a_name_of_its_own_and_a_fault_that_is_made():
    for size in (FULL, QUICK):
        found = cells(size)
        assert len({cell.key for cell in found}) == len(found)
        made = {cell.what for cell in found if cell.kind in (grid.CUT, grid.FAULT)}
        assert made <= set(FAULTS)


def test_the_quick_cells_are_cells_of_the_full_grid_in_a_smaller_amount():
    amounts = {cell.key: cell.amount for cell in cells(FULL)}
    for cell in cells(QUICK):
        assert 0 < cell.amount < amounts[cell.key]


def test_cells_of_one_network_come_after_each_other():
    for size in (FULL, QUICK):
        runs = [name for name, _ in groupby(cells(size), lambda cell: cell.network)]
        assert len(runs) == len(set(runs))
        assert [each[0].network for each in networks(cells(size))] == runs


def test_a_network_has_one_distance_and_tunnels_or_none():
    for size in (FULL, QUICK):
        for group in networks(cells(size)):
            assert len({cell.rtt_ms for cell in group}) == 1
            assert len({cell.what == grid.TUNNEL for cell in group}) == 1


def test_bad_lines_of_the_full_grid_do_not_see_each_other():
    for group in networks(cells(FULL)):
        kinds = {cell.kind for cell in group}
        assert grid.LOSS not in kinds or len(group) == 1


def test_slow_contenders_get_fewer_cuts_and_nothing_else_changes():
    fast, slow = cells(FULL), cells(FULL, slow=True)
    changed = {a.kind for a, b in zip(fast, slow, strict=True) if a != b}
    assert changed == {grid.CUT}
    assert {cell.amount for cell in slow if cell.kind == grid.CUT} == {FULL.slow_cuts}


def test_where_a_contender_does_not_run_nothing_is_measured():
    assert grid.TUNNEL not in {cell.what for cell in cells(FULL, ipsec=False)}
    assert [cell.what for cell in cells(FULL, routed=False)] == [grid.TUNNEL]
    assert cells(QUICK, routed=False) == []


def test_what_was_measured_in_a_smaller_amount_is_left():
    short, long = Cell("cut", "line cut", 3), Cell("cut", "line cut", 10)
    assert left([long], {}) == [long]
    assert left([long], {long.key: 3}) == [long]
    assert left([short], {short.key: 3}) == []
    assert left([short], {short.key: 10}) == []


def test_a_second_run_has_nothing_to_do():
    amounts = {cell.key: cell.amount for cell in cells(FULL)}
    assert left(cells(FULL), amounts) == []
    assert left(cells(QUICK), amounts) == []


def test_every_contender_is_measured_somewhere():
    for contender in CONTENDERS.values():
        assert cells(FULL, routed=contender.routed, ipsec=contender.ipsec), contender.key
