"""What the parts of one daemon share: its clock, log, events, tasks and the changes of its host."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from havpn_core.daemon.paths.timing import Timing
from havpn_core.daemon.state.events import EventBus
from havpn_core.daemon.state.keeping import Keeper
from havpn_core.daemon.tasks import Tasks
from havpn_core.host.netwatch import NetWatch
from havpn_core.host.resolve import Resolver
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.blocking import LoopWatch


@dataclass(frozen=True)
class World:
    """One of each for a daemon.

    :param clock: monotonic seconds.
    :param emit: takes every event.
    """

    log: logging.Logger
    clock: Callable[[], float]
    emit: Callable[[Event], None]
    bus: EventBus
    tasks: Tasks
    keeper: Keeper
    netwatch: NetWatch
    resolver: Resolver
    timing: Timing
    loop_watch: LoopWatch
