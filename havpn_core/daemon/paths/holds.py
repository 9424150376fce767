"""Report that flap damping holds the way back of a path, and that it does no more."""

from collections.abc import Callable, Mapping

from havpn_core.daemon.paths.path import PathRun
from havpn_core.plugging.descriptors import Event, EventKind, Severity
from havpn_core.rules.damping import Flaps
from havpn_core.rules.hysteresis import Level

BEGUN, OVER = "damping hold begun", "damping hold over"


class Holds:
    """The paths that are down and may not come up before their flaps are forgotten.

    :param paths: gives the paths at work.
    :param emit: takes the events.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        paths: Callable[[], Mapping[str, PathRun]],
        emit: Callable[[Event], None],
        clock: Callable[[], float],
    ) -> None:
        self._paths, self._emit, self._clock = paths, emit, clock
        self._held: frozenset[str] = frozenset()

    def update(self) -> None:
        """Report which paths are held now and were not, or the other way round."""
        self._follow("it may be up again as soon as it has replied for long enough")

    def clear(self) -> list[str]:
        """Forget the flaps of all paths, as an operator wants; gives the paths that were held."""
        held = self._now()
        for run in self._paths().values():
            run.watch.memory.flaps = Flaps()
        self._held |= held
        self._follow("an operator ended it")
        return [name for name in self._paths() if name in held]

    def _now(self) -> frozenset[str]:
        now_s = self._clock()
        return frozenset(
            name
            for name, run in self._paths().items()
            if run.watch.memory.flaps.held_until_s > now_s and run.state.level is Level.DOWN
        )

    def _follow(self, why_over: str) -> None:
        before, self._held = self._held, self._now()
        for name in sorted(self._held - before):
            text = self._begun(self._paths()[name])
            self._emit(Event(EventKind.PATH, name, "", BEGUN, text, Severity.WARNING))
        for name in sorted(before - self._held):
            if name in self._paths():
                self._emit(Event(EventKind.PATH, name, BEGUN, OVER, why_over))

    def _begun(self, run: PathRun) -> str:
        memory, now_s = run.watch.memory, self._clock()
        return (
            f"it keeps dying, penalty {memory.penalty(now_s):.1f}: not up again before "
            f"{memory.flaps.held_until_s - now_s:.0f} s from now, and later if it dies once more; "
            "havpn switch --to auto --clear ends the hold"
        )
