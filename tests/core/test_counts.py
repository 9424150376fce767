"""What is counted of the events."""

from havpn_core.daemon.state.counts import Counts, CountsStatus
from havpn_core.plugging.descriptors import Event

FLOW = [
    Event("daemon", "", "", "started"),
    Event("role", "", "", "active", "path vpn1 up"),
    Event("role", "", "active", "standby", "path vpn1 down", "warning"),
    Event("role", "", "standby", "active"),
    Event("role", "", "", "forced standby"),
    Event("role", "", "forced", "auto"),
    Event("action", "gateway", "", "applying active"),
    Event("action", "gateway", "", "failed", "active: no", "error"),
    Event("action", "gateway", "", "failed", "active: no", "error"),
    Event("action", "more", "", "failed", "active: no", "error"),
    Event("action", "gateway", "", "conflict", "", "error"),
    Event("pair", "", "", "conflict", "", "error"),
    Event("plugin", "failed", "", "failed"),
]


def counted(*events):
    counts = Counts()
    for event in events:
        counts.take(event)
    return counts.facts()


def test_events_are_counted_by_what_they_mean():
    assert counted(*FLOW) == CountsStatus(
        events=13, role_changes=2, conflicts=2, action_failures={"gateway": 2, "more": 1}
    )


def test_the_last_reload_counts():
    bad, good = Event("daemon", "", "", "reload refused"), Event("daemon", "", "", "reloaded")
    assert counted().reloaded is None
    assert counted(good, bad).reloaded is False
    assert counted(bad, good).reloaded is True
