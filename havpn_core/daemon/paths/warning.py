"""Let a probe say something for people that is no sample."""

from collections.abc import Callable
from typing import Any

from havpn_core.plugging.descriptors import Event, EventKind, Severity
from havpn_core.plugging.gate.inlet import Inlet
from havpn_core.plugging.wording import words

APART_S = 10.0
"""Least time from one warning of an instance to the next; others are left out."""


def warning(
    instance: str, emit: Callable[[Event], None], clock: Callable[[], float]
) -> Callable[[str], None]:
    """Make the ``warn`` of an instance's context; to be called on the loop.

    It does nothing unless the instance is a probe of a path.

    :param instance: the instance's name in the configuration, such as ``path.vpn1.probe.echo``.
    :param clock: monotonic seconds.
    """
    kind, _, rest = instance.partition(".")
    path, _, probe = rest.rpartition(".probe.")
    if kind != "path" or not probe:
        return _in_vain
    warned_s = float("-inf")

    def take(text: str) -> None:
        nonlocal warned_s
        now_s = clock()
        if text and now_s - warned_s >= APART_S:
            warned_s = now_s
            detail = f"{probe}: {text}"
            emit(Event(EventKind.PATH, path, "", "trouble", detail, Severity.WARNING))

    return Inlet(_text, take)


def _text(given: Any) -> str:
    return words(given) if issubclass(type(given), str) else ""


def _in_vain(text: str) -> None: ...
