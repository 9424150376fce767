"""One contender in one network: each cell of it measured, one after another."""

import contextlib
import math
import os
import time
from collections.abc import Callable

from benchmarks.campaigns import stage
from benchmarks.client_loss import SPELLS as SPELLS_LINE
from benchmarks.client_loss import spoil
from benchmarks.compare import grid, usage
from benchmarks.compare.client import longest
from benchmarks.compare.contenders import Contender
from benchmarks.compare.faults import FAULTS, WHERE, Held
from benchmarks.compare.grid import Cell
from benchmarks.compare.results import Cost, Lossy, Measured, Run
from benchmarks.compare.taps import Taps, pinger
from havpn_core.testing.lab import LabError, Pinger, TwoSite, wait_for
from havpn_core.testing.lab.faults import Street
from havpn_core.testing.lab.hosts.errors import NotInTime

PING_S = 0.01
CALM_S = 1.0
"""The client is back when it has missed nothing for so long."""
LOST_S, LOST_AFTER_S = 3.0, 1.0
HOME_S = 45.0
AFTER_S = 1.5
BEFORE_LOSS_S = 5.0
"""What a line was like before it went bad is a part of what is known of it."""


class Bench:
    """A contender in a network, which is built when needed, and anew when it does not come home."""

    def __init__(self, contender: Contender, rtt_ms: float, *, ipsec: bool) -> None:
        self._contender, self._rtt_ms, self._ipsec = contender, rtt_ms, ipsec
        self._stack = contextlib.ExitStack()
        self._here: Street | None = None

    def here(self) -> Street:
        """Give the network, at home.

        :raises LabError: it does not come up.
        """
        if self._here is None:
            delays = {"provider-1": self._rtt_ms / 2}
            lab = self._stack.enter_context(TwoSite(ipsec=self._ipsec, delays_ms=delays))
            self._others = set(usage.processes(lab.hosts[WHERE]))
            self._taps = Taps(lab)
            self._here = self._contender.begin(lab)
            if not self.settle():
                raise NotInTime(f"{self._contender.title}: not home within {HOME_S:g} s")
        return self._here

    def close(self) -> None:
        """Take the network down."""
        self._here = None
        self._stack.close()

    def settle(self, timeout: float = HOME_S) -> bool:
        """Wait until it is home and stays so; tell whether it became so."""
        here, contender = self._here, self._contender
        assert here is not None
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            try:
                wait_for(lambda: contender.home(here), left, "home", poll=0.2)
            except NotInTime:
                return False
            time.sleep(contender.steady_s)
            if contender.home(here):
                return True
        return False

    def fault(self, held: Held) -> Run:
        """Make a fault, hold it, mend it."""
        here = self.here()
        rtt_s = self._rtt_ms / 1000
        pings, port = pinger(here.lab)
        try:
            wait_for(lambda: pings.answered() > 50, 10, "traffic")
            began = time.monotonic()
            mend = held.make(here, WHERE)
            _hold(pings, began, held)
            mended = time.monotonic()
            lost = longest(pings.outages(0.0, began), began, mended, rtt_s=rtt_s, lost_s=LOST_S)
            apart, _ = self._taps.used(port, began, mended).apart()
            mend()
            home = self.settle()
            time.sleep(AFTER_S)
            ended = time.monotonic()
            gaps = pings.outages(0.0, mended)
            back = longest(gaps, mended, ended, rtt_s=0.0, lost_s=LOST_AFTER_S)
        finally:
            pings.stop()
        if not home:
            self.close()
        return Run(lost, back, apart * PING_S, home)

    def lossy(self, cell: Cell) -> Lossy:
        """Let line 1 be bad for a while, and line 2 perfect or just as bad."""
        lab = self.here().lab
        time.sleep(BEFORE_LOSS_S)
        line = SPELLS_LINE if cell.what == grid.SPELLS else cell.what
        pings, port = pinger(lab)
        spells = []
        try:
            time.sleep(0.5)
            since = time.monotonic()
            spells = spoil(lab, line, cell.second, seed=1)
            time.sleep(cell.amount)
            until = time.monotonic()
            time.sleep(0.5)
            lost, sent = pings.lost(since, until)
            lines = self._taps.used(port, since, until)
        finally:
            for each in spells:
                each.stop()
            pings.stop()
        for provider in lab.providers.values():
            provider.heal()
        apart, both = lines.apart()
        self.close()  # what comes next is to see none of this
        return Lossy(cell.amount, sent, lost, lines.moves(), apart / both if both else 0.0)

    def cost(self, seconds: float) -> Cost:
        """See what it needs while all is well."""
        host = self.here().lab.hosts[WHERE]
        time.sleep(2)
        began, before = time.monotonic(), usage.processor_s(host, self._others)
        time.sleep(seconds)
        spent = usage.processor_s(host, self._others) - before
        share = spent / (time.monotonic() - began)
        lines = usage.lines_of(host, self._contender.files)
        return Cost(seconds, share, usage.memory(host, self._others), lines)


def _hold(pings: Pinger, began: float, held: Held) -> None:
    """Let a fault last until the clients are back, within its bounds."""
    stage.rest(began + held.least_s)
    while (now := time.monotonic()) < began + held.most_s:
        lost, sent = pings.lost(now - CALM_S - 0.3, now - 0.3)
        if sent and not lost:
            return
        time.sleep(0.1)


def measure(
    contender: Contender,
    cells: list[Cell],
    keep: Callable[[Cell, Measured], None],
    say: Callable[[str], None],
    until: float = math.inf,
) -> None:
    """Measure the cells of one network; what fails twice is left for another time.

    :param keep: takes each finished cell.
    :param until: ``time.monotonic()`` from which on none is begun.
    """
    bench = Bench(contender, cells[0].rtt_ms, ipsec=cells[0].what == grid.TUNNEL)
    try:
        for cell in cells:
            began = time.monotonic()
            if began >= until:
                break
            try:
                runs, lossy, cost = _one(bench, cell)
            except LabError as problem:
                say(f"{contender.key}: {cell.key}: not measured: {problem}")
                bench.close()
                continue
            on, took = time.strftime("%Y-%m-%d"), round(time.monotonic() - began, 1)
            load = round(os.getloadavg()[0], 1)
            keep(cell, Measured(cell.amount, on, took, load, runs, lossy, cost))
    finally:
        bench.close()


def _one(bench: Bench, cell: Cell) -> tuple[tuple[Run, ...], Lossy | None, Cost | None]:
    if cell.kind == grid.LOSS:
        return (), bench.lossy(cell), None
    if cell.kind == grid.IDLE:
        return (), None, bench.cost(cell.amount)
    return _repeats(bench, cell), None, None


def _repeats(bench: Bench, cell: Cell) -> tuple[Run, ...]:
    """Repeat a fault; one failure of the network itself is forgiven."""
    runs: list[Run] = []
    failed = False
    while len(runs) < cell.amount:
        try:
            bench.here()
            time.sleep(len(runs) * 0.618 % 1)  # at any moment of a watcher's interval
            runs.append(bench.fault(FAULTS[cell.what]))
        except LabError:
            bench.close()
            if failed:
                raise
            failed = True
    return tuple(runs)
