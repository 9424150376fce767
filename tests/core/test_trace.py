"""The file of ``havpn record``, there and back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.rules.hysteresis import Outcome
from havpn_core.study.traces import format_header, format_line, parse_trace

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "# havpn record 1 path=vpn1 interval=0.05 began=2026-01-01T00:00:00.000Z"


def test_the_words_of_the_format():
    assert format_header("vpn1", 0.05, BEGAN) == HEADER
    there = BEGAN.astimezone(timezone(timedelta(hours=5)))
    assert format_header("vpn1", 0.05, there) == HEADER
    assert " interval=1 " in format_header("vpn1", 1.0, BEGAN)
    assert " interval=0.00001 " in format_header("vpn1", 1e-5, BEGAN)
    assert format_line(0.05, Outcome.OK, 0.0112) == "0.050 . 11.200"
    assert format_line(61.0, Outcome.FAIL) == "61.000 x"
    assert format_line(0.1 + 0.2, Outcome.ERROR) == "0.300 ?"
    assert format_line(2 / 3, Outcome.FAIL) == "0.666 x"
    assert format_line(0.15, Outcome.REFUSED) == "0.150 r"


def test_a_trace_is_read():
    trace = parse_trace(f"{HEADER}\n0.000 . 11.2\n0.050 x\n0.100 ?\n\n0.150 .\n")
    assert trace.points == ((0.0, False), (0.05, True), (0.15, False))
    assert trace.length_s == pytest.approx(0.2)
    assert trace.lost(0.1)


def test_what_the_far_host_refused_was_not_lost_on_the_line():
    trace = parse_trace(f"{HEADER}\n0.000 x\n0.050 r\n0.100 ?\n0.150 x\n")
    assert trace.points == ((0.0, True), (0.05, False), (0.15, True))


@given(
    st.sampled_from([0.02, 0.05, 0.1, 1 / 3, 1.0, 1.7]),
    st.lists(st.sampled_from([Outcome.OK, Outcome.FAIL]), min_size=1, max_size=300),
)
def test_what_was_written_is_replayed_at_the_same_interval(interval, outcomes):
    lines = [format_line(n * interval, outcome) for n, outcome in enumerate(outcomes)]
    trace = parse_trace("\n".join([format_header("a", interval, BEGAN), *lines]))
    replayed = [trace.lost(n * interval) for n in range(len(outcomes))]
    assert replayed == [outcome is Outcome.FAIL for outcome in outcomes]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "line 1 is ''"),
        ("..x..", "line 1 is '..x..'"),
        (HEADER.replace("record 1", "record 2") + "\n0.0 .", "line 1: version 2"),
        (HEADER.replace("0.05", "0"), "line 1: interval=0"),
        (HEADER.replace("0.05", "soon"), "line 1 is"),
        (HEADER, "line 1: the file ends without"),
        (HEADER + "\n0.000 ?\n", "line 2: the file ends without"),
        (HEADER + "\n0.000 .\n0.050 !", "line 3 is '0.050 !'"),
        (HEADER + "\n0.000 .\n0.050", "line 3 is '0.050'"),
        (HEADER + "\n-1.000 .", "line 2 is '-1.000 .'"),
        (HEADER + "\n0.100 .\n0.050 x", "line 3: 0.050 s is before"),
    ],
)
def test_a_bad_line_is_named(text, what):
    with pytest.raises(ValueError) as problem:
        parse_trace(text)
    assert what in str(problem.value)
