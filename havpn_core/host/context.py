"""The one place that makes the :class:`~havpn_core.plugging.descriptors.Context` of an instance."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from havpn_core.plugging.descriptors import Context
from havpn_core.plugging.stance import NO_STANCE, Stance


def _itself(host: str, family: int) -> str:
    return host


def _never() -> int:
    return 0


def _by_nobody(address: str) -> float | None:
    return None


def _lost(frame: bytes) -> None: ...


def _in_vain() -> None: ...


def _unsaid(text: str) -> None: ...


def _nothing_known() -> Stance:
    return NO_STANCE


def context(
    instance: str,
    *,
    node: str,
    run_dir: Path | str,
    logger: logging.Logger | None = None,
    clock: Callable[[], float] = time.monotonic,
    resolve: Callable[[str, int], str] = _itself,
    network_changes: Callable[[], int] = _never,
    heard: Callable[[str], float | None] = _by_nobody,
    received: Callable[[bytes], None] = _lost,
    hurry: Callable[[], None] = _in_vain,
    warn: Callable[[str], None] = _unsaid,
    stance: Callable[[], Stance] = _nothing_known,
) -> Context:
    """Make what an instance gets; what is left out is as in a command without a daemon.

    Without ``resolve`` a name is its own address, without ``network_changes`` nothing of the
    network changes, without ``heard`` nobody was heard, without ``received`` frames are lost,
    without ``hurry`` nothing is sent sooner, without ``warn`` nobody reads a warning, and without
    ``stance`` nothing is known of the gateway.

    :param instance: the instance's name in the configuration, such as ``path.vpn1.probe.echo``.
    :param logger: a logger that never blocks; the program's own if not given.
    :param clock: the monotonic clock in seconds.
    """
    return Context(
        instance=instance,
        node=node,
        logger=logger or logging.getLogger("havpn"),
        clock=clock,
        resolve=resolve,
        network_changes=network_changes,
        run_dir=Path(run_dir),
        heard=heard,
        received=received,
        hurry=hurry,
        warn=warn,
        stance=stance,
    )
