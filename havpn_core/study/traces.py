"""Pure: the text of the file that ``havpn record`` writes and ``havpn simulate`` replays.

Text, so that it can be looked at, cut and joined with what every host has::

    # havpn record 1 path=vpn1 interval=0.05 began=2026-01-01T00:00:00.000Z
    0.000 . 11.214
    0.050 x
    0.100 ?

Below the header one line a sample: when its probes were sent, in seconds since the beginning, a
symbol (``.`` OK, ``x`` lost, ``?`` could not be tested, ``r`` refused by the far host) and, with a
reply, the round-trip time in milliseconds. A sample is the result of a whole round, that is the
vote of all probes of the path.
"""

import math
import re
from datetime import datetime

from havpn_core.durations import rfc3339
from havpn_core.rules.hysteresis import Outcome
from havpn_core.study.loss import Trace

VERSION = 1
SYMBOLS = {Outcome.OK: ".", Outcome.FAIL: "x", Outcome.ERROR: "?", Outcome.REFUSED: "r"}

_HEADER = re.compile(r"# havpn record (\d+) path=(\S+) interval=(\d+(?:\.\d+)?) began=(\S+)\Z")
_LINE = re.compile(r"(\d+(?:\.\d+)?) ([.x?r])(?: \d+(?:\.\d+)?)?\Z")

_LATENCY = re.compile(r" \. (\d+(?:\.\d+)?)\s*\Z")


def format_header(path: str, interval_s: float, began: datetime) -> str:
    """Write the first line, without its end.

    :param began: with a time zone.
    """
    return (
        f"# havpn record {VERSION} path={path} interval={_decimal(interval_s)} "
        f"began={rfc3339(began)}"
    )


def format_line(at_s: float, outcome: Outcome, latency_s: float | None = None) -> str:
    """Write a sample's line, without its end.

    :param at_s: seconds since the beginning. Cut to milliseconds rather than rounded, so that
        who replays the file at the same interval never looks before the sample that is meant.
    """
    cut_s = math.floor(at_s * 1000 + 1e-6) / 1000
    latency = "" if latency_s is None else f" {latency_s * 1000:.3f}"
    return f"{cut_s:.3f} {SYMBOLS[outcome]}{latency}"


def parse_trace(text: str) -> Trace:
    """Read a whole file.

    A sample that could not be tested leaves in force what was true before it, and one that the
    far host refused was not lost on the line. The trace ends an interval after its last sample.

    :raises ValueError: naming the first line that is wrong and what would be right.
    """
    lines = text.splitlines()
    interval_s = _interval_s(lines[0] if lines else "")
    points, last_s = [], 0.0
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        match = _LINE.match(line.rstrip())
        if not match:
            raise ValueError(
                f"line {number} is {line[:40]!r}: write SECONDS, a symbol . x ? or r and, if you "
                "like, milliseconds"
            )
        at_s = float(match[1])
        if at_s < last_s:
            raise ValueError(f"line {number}: {match[1]} s is before the line above it")
        last_s = at_s
        if match[2] != "?":
            points.append((at_s, match[2] == "x"))
    if not points:
        raise ValueError(
            f"line {len(lines) or 1}: the file ends without a sample that says . x or r"
        )
    return Trace(points, last_s + interval_s)


def latencies_s(text: str) -> list[float]:
    """Give the round-trip times that a file has, in seconds; lines that are wrong are left out."""
    found = (_LATENCY.search(line) for line in text.splitlines())
    return [float(match[1]) / 1000 for match in found if match]


def _interval_s(header: str) -> float:
    match = _HEADER.match(header.rstrip())
    if not match:
        raise ValueError(
            f"line 1 is {header[:40]!r}: a file of havpn record begins with "
            f'"# havpn record {VERSION} path=NAME interval=SECONDS began=TIME"'
        )
    if int(match[1]) != VERSION:
        raise ValueError(f"line 1: version {match[1]} of the format; this havpn reads {VERSION}")
    if not float(match[3]) > 0:
        raise ValueError(f"line 1: interval={match[3]}: write seconds above 0")
    return float(match[3])


def _decimal(seconds: float) -> str:
    """Write seconds without an exponent and without needless zeros."""
    return f"{seconds:.9f}".rstrip("0").rstrip(".")
