"""HA-VPN's framework: everything that a plugin author needs comes from here.

>>> from havpn_core import ProbeType, Sample, hookimpl
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from havpn_core.durations import Duration
from havpn_core.errors import ActionError, CommandTimeout, ConfigError, HavpnError, NotResolved
from havpn_core.host.execute import Finished, run_command
from havpn_core.plugging.clusters import Advising, PartnerSeeing, Ranking
from havpn_core.plugging.descriptors import (
    ActionType,
    Context,
    Event,
    EventKind,
    LinkType,
    NotifierType,
    ProbeType,
    Retry,
    Sample,
    Severity,
)
from havpn_core.plugging.diagnosis import Diagnosing, Diagnosis, Level
from havpn_core.plugging.hookspecs import hookimpl
from havpn_core.plugging.losing import FarLeaving, FarStanding, LossCounting
from havpn_core.plugging.protocols import (
    Action,
    AddressProbing,
    Announcing,
    Arriving,
    ConflictReporting,
    Explaining,
    Gathering,
    LanPresence,
    Link,
    Noticing,
    Notifier,
    Prepares,
    Probe,
    Refusing,
    Renewable,
    Reporting,
    SharedAddress,
)
from havpn_core.plugging.redact import path_of, program_of, redacted
from havpn_core.plugging.rendering import RenderedFile, Renderer, RendererType
from havpn_core.plugging.stance import Stance
from havpn_core.rules.hysteresis import Outcome, Verdict
from havpn_core.rules.role import Role
from havpn_core.rules.target.loss import Loss
from havpn_core.site.model.model import Model as SiteModel
from havpn_core.version import __version__

if TYPE_CHECKING:
    from havpn_core.echo.report import EchoReport, EchoSession
    from havpn_core.host.disk.keys import read_keys, read_secret
    from havpn_core.host.held import Held, note_held, read_held
    from havpn_core.host.lan.frames import NeighbourFrame
    from havpn_core.host.lan.neighbours import Neighbours
    from havpn_core.stream.session import StreamSession

__all__ = [
    "Action",
    "ActionError",
    "ActionType",
    "AddressProbing",
    "Advising",
    "Announcing",
    "Arriving",
    "CommandTimeout",
    "ConfigError",
    "ConflictReporting",
    "Context",
    "Diagnosing",
    "Diagnosis",
    "Duration",
    "EchoReport",
    "EchoSession",
    "Event",
    "EventKind",
    "Explaining",
    "FarLeaving",
    "FarStanding",
    "Finished",
    "Gathering",
    "HavpnError",
    "Held",
    "LanPresence",
    "Level",
    "Link",
    "LinkType",
    "Loss",
    "LossCounting",
    "NeighbourFrame",
    "Neighbours",
    "NotResolved",
    "Noticing",
    "Notifier",
    "NotifierType",
    "Outcome",
    "PartnerSeeing",
    "Prepares",
    "Probe",
    "ProbeType",
    "Ranking",
    "Refusing",
    "RenderedFile",
    "Renderer",
    "RendererType",
    "Renewable",
    "Reporting",
    "Retry",
    "Role",
    "Sample",
    "Severity",
    "SharedAddress",
    "SiteModel",
    "Stance",
    "StreamSession",
    "Verdict",
    "__version__",
    "hookimpl",
    "note_held",
    "path_of",
    "program_of",
    "read_held",
    "read_keys",
    "read_secret",
    "redacted",
    "run_command",
]


_LATER = {
    "EchoReport": "havpn_core.echo.report",
    "EchoSession": "havpn_core.echo.report",
    "Held": "havpn_core.host.held",
    "NeighbourFrame": "havpn_core.host.lan.frames",
    "Neighbours": "havpn_core.host.lan.neighbours",
    "note_held": "havpn_core.host.held",
    "StreamSession": "havpn_core.stream.session",
    "read_held": "havpn_core.host.held",
    "read_keys": "havpn_core.host.disk.keys",
    "read_secret": "havpn_core.host.disk.keys",
}
"""Modules that few plugins need; each is imported with the first use of its name."""


def __getattr__(name: str) -> Any:
    """Import what is in :data:`_LATER`."""
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
