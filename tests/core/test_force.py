"""What is said when an operator's force begins, ends and expires."""

from datetime import datetime

from havpn_core.daemon.state.force import Force
from havpn_core.daemon.state.memory import Memory
from havpn_core.host import boot
from havpn_core.host.boot import Clocks
from havpn_core.rules.role import Role

WALL_S = datetime(2026, 1, 1, 12).timestamp()


class Host:
    """A host whose clocks stand until they are moved."""

    def __init__(self, monkeypatch):
        self.passed_s = 0.0
        monkeypatch.setattr(boot, "clocks", lambda: self.clocks)

    @property
    def clocks(self):
        return Clocks(WALL_S + self.passed_s, 5000.0 + self.passed_s, "this-boot")


def test_a_force_with_an_end(monkeypatch):
    host, force = Host(monkeypatch), Force(Memory())
    begun = force.order(Role.STANDBY, 600.0)
    assert str(begun) == "role: forced to standby (until 2026-01-01 12:10:00 (in 10m))"
    assert begun.severity == "warning"
    host.passed_s = 599.0
    assert force.expired() is None
    assert force.until == "2026-01-01 12:10:00 (in 1s)"
    host.passed_s = 600.0
    over = force.expired()
    assert (over.before, over.after, over.severity) == (
        "forced to standby",
        "override expired",
        "info",
    )
    assert over.detail.startswith("the time is over")
    assert force.expired() is None and force.role is None and force.until == ""


def test_a_force_without_an_end(monkeypatch):
    host, force = Host(monkeypatch), Force(Memory())
    begun = force.order(Role.ACTIVE, None)
    assert str(begun) == "role: forced to active (until havpn switch --to auto)"
    host.passed_s = 1e6
    assert force.expired() is None and force.until == ""
    ended = force.order(None, None)
    assert str(ended) == ("role: forced to active -> override ended (by havpn switch --to auto)")
    assert force.order(None, None) is None, "nothing was forced"
