"""Every single fault of the lab's table, in a network of four pairs' daemons and real tunnels.

The judged figures are those of ``make faults``; here each fault is held for a shorter time, and a
line is trusted again sooner, so that all of them take some minutes. Those at a gateway that stands
by move nobody, and are in ``make faults`` alone.
"""

from dataclasses import replace

import pytest

from benchmarks import faults
from benchmarks.modes import MODES
from havpn_core.testing.lab.faults import ROWS
from havpn_core.testing.lab.faults.table import AT_ONCE_S, SERVE

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

RISE = 15
MODE = replace(MODES["pair"], hold_s=1.5, after_s=0.3)
ROUND_HOLD_S = 1.8
"""For how long a fault lasts that witnesses or hosts behind the far gateway must find."""
SLOW_S = 1.0
"""How much longer the clients may wait on a host that does other work beside."""


@pytest.fixture(scope="module")
def here():
    with MODE.opens(RISE) as street:
        assert MODE.settle(street), "the network was not calm at first"
        yield street


def table():
    """Give every fault at the one gateway or the other in turn, and at the other one as more."""
    seen = {}
    for row in ROWS:
        if row.gateway in SERVE:
            times = seen.setdefault(row.name.rpartition(" at ")[0], [len(seen) % 2, 0])
            marks = [pytest.mark.more] if times[0] != times[1] else []
            times[1] += 1
            yield pytest.param(row, id=row.name, marks=marks)


@pytest.mark.parametrize("row", list(table()))
def test_a_fault(here, row):
    assert MODE.settle(here), "the network was not calm after the fault before"
    least_s = max(row.least_s, ROUND_HOLD_S if row.bound_s > AT_ONCE_S else 0.0)
    row = replace(row, bound_s=row.bound_s + SLOW_S, least_s=least_s)
    found = faults.try_out(here, MODE, row)
    assert faults.judge(MODE, row, found) == [], found
