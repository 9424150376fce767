"""What is counted of the events since the daemon started, for the metrics."""

from dataclasses import dataclass, field

from havpn_core.daemon.state.status import CountsStatus
from havpn_core.plugging.descriptors import Event, EventKind

ROLES = frozenset({"active", "standby"})


@dataclass
class Counts:
    """Counts events as they come."""

    events: int = 0
    role_changes: int = 0
    conflicts: int = 0
    action_failures: dict[str, int] = field(default_factory=dict)
    reloaded: bool | None = None

    def take(self, event: Event) -> None:
        """Count an event."""
        self.events += 1
        match event.kind, event.after:
            case EventKind.ROLE, after if {event.before, after} == ROLES:
                self.role_changes += 1
            case EventKind.ACTION, "failed":
                known = self.action_failures.get(event.subject, 0)
                self.action_failures[event.subject] = known + 1
            case EventKind.ACTION | EventKind.PAIR, "conflict":
                self.conflicts += 1
            case EventKind.DAEMON, "reloaded" | "reload refused" as word:
                self.reloaded = word == "reloaded"

    def facts(self) -> CountsStatus:
        """Give its part of the status."""
        return CountsStatus(
            events=self.events,
            role_changes=self.role_changes,
            conflicts=self.conflicts,
            action_failures=dict(self.action_failures),
            reloaded=self.reloaded,
        )
