"""The one place that makes the :class:`~havpn_core.plugging.descriptors.Context` of an instance."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from havpn_core.plugging.descriptors import Context


def _itself(host: str, family: int) -> str:
    return host


def _never() -> int:
    return 0


def _by_nobody(address: str) -> float | None:
    return None


def _lost(frame: bytes) -> None: ...


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
) -> Context:
    """Make what an instance gets; what is left out is as in a command without a daemon.

    Without ``resolve`` a name is its own address, without ``network_changes`` nothing of the
    network changes, without ``heard`` nobody was heard, and without ``received`` frames are lost.

    :param instance: the instance's name in the configuration, as ``path.vpn1.probe.echo``.
    :param node: the gateway's name.
    :param run_dir: a directory for files that need not outlive a reboot.
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
    )
