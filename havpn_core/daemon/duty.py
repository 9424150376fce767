"""What this gateway owes the far site: to fall silent while it is not to be used, and a look.

The responder takes in how this gateway stands; and where the far gateway says that it stands by
while this one serves, the two sites use different lines, which is reported once it lasts.
"""

from collections.abc import Callable

from havpn_core.daemon.acting import Acting
from havpn_core.daemon.actions.withdrawing import Withdrawing
from havpn_core.daemon.parts import Parts
from havpn_core.daemon.paths.together import FEW
from havpn_core.daemon.state.force import Force
from havpn_core.daemon.world import World
from havpn_core.echo.far import FarRole
from havpn_core.echo.silence import LONG_APART_S, Apart, known_role, why_silent
from havpn_core.plugging.descriptors import Event, EventKind, Severity
from havpn_core.plugging.stance import Stance
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.role import Role

APART, TOGETHER = "sites on different lines", "sites on the same line"
LOOK_S = 0.5
"""From one look at the far gateways of many paths to the next."""
UNCOVERED = (
    "in maintenance, and no other gateway is seen serving: the cluster manager may keep the "
    "addresses here, so the responder goes on replying; see why the other one does not serve"
)


class Duty:
    """Follows the role, fitness and an operator's wish.

    :param leaving: whether this gateway hands its role over because it ends.
    :param withdrawing: what is seen of the other gateways of a cluster.
    """

    def __init__(
        self,
        world: World,
        parts: Parts,
        acting: Acting,
        force: Force,
        *,
        leaving: Callable[[], bool],
        withdrawing: Withdrawing,
    ) -> None:
        self._world, self._parts, self._acting, self._force = world, parts, acting, force
        self._leaving, self._withdrawing = leaving, withdrawing
        self._silent = ""
        self._depended = self._uncovered = False
        self._apart: dict[str, Apart] = {}
        self._far: dict[str, FarRole] = {}
        self._looked_s = float("-inf")

    @property
    def _advised(self) -> bool:
        return self._parts.pair is None and self._acting.advised

    @property
    def _maintenance(self) -> bool:
        pair = self._parts.pair
        ordered = pair is not None and pair.session.maintenance
        return self._force.role is Role.STANDBY or self._leaving() or ordered

    @property
    def depends(self) -> bool:
        """Whether others must be looked at though nothing is wrong, as this gateway is let go."""
        return self._advised and self._maintenance

    def update(self) -> None:
        """Take in how this gateway stands now."""
        depended, self._depended = self._depended, self.depends
        if self._depended and not depended:
            self._withdrawing.look_soon()
        parts, held, seen = self._parts, self._acting.plan.held, self._withdrawing.seen
        role = known_role(held, advised=self._advised, seen=seen)
        pair, responder = parts.pair, parts.responder
        if pair is not None:
            self._force.aside = pair.session.aside
        off_road = pair is not None and pair.session.off_road
        stuck = pair is not None and pair.session.stuck
        why = why_silent(
            role,
            parts.lan.fitness,
            maintenance=self._maintenance,
            left_road=off_road or bool(self._withdrawing.reason),
        )
        if responder is not None:
            responder.stand(why, standby=role is Role.STANDBY, no_road=stuck)
        parts.stance = Stance(
            role,
            parts.lan.fitness.fit,
            maintenance=self._maintenance,
            paused=self._force.paused,
            away=bool(why),
            no_road=stuck,
            left=pair is not None and pair.session.left,
            name=parts.config.node.name,
        )
        self._report(responder.silent if responder is not None else "")
        self._warn(self._depended and held is Role.STANDBY and seen is False)
        self._look_at_far_gateways(role)

    def _report(self, silent: str) -> None:
        before, self._silent = self._silent, silent
        if bool(silent) is bool(before):
            return
        words = ("replying", "silent") if silent else ("silent", "replying")
        severity = Severity.WARNING if silent else Severity.INFO
        self._world.emit(Event(EventKind.RESPOND, "", *words, silent, severity))

    def _warn(self, uncovered: bool) -> None:
        """Report once that the cluster manager has no other gateway to go to."""
        before, self._uncovered = self._uncovered, uncovered
        if uncovered and not before:
            self._world.emit(Event(EventKind.ROLE, "", "", "kept", UNCOVERED, Severity.WARNING))

    def _look_at_far_gateways(self, role: Role | None) -> None:
        paths, now_s = self._parts.paths, self._world.clock()
        if len(paths) > FEW and now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        if self._apart.keys() != paths.keys():
            self._apart = {name: self._apart.get(name, Apart()) for name in paths}
            self._far = {name: self._far.get(name, FarRole()) for name in paths}
        roles = set()
        for name, run in paths.items():
            stands_by = run.far_stands_by
            up = run.verdict is Verdict.UP
            roles.add(self._far[name].look(stands_by=stands_by, up=up))
            found = self._apart[name].look(role is Role.ACTIVE and stands_by, now_s)
            if found:
                text = (
                    f"this gateway serves, and the far gateway of path {name} has stood by for "
                    f"{LONG_APART_S:.0f} s: see there why it does not serve (havpn status)"
                )
                self._world.emit(Event(EventKind.PATH, name, "", APART, text, Severity.WARNING))
            elif found is False:
                self._world.emit(Event(EventKind.PATH, name, APART, TOGETHER))
        if self._parts.pair is not None:
            # Far gateways of which one is active and another is not say nothing of their site.
            self._parts.pair.far = roles.pop() if len(roles) == 1 else None
