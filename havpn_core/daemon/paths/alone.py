"""The road of a gateway without a pair: what is known of it, and how its probes run."""

from collections.abc import Callable, Mapping

from havpn_core.daemon.paths.path import PathRun
from havpn_core.daemon.paths.roads import Roads
from havpn_core.rules.cluster.road import NOTHING, Here, follow, look, trial_s
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.road.state import USUAL, RoadView
from havpn_core.rules.road.verdict import joined
from havpn_core.rules.role import Role, wanted_role

NOWHERE = Here()
"""Without probes of the road nothing else matters."""


class Alone:
    """Follows the road for :class:`~havpn_core.daemon.actions.withdrawing.Withdrawing`.

    :param clock: monotonic seconds.
    :param roads: gives the roads.
    :param paths: gives the paths at work.
    :param give_up_on: gives how several paths are joined.
    :param held: gives the role that is in force.
    :param withdrawn: whether this gateway gives the role up for another, or has done so.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        roads: Callable[[], Roads],
        paths: Callable[[], Mapping[str, PathRun]],
        give_up_on: Callable[[], str],
        held: Callable[[], Role | None],
        withdrawn: Callable[[], bool],
    ) -> None:
        self._clock, self._roads, self._paths = clock, roads, paths
        self._give_up_on, self._held, self._withdrawn = give_up_on, held, withdrawn
        self._state = NOTHING

    def trouble(self) -> str:
        """Say why this gateway should go for its road, or stay away; empty while it need not."""
        self.update()
        return self._state.trouble

    def update(self) -> None:
        """Take in how everything is now, and look accordingly."""
        now_s, here, roads = self._clock(), self._here(), self._roads()
        state = self._state = follow(USUAL, self._state, here, now_s)
        off = state.off_s is not None
        roads.follow(RoadView(look(state, here), state.stance, off, trial_s(USUAL, state)))

    def _here(self) -> Here:
        roads, runs, held = self._roads(), self._paths().values(), self._held()
        if not roads.runs:
            return NOWHERE
        give_up_on = self._give_up_on()
        dead = wanted_role([run.view for run in runs], give_up_on=give_up_on) is Role.STANDBY
        up = joined([run.verdict is Verdict.UP for run in runs], give_up_on=give_up_on)
        return Here(
            probes=True,
            active=None if held is None else held is Role.ACTIVE,
            withdrawn=self._withdrawn(),
            road=roads.verdict(give_up_on),
            look=roads.view.look,
            up=bool(up),
            dead=dead,
        )
