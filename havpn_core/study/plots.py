"""Pictures of what a simulation found, drawn by matplotlib; it is imported when one is drawn."""

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from havpn_core.errors import HavpnError
from havpn_core.host.disk.trouble import why

SUFFIXES = (".svg", ".png")
DOWN, CALM = "#d55e00", "#0072b2"
"""Of the colours of Okabe and Ito, which colour-blind people tell apart."""
LOOKS = (
    ("#0072b2", "o", "-"),
    ("#d55e00", "s", (0, (8, 2))),
    ("#000000", "^", "--"),
    ("#009e73", "v", ":"),
    ("#cc79a7", "D", "-."),
    ("#e69f00", "X", (0, (5, 1))),
    ("#56b4e9", "P", (0, (3, 1, 1, 1, 1, 1))),
)
"""Of each curve of a picture the colour, the marker and the line: no two share any of them."""


@dataclass(frozen=True, slots=True)
class SweepRow:
    """What one value of the swept parameter gave.

    :param value: as the operator wrote it, ``"3"`` or ``"500ms"``.
    :param switches_per_hour: changes of role.
    :param backup_share: share of the time on backup, from 0 to 1.
    :param p50_s: half of all cuts were detected within so many seconds; ``nan`` if none was made.
    :param p99_s: the same of 99 in 100.
    """

    value: str
    switches_per_hour: float
    backup_share: float
    p50_s: float
    p99_s: float


def check_drawable(file: Path) -> None:
    """Find out before hours of simulation whether their picture can be drawn.

    :raises ValueError: if the suffix is neither ``.svg`` nor ``.png``.
    :raises HavpnError: if matplotlib is not installed.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{file}: a picture is SVG or PNG: let the name end in .svg or .png")
    try:
        importlib.import_module("matplotlib")
    except ImportError:
        raise HavpnError(
            "pictures need matplotlib, which is not installed: pip install havpn[plot]"
        ) from None


def new_figure(width: float = 8.0, height: float = 4.5) -> Any:
    """Make an empty figure, without a display; sizes in inches.

    :raises HavpnError: if matplotlib is not installed.
    """
    check_drawable(Path("figure.svg"))
    # By name: type checking must not need what running does not need. Figure instead of pyplot
    # draws with Agg or SVG by the file's suffix, and never looks for a display.
    figure = importlib.import_module("matplotlib.figure").Figure
    return figure(figsize=(width, height), layout="constrained")


def save(figure: Any, file: Path) -> None:
    """Write a figure; equal figures give equal files.

    :raises ValueError: if the suffix is neither ``.svg`` nor ``.png``.
    :raises HavpnError: if the file cannot be written.
    """
    check_drawable(file)
    matplotlib = importlib.import_module("matplotlib")
    kind = file.suffix.lower().removeprefix(".")
    metadata = {"Date": None} if kind == "svg" else {}
    try:
        with matplotlib.rc_context({"svg.hashsalt": "havpn"}):
            figure.savefig(file, format=kind, dpi=150, metadata=metadata)
    except OSError as problem:
        raise HavpnError(f"{file}: cannot be written: {why(problem)}") from None


def look(number: int) -> dict[str, Any]:
    """Give the look of a curve by its number, for ``plot``; it repeats after :data:`LOOKS`."""
    colour, marker, line = LOOKS[number % len(LOOKS)]
    return {"color": colour, "marker": marker, "linestyle": line}


def scale_switches(axes: Any) -> None:
    """Give axes a scale on which none, one a day and thousands an hour can be seen apart."""
    axes.set_yscale("symlog", linthresh=0.01, linscale=0.5)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylabel("switches per hour")
    axes.grid(alpha=0.3)


def plot_detection(detection_s: Sequence[float], title: str, file: Path) -> None:
    """Draw how long detections took: how many took how long, and how many took no longer.

    :param detection_s: seconds from a cut to ``down``, one a cut, in any order.
    :raises ValueError: if there is none, or for the file's suffix.
    :raises HavpnError: if matplotlib is not installed or the file cannot be written.
    """
    check_drawable(file)
    if not detection_s:
        raise ValueError("there is no detection to draw: simulate at least one cut")
    times_s = sorted(detection_s)
    figure = new_figure()
    counts = figure.subplots()
    counts.hist(
        times_s, bins=min(40, math.isqrt(len(times_s)) + 1), color=CALM, alpha=0.5, label="cuts"
    )
    counts.set(title=title, xlabel="from the cut to down, in seconds", ylabel="cuts")
    counts.set_xlim(left=0)
    shares = counts.twinx()
    shares.step(
        [times_s[0], *times_s],
        [100 * n / len(times_s) for n in range(len(times_s) + 1)],
        where="post",
        color=DOWN,
        linestyle="--",
        label="detected by then",
    )
    shares.set(ylim=(0, 102), ylabel="detected by then, in percent")
    p99_s = times_s[math.ceil(0.99 * len(times_s)) - 1]
    shares.axvline(p99_s, color="black", linestyle=":")
    # Of both axes in one box, where the steps have not been yet.
    (bars, bar_words), (steps, step_words) = (
        axes.get_legend_handles_labels() for axes in (counts, shares)
    )
    shares.legend(bars + steps, bar_words + step_words, loc="upper left")
    shares.annotate(
        f"99 % within {p99_s:.3g} s", (p99_s, 4), xytext=(-6, 0), textcoords="offset points",
        ha="right",
    )  # fmt: skip
    save(figure, file)


def plot_sweep(parameter: str, rows: Sequence[SweepRow], file: Path) -> None:
    """Draw calm against speed: what each value costs in switches and in detection.

    :param parameter: the name of what was swept.
    :param rows: one a value, in the order to draw.
    :raises ValueError: if there is none, or for the file's suffix.
    :raises HavpnError: if matplotlib is not installed or the file cannot be written.
    """
    check_drawable(file)
    if not rows:
        raise ValueError("there is nothing to draw: sweep at least one value")
    places = range(len(rows))
    figure = new_figure(height=6.0)
    calm, speed = figure.subplots(2, 1, sharex=True)
    switches = [row.switches_per_hour for row in rows]
    calm.plot(places, switches, **look(0), clip_on=False, label="changes of role")
    scale_switches(calm)
    calm.legend()
    speed.plot(places, [row.p99_s for row in rows], **look(1), label="99 of 100 cuts")
    speed.plot(places, [row.p50_s for row in rows], **look(2), label="half of them")
    speed.set_ylim(bottom=0)
    speed.set(xlabel=parameter, ylabel="detected within, in seconds")
    labels = [f"{row.value}\n{_percent(row.backup_share)} on backup" for row in rows]
    speed.set_xticks(list(places), labels, rotation=90 if len(rows) > 7 else 0)
    speed.legend()
    speed.grid(alpha=0.3)
    save(figure, file)


def _percent(share: float) -> str:
    return "0 %" if share == 0 else f"{share * 100:.2g} %" if share < 0.995 else "100 %"
