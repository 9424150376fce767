"""The roads of all paths: what they are to look for, what they found, and what is said of it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from havpn_core.config.instances import PathConfig
from havpn_core.daemon.paths.probing import Tally
from havpn_core.daemon.paths.road import RoadRun, Surroundings
from havpn_core.daemon.state.path_status import RoadProbeStatus, RoadStatus
from havpn_core.durations import rfc3339
from havpn_core.plugging.descriptors import Event, EventKind, Severity
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.road.state import NO_VIEW, Look, Pace, RoadView
from havpn_core.rules.road.verdict import joined

WORDS = {True: "ok", False: "failed", None: "unknown"}
BACK = "on the road again: it replied, or a trial is due"


class Roads:
    """All roads of a gateway.

    :param changed: called when there is another verdict.
    """

    def __init__(self, world: Surroundings, changed: Callable[[], None]) -> None:
        self.runs: dict[str, RoadRun] = {}
        self.view = NO_VIEW
        self._world, self._changed = world, changed
        self._told: set[str] = set()

    def swap(
        self, wanted: Mapping[str, PathConfig], built: Mapping[str, dict[str, Caller]]
    ) -> list[RoadRun]:
        """Have new probes at work; gives the roads that are not any more, to close.

        :param wanted: all paths of the configuration.
        :param built: the probes of the roads of those that are new or changed.
        """
        gone = [name for name in self.runs if name not in wanted or name in built]
        old = [self.runs.pop(name) for name in gone]
        for name, callers in built.items():
            if callers:
                run = RoadRun(self._world, wanted[name], callers, self._take)
                self.runs[name] = run
                run.use(self.view.look)
        return old

    def verdict(self, give_up_on: str) -> bool | None:
        """Give the verdict of all roads.

        :param give_up_on: ``any``: one that failed is a failure, ``all``: only all of them are.
        """
        return joined([run.well for run in self.runs.values()], give_up_on=give_up_on)

    def follow(self, view: RoadView) -> None:
        """Look as the pair or :class:`Alone` wants it, and say what is done about the road."""
        before, self.view = self.view, view
        for run in self.runs.values():
            run.use(view.look)
        if view.stance and view.stance not in self._told:
            self._emit("", view.stance, severity=Severity.WARNING)
        if before.off and not view.off:
            self._emit("", BACK)
        # While requests to a partner are repeated, its reply is reported once.
        self._told = self._told | {view.stance} if view.stance else set()

    def _take(self, run: RoadRun) -> None:
        if run.well is not run.said and run.look == Look(Pace.FULL):
            words = WORDS[run.said], WORDS[run.well]
            bad = run.well is False
            texts = [t.last.detail for t in run.tallies.values() if t.last and t.last.detail]
            detail = "; ".join(dict.fromkeys(texts)) if bad else ""
            severity = Severity.WARNING if bad else Severity.INFO
            if run.said is not None or bad:
                self._emit(run.config.name, words[1], words[0], detail, severity)
            run.said = run.well
        self._changed()

    def _emit(
        self,
        subject: str,
        after: str,
        before: str = "",
        detail: str = "",
        severity: str = Severity.INFO,
    ) -> None:
        self._world.emit(Event(EventKind.ROAD, subject, before, after, detail, severity))


def road_status(roads: Roads, path: str, now_s: float) -> RoadStatus | None:
    """Give the road's part of a path's status; ``None`` if it has no probes of the road."""
    run, view = roads.runs.get(path), roads.view
    if run is None:
        return None
    replied_s = run.note_replies()
    return RoadStatus(
        verdict=WORDS[run.well],
        probing=run.look.pace.value,
        stance=view.stance or None,
        trial_s=None if view.trial_s is None else round(max(0.0, view.trial_s - now_s), 1),
        probes={name: _probe(run, name, replied_s.get(name)) for name in run.callers},
    )


def _probe(run: RoadRun, name: str, replied_s: float | None) -> RoadProbeStatus:
    tally = run.tallies.get(name, Tally())
    last = tally.last
    latency_s = last.latency_s if last else None
    return RoadProbeStatus(
        outcome=tally.outcome.value if tally.outcome else None,
        detail=last.detail if last else "",
        latency_ms=None if latency_s is None else round(latency_s * 1000, 3),
        replied_at=None
        if replied_s is None
        else rfc3339(datetime.fromtimestamp(round(replied_s, 3), UTC)),
    )
