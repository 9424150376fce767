"""HA-VPN's framework: everything that a plugin author needs comes from here.

>>> from havpn_core import ProbeType, Sample, hookimpl
"""

from typing import TYPE_CHECKING, Any

from havpn_core.durations import Duration
from havpn_core.errors import ActionError, CommandTimeout, ConfigError, HavpnError, NotResolved
from havpn_core.host.execute import Finished, run_command
from havpn_core.plugging.descriptors import (
    Action,
    ActionType,
    Context,
    Event,
    Link,
    LinkType,
    Notifier,
    NotifierType,
    Probe,
    ProbeType,
    Sample,
)
from havpn_core.plugging.hookspecs import hookimpl
from havpn_core.plugging.redact import path_of, program_of, redacted
from havpn_core.rules.hysteresis import Outcome, Verdict
from havpn_core.rules.role import Role
from havpn_core.version import __version__

if TYPE_CHECKING:
    from havpn_core.host.held import Held, note_held, read_held

__all__ = [
    "Action",
    "ActionError",
    "ActionType",
    "CommandTimeout",
    "ConfigError",
    "Context",
    "Duration",
    "Event",
    "Finished",
    "HavpnError",
    "Held",
    "Link",
    "LinkType",
    "NotResolved",
    "Notifier",
    "NotifierType",
    "Outcome",
    "Probe",
    "ProbeType",
    "Role",
    "Sample",
    "Verdict",
    "__version__",
    "hookimpl",
    "note_held",
    "path_of",
    "program_of",
    "read_held",
    "redacted",
    "run_command",
]


def __getattr__(name: str) -> Any:
    """Import what only actions that own something need when one of them asks for it."""
    if name in ("Held", "note_held", "read_held"):
        from havpn_core.host import held

        return getattr(held, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
