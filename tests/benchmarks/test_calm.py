"""The table of calm: every part but the hours."""

import re

import pytest

from benchmarks import calm
from havpn_core.config import read


@pytest.fixture
def cells():
    found = {
        (rule, line): calm.Cell(place * 40.0, place / 100)
        for rule in calm.RULES
        for place, line in enumerate(calm.LINES)
    }
    found |= {(rule, calm.CHANGE): calm.Cell(0, 0, given_up=0.004) for rule in calm.RULES}
    return found | {(rule, calm.CUT): calm.Cell(0, 0, (0.2, 0.25)) for rule in calm.RULES}


def test_the_table_has_every_rule_and_line(cells):
    rows = calm.rows(cells)
    assert [row[0] for row in rows] == list(calm.ROWS)
    assert set(rows[0][1:]) == {"0"}
    assert set(rows[1][1:]) == {"40/h  1 %"}
    assert set(rows[-2][1:]) == {"0.4 %"}
    assert set(rows[-1][1:]) == {"0.20 / 0.25 s"}
    assert {len(row) for row in rows} == {len(calm.RULES) + 1}


@pytest.mark.parametrize(
    ("rate", "share", "text"),
    [
        (0, 0, "0"),
        (0, 1.0, "0  100 %"),
        (0.25, 0.99, "0.25/h  99 %"),
        (1154.2, 0.203, "1154/h  20 %"),
    ],
)
def test_a_cell(rate, share, text):
    assert str(calm.Cell(rate, share)) == text


def test_the_picture_has_a_line_a_rule(cells, tmp_path):
    calm.plot(cells, tmp_path / "calm.svg")
    words = re.findall(r"<!-- (.*?) -->", (tmp_path / "calm.svg").read_text())
    for rule in calm.RULES:
        assert rule in words


@pytest.mark.parametrize("name", ["fast", "balanced"])
def test_a_profile_is_what_the_configuration_makes_of_it(name, tmp_path):
    file = tmp_path / "havpn.toml"
    file.write_text(
        f'[path.a]\nprofile = "{name}"\n[path.a.probe.b]\ntype = "exec"\ncommand = ["true"]\n'
    )
    loaded, _ = read.load(file)
    assert calm.profile(name) == loaded.paths[0].options


@pytest.mark.parametrize(
    ("rule", "low_s", "high_s"),
    [("keepalived 3/3", 3.9, 4.0), ("BFD 3 x 50 ms", 0.14, 0.15), ("LSM", 8.4, 8.5)],
)
def test_the_worst_of_many_cuts(rule, low_s, high_s):
    assert low_s <= calm.judge(rule, calm.CUT, 1, seed=1, times=0).detection_s[1] <= high_s


def test_peers_are_judged_per_hour():
    few = calm.judge("keepalived 3/3", "20 %", 10, seed=1, times=0)
    many = calm.judge("keepalived 3/3", "20 %", 40, seed=1, times=0)
    assert few.switches_per_hour == pytest.approx(many.switches_per_hour, rel=0.4)
    assert calm.judge("keepalived 3/3", calm.BURSTY, 10, seed=1, times=0).switches_per_hour > 1


def test_havpn_is_judged_by_its_own_rules_at_both_ends():
    calmly = calm.judge("havpn balanced", "10 %", 0.2, seed=7, times=0)
    assert (calmly.switches_per_hour, calmly.down_share) == (0, 0)
    spells = calm.one_end("havpn fast", calm.BURSTY, 0.2, seed=7)
    assert (spells.switches_per_hour, spells.down_share) == (0, 1)  # left for good
    assert calm.judge("havpn fast", calm.CHANGE, 0, seed=7, times=3).given_up == 0
    median, worst = calm.judge("havpn balanced", calm.CUT, 0, seed=7, times=0).detection_s
    assert 0.6 < median < worst < 1.1


def test_a_peer_that_gives_a_changed_line_up_is_counted():
    assert calm.judge("BFD 3 x 50 ms", calm.CHANGE, 0, seed=7, times=3).given_up == 1


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--plot", "calm.pdf"], "end in .svg or .png"),
        (["--hours", "0"], "a number above 0"),
        (["--hours", "nan"], "a number above 0"),
    ],
)
def test_wrong_usage_is_told_before_the_hours(arguments, what, capsys):
    with pytest.raises(SystemExit) as ended:
        calm.main(arguments)
    assert ended.value.code == 2
    assert what in capsys.readouterr().err
