"""What a check is handed: the configuration, and the daemon that may be at work with it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from havpn_core.config.instances import Config, Instance
from havpn_core.daemon.requests import SOCKET
from havpn_core.daemon.state import reading
from havpn_core.daemon.state.status import Status
from havpn_core.errors import HavpnError
from havpn_core.host.context import context
from havpn_core.host.lock import holder
from havpn_core.host.resolve import Resolver
from havpn_core.plugging.gate.building import build
from havpn_core.plugging.gate.calls import Caller

TRIAL_S = 2.0
"""How long one trial may take."""


@dataclass(frozen=True)
class Case:
    """One run of the doctor.

    :param pid: the daemon that has ``run_dir``, whatever it does; ``None``: none.
    :param status: what that daemon says, where it works; ``None`` otherwise.
    :param age_s: seconds since the status was written of a daemon that does not work.
    :param run_dir: where the daemon keeps its status.
    :param lacking: names of instances that miss something on this host; they are not tried.
    """

    config: Config
    run_dir: Path
    pid: int | None = None
    status: Status | None = None
    age_s: float | None = None
    lacking: set[str] = field(default_factory=set)
    resolver: Resolver = field(default_factory=lambda: Resolver(time.monotonic))

    @property
    def running(self) -> bool:
        """Whether ports, devices and sessions belong to a daemon."""
        return self.pid is not None

    @property
    def probes(self) -> list[Instance]:
        """All configured probes, those of roads included."""
        return [each for path in self.config.paths for each in (*path.probes, *path.road)]

    @property
    def links(self) -> tuple[Instance, ...]:
        """All configured links."""
        return () if self.config.pair is None else self.config.pair.links

    def instances(self) -> Iterator[Instance]:
        """Give all configured instances."""
        yield from self.probes
        yield from self.config.actions
        yield from self.config.notifiers
        yield from self.links

    def latest(self) -> Status | None:
        """Give what the daemon says now; what it said before where that cannot be read."""
        try:
            return reading.read(self.run_dir) or self.status
        except HavpnError:
            return self.status

    def build(
        self,
        instance: Instance,
        received: Callable[[bytes], None] = lambda frame: None,
        warn: Callable[[str], None] = lambda text: None,
    ) -> Caller:
        """Make an instance for a trial.

        :raises CallFailed: if that went wrong in any way.
        """
        given: dict[str, Any] = {"resolve": self.resolver.address, "received": received}
        made = context(
            instance.name, node=self.config.node.name, run_dir=self.run_dir, warn=warn, **given
        )
        return build(instance.type, instance.options, made, instance.name)


def examine(config: Config, run_dir: Path) -> Case:
    """Look whether a daemon is at work, and what it says.

    :param run_dir: where it keeps its status.
    """
    pid = holder(run_dir, SOCKET)
    try:
        status = reading.read(run_dir)
    except HavpnError:
        status = None
    works = status is not None and status.works and pid is not None
    return Case(
        config,
        run_dir,
        pid=pid,
        status=status if works else None,
        age_s=None if works or status is None else status.age_s,
    )
