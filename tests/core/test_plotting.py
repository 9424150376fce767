"""The pictures: read back what can be read back, and every way in which there is none."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from havpn_core.errors import HavpnError
from havpn_core.study.plots import (
    LOOKS,
    SweepRow,
    check_drawable,
    look,
    plot_detection,
    plot_sweep,
)

TIMES = [0.2 + n / 1000 for n in range(200)]
ROWS = [
    SweepRow("2", 400.0, 0.4, 0.2, 0.3),
    SweepRow("3", 3.0, 0.0101, 0.3, 0.4),
    SweepRow("4", 0.0, 0.0, float("nan"), float("nan")),
]


def comments(file):
    """The texts of an SVG: matplotlib draws letters as paths and keeps the words in comments."""
    ElementTree.parse(file)
    return re.findall(r"<!-- (.*?) -->", file.read_text())


def png_size(file):
    head = file.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def test_detection(tmp_path):
    plot_detection(TIMES, "vpn1: 200 cuts", tmp_path / "a.svg")
    words = comments(tmp_path / "a.svg")
    assert "vpn1: 200 cuts" in words
    assert "99 % within 0.397 s" in words  # the 198th of 200
    plot_detection(TIMES[::-1], "vpn1: 200 cuts", tmp_path / "b.PNG")
    assert png_size(tmp_path / "b.PNG") == (1200, 675)


def test_one_detection_is_enough(tmp_path):
    plot_detection([0.25], "one", tmp_path / "a.svg")
    assert "99 % within 0.25 s" in comments(tmp_path / "a.svg")


def test_sweep(tmp_path):
    plot_sweep("fall", ROWS, tmp_path / "a.svg")
    words = comments(tmp_path / "a.svg")
    assert {"fall", "switches per hour"} <= set(words)
    shares = [word for word in words if word.endswith("on backup")]
    assert shares == ["40 % on backup", "1 % on backup", "0 % on backup"]
    plot_sweep("fall", ROWS[2:], tmp_path / "b.png")
    assert png_size(tmp_path / "b.png") == (1200, 900)


def test_curves_differ_without_their_colours():
    for part in (1, 2):
        assert len({str(each[part]) for each in LOOKS}) == len(LOOKS)
    assert look(0) != look(1)
    assert look(len(LOOKS)) == look(0)


def test_pictures_have_a_legend(tmp_path):
    plot_detection(TIMES, "vpn1", tmp_path / "a.svg")
    assert {"cuts", "detected by then"} <= set(comments(tmp_path / "a.svg"))
    plot_sweep("fall", ROWS, tmp_path / "b.svg")
    words = set(comments(tmp_path / "b.svg"))
    assert {"changes of role", "99 of 100 cuts", "half of them"} <= words


def test_equal_simulations_give_equal_files(tmp_path):
    for name in ("a.svg", "b.svg"):
        plot_sweep("fall", ROWS, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_nothing_to_draw_is_said(tmp_path):
    with pytest.raises(ValueError, match="at least one cut"):
        plot_detection([], "none", tmp_path / "a.svg")
    with pytest.raises(ValueError, match="at least one value"):
        plot_sweep("fall", [], tmp_path / "a.svg")


@pytest.mark.parametrize("name", ["a.pdf", "a", ".svg"])
def test_another_suffix_is_refused_and_both_are_named(tmp_path, name):
    for draw in (
        check_drawable,
        lambda file: plot_detection(TIMES, "", file),
        lambda file: plot_sweep("fall", ROWS, file),
    ):
        with pytest.raises(ValueError, match=r"end in \.svg or \.png"):
            draw(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (
        check_drawable,
        lambda file: plot_detection(TIMES, "", file),
        lambda file: plot_sweep("fall", ROWS, file),
    ):
        with pytest.raises(HavpnError, match=r"pip install havpn\[plot\]"):
            draw(tmp_path / "a.svg")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    said = r"no/a\.svg: cannot be written: a folder of its path is not there: make it"
    with pytest.raises(HavpnError, match=said):
        plot_sweep("fall", ROWS, tmp_path / "no" / "a.svg")


def test_matplotlib_is_imported_to_draw_and_pyplot_never(tmp_path):
    script = (
        "import pathlib, sys\n"
        "from havpn_core.study.plots import plot_detection\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plot_detection([1.0], '', pathlib.Path(sys.argv[1]))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    file = tmp_path / "a.png"
    subprocess.run([sys.executable, "-c", script, str(file)], check=True, timeout=60)
    assert file.exists()
