"""HA-VPN's framework: everything that a plugin author needs comes from here.

>>> from havpn_core import ProbeType, Sample, hookimpl
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from havpn_core.durations import Duration
from havpn_core.errors import ActionError, CommandTimeout, ConfigError, HavpnError, NotResolved
from havpn_core.host.execute import Finished, run_command
from havpn_core.plugging.descriptors import (
    ActionType,
    Context,
    Event,
    EventKind,
    LinkType,
    NotifierType,
    ProbeType,
    Sample,
    Severity,
)
from havpn_core.plugging.hookspecs import hookimpl
from havpn_core.plugging.protocols import (
    Action,
    AddressProbing,
    Announcing,
    ConflictReporting,
    LanPresence,
    Link,
    Notifier,
    Prepares,
    Probe,
    Refusing,
    Renewable,
    Reporting,
    SharedAddress,
)
from havpn_core.plugging.redact import path_of, program_of, redacted
from havpn_core.rules.hysteresis import Outcome, Verdict
from havpn_core.rules.role import Role
from havpn_core.version import __version__

if TYPE_CHECKING:
    from havpn_core.echo.report import EchoReport, EchoSession
    from havpn_core.host.held import Held, note_held, read_held

__all__ = [
    "Action",
    "ActionError",
    "ActionType",
    "AddressProbing",
    "Announcing",
    "CommandTimeout",
    "ConfigError",
    "ConflictReporting",
    "Context",
    "Duration",
    "EchoReport",
    "EchoSession",
    "Event",
    "EventKind",
    "Finished",
    "HavpnError",
    "Held",
    "LanPresence",
    "Link",
    "LinkType",
    "NotResolved",
    "Notifier",
    "NotifierType",
    "Outcome",
    "Prepares",
    "Probe",
    "ProbeType",
    "Refusing",
    "Renewable",
    "Reporting",
    "Role",
    "Sample",
    "Severity",
    "SharedAddress",
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


_LATER = {
    "EchoReport": "havpn_core.echo.report",
    "EchoSession": "havpn_core.echo.report",
    "Held": "havpn_core.host.held",
    "note_held": "havpn_core.host.held",
    "read_held": "havpn_core.host.held",
}
"""Modules that few plugins need; each is imported with the first use of its name."""


def __getattr__(name: str) -> Any:
    """Import what is in :data:`_LATER`."""
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
