"""Make the pair of a gateway, and give what its partner is to know."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from havpn_core.config.instances import Config, Instance
from havpn_core.daemon.acting import Acting
from havpn_core.daemon.lan.watch import LanWatch
from havpn_core.daemon.paths.path import PathRun
from havpn_core.daemon.paths.roads import Roads
from havpn_core.daemon.state.force import Force
from havpn_core.daemon.world import World
from havpn_core.errors import HavpnError
from havpn_core.pair.health.redundancy import Both, Side
from havpn_core.pair.health.troubles import BROADCAST, LEAST_S, News, Troubles
from havpn_core.pair.keys import (
    INCARNATION_FILE,
    authenticator,
    last_incarnation,
    next_incarnation,
)
from havpn_core.pair.lines.record import of_paths
from havpn_core.pair.message import Content, Line
from havpn_core.pair.run import PairRun
from havpn_core.pair.state import Own
from havpn_core.pair.wire.names import node_number
from havpn_core.plugging.descriptors import Context, Event
from havpn_core.plugging.gate.arriving import far_stance
from havpn_core.plugging.gate.building import build
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.inlet import Inlet
from havpn_core.plugging.stance import Stance
from havpn_core.rules.role import PathView, Role, far_refused, may_serve, wanted_role
from havpn_core.rules.target.loss import Loss

FAR_S = 0.5
"""From one look at how the far gateway stands to the next: people read it, nothing else."""


class Partner:
    """This gateway as its partner sees it.

    :param paths: gives the paths at work.
    :param changed: called when the pair wants another role.
    :param lan: gives what is known of the LAN.
    :param roads: gives what is known of the roads.
    """

    def __init__(
        self,
        world: World,
        acting: Acting,
        force: Force,
        paths: Callable[[], list[PathRun]],
        changed: Callable[[], None],
        *,
        lan: Callable[[], LanWatch],
        roads: Callable[[], Roads],
    ) -> None:
        self.leaving = False  #: the daemon releases the role as it ends
        self.stopping = False  #: the daemon ends and keeps the role
        self.paused = False
        self._world, self._acting, self._force = world, acting, force
        self._paths, self._changed = paths, changed
        self._lan, self._roads = lan, roads
        self._incarnation = 0
        self._far_stance: Stance | None = None
        self._far_due_s = float("-inf")
        self._troubles = Troubles(world.clock())

    async def make(
        self, config: Config, keys: tuple[bytes, ...], context: Callable[..., Context]
    ) -> PairRun | None:
        """Make the pair of a configuration; nothing is started by it.

        :raises ConfigError: if a link is not available.
        """
        if config.pair is None:
            return None
        number = await self._next_incarnation(Path(config.node.state_dir))
        made = PairRun(
            config.pair.options,
            authenticator(keys, number, config.node.name),
            lambda: self._own(config),
            self._changed,
            self._world.clock,
            links={link.id: partial(self._link, context, link) for link in config.pair.links},
            owners=lambda: self._acting.owners,
            report=lambda text: self._world.emit(Event("pair", "", "", "conflict", text, "error")),
            spawn=lambda work: self._world.tasks.spawn("scout", work),
            troubles=self._troubles,
            troubled=self._pair_news,
        )
        made.connect()
        made.session.tell_road(self._roads().follow)
        return made

    async def _next_incarnation(self, state_dir: Path) -> int:
        """Number this start of the pair, and write the number down before it is used.

        A disk that does not take it is no reason to leave the hosts without a gateway: the wall
        clock is past any number that was used, unless it is set back.
        """
        last, warning = last_incarnation(state_dir)
        number, content = next_incarnation(max(last, self._incarnation), time.time())
        self._incarnation = number
        if warning:
            self._trouble(warning)
        try:
            await self._world.keeper.save(state_dir / INCARNATION_FILE, content, 0o644)
        except HavpnError as problem:
            self._trouble(
                f"{problem}; the pair goes on with the wall clock: until the file can be written, "
                "after a restart with the clock set back the partner does not believe this gateway"
            )
        return number

    def _own(self, config: Config) -> Own:
        assert config.pair is not None
        forced = self._force.role
        return Own(
            node=node_number(config.node.name),
            priority=config.pair.options.priority,
            line=self._line(config.node.give_up_on),
            held=self._acting.plan.held,
            maintenance=forced is Role.STANDBY or self.leaving,
            forced=forced is Role.ACTIVE and not self.leaving,
            paused=self.paused and not self.leaving,
            stopping=self.stopping,
            road=self._roads().verdict(config.node.give_up_on),
            road_look=self._roads().view.look,
            road_probes=bool(self._roads().runs),
            doubted=any(run.far_without_road for run in self._paths()),
            refused=far_refused(self._views, give_up_on=config.node.give_up_on),
            fit=self._lan().fitness.fit,
            hears_lan=self._lan().hears,
            loss=self._loss(config.node.give_up_on),
            far_left=any(run.far_left for run in self._paths()),
            aside=self._force.aside,
            this_line=forced is Role.ACTIVE and self._force.line is not None and not self.leaving,
            grey=self._grey(config.node.give_up_on),
            far_stance=self._far(),
        )

    def look(self, pair: PairRun | None) -> None:
        """Let each path know whether the partner's line is grey: it compares what both lose."""
        there = None if pair is None else pair.session.living(self._world.clock())
        for run in self._paths():
            run.watch.calm.beside_grey = there is not None and there.grey

    def both(self, config: Config, pair: PairRun | None) -> Both | None:
        """Give how both gateways are, as far as it matters to whether one could take over.

        :returns: ``None`` while the pair is being made, and where there is no action, so no role.
        """
        own, now_s = self._side(config), self._world.clock()
        if pair is None:
            return Both(own, paired=False) if config.actions and config.pair is None else None
        session, there = pair.session, pair.session.living(now_s)
        standing = session.standing(now_s)
        silent_s = max(standing.dead_s, LEAST_S)
        links = {
            name: age_s is not None and age_s < silent_s
            for name, age_s in standing.links.items()
            if name != BROADCAST
        }
        return Both(
            replace(own, rests=session.decision.content.unfit),
            there=None if there is None else _side_of(there),
            stopped=standing.stopping,
            hears=standing.hears,
            links=links,
        )

    def _side(self, config: Config) -> Side:
        give_up_on, forced, fitness = config.node.give_up_on, self._force.role, self._lan().fitness
        bad = {run.config.name: run.cause for run in self._paths() if not run.view.serves}
        return Side(
            line=_word(self._line(give_up_on)),
            why_line="; ".join(f"{name}: {why}" for name, why in bad.items() if why),
            fit=fitness.fit,
            why_unfit=fitness.reason,
            maintenance=forced is Role.STANDBY or self.leaving,
            forced=forced is Role.ACTIVE and not self.leaving,
            paused=self.paused,
            refused=far_refused(self._views, give_up_on=give_up_on),
            road=self._roads().verdict(give_up_on),
        )

    def _far(self) -> Stance | None:
        """Look now and then how the far gateway of a path stands: of the first that says it."""
        now_s = self._world.clock()
        if now_s >= self._far_due_s:
            self._far_due_s = now_s + FAR_S
            callers = (each for run in self._paths() for each in run.probes.values())
            stances = map(far_stance, callers)
            self._far_stance = next((one for one in stances if one is not None), None)
        return self._far_stance

    @property
    def _views(self) -> list[PathView]:
        return [run.view for run in self._paths()]

    def _line(self, give_up_on: str) -> Line | None:
        # Which of two gateways that have just started trusts its line first says nothing.
        views = [replace(v, heard=v.heard and not v.assumed) for v in self._views]
        match wanted_role(views, give_up_on=give_up_on):
            case Role.ACTIVE:
                return Line.UP
            case Role.STANDBY:
                return Line.RECOVERING if may_serve(views, give_up_on=give_up_on) else Line.DOWN
            case None:
                return None

    def _loss(self, give_up_on: str) -> Loss | None:
        now_s = self._world.clock()
        losses = [(run.loss(now_s), run.view.serves) for run in self._paths()]
        return of_paths(losses, give_up_on)

    def _grey(self, give_up_on: str) -> bool:
        """Whether the worst of the paths is grey, or the best that serves where any will do."""
        if give_up_on == "any":
            return any(run.watch.calm.is_grey for run in self._paths())
        serving = [run.watch.calm.is_grey for run in self._paths() if run.view.serves]
        return bool(serving) and all(serving)

    def _trouble(self, text: str) -> None:
        self._world.emit(Event("daemon", "", "", "trouble", text, "warning"))

    def _pair_news(self, news: News) -> None:
        severity = "warning" if news.bad else "info"
        self._world.emit(Event("pair", "", "", news.word, news.text, severity))

    def _link(
        self, context: Callable[..., Context], link: Instance, received: Inlet[bytes]
    ) -> Caller:
        watch = self._world.loop_watch
        return build(link.type, link.options, context(link.name, received), link.name, watch)


def _word(line: Line | None) -> str | None:
    return None if line is None else line.value


def _side_of(partner: Content) -> Side:
    """Give the living partner by its own words."""
    return Side(
        line=_word(partner.line),
        fit=partner.fit,
        maintenance=partner.maintenance,
        forced=partner.forced,
        paused=partner.paused,
        rests=partner.unfit,
        refused=partner.refused,
        road=False if partner.off_road else partner.road,
    )
