"""One gateway: takes in what its parts find out, has one wish made of it, and hands that on."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from havpn_core.config.instances import Config
from havpn_core.daemon.acting import Acting
from havpn_core.daemon.actions.withdrawing import Withdrawing
from havpn_core.daemon.duty import Duty
from havpn_core.daemon.lines.ordering import pair_facts
from havpn_core.daemon.partner import Partner
from havpn_core.daemon.parts import Parts
from havpn_core.daemon.paths.alone import Alone
from havpn_core.daemon.paths.holds import Holds
from havpn_core.daemon.paths.making import Mood, level_at_start, remember_paths
from havpn_core.daemon.paths.path import PathRun
from havpn_core.daemon.paths.saying import cause, quality_events, refusal_event, verdict_event
from havpn_core.daemon.paths.together import Together
from havpn_core.daemon.reporting import completed, gateway_status, role_status
from havpn_core.daemon.state.force import Force
from havpn_core.daemon.state.memory import MEMORY_FILE, Memory
from havpn_core.daemon.state.redundancy import RedundancyWatch
from havpn_core.daemon.state.status import Status
from havpn_core.daemon.world import World
from havpn_core.host import boot
from havpn_core.pair.run import PairRun
from havpn_core.plugging.descriptors import Context, Event
from havpn_core.plugging.registry import Registry
from havpn_core.rules.cluster.withdraw import trouble_of
from havpn_core.rules.fitness import Fitness
from havpn_core.rules.hysteresis import Level, Transition, Verdict
from havpn_core.rules.refusal import News
from havpn_core.rules.role import Role, serves
from havpn_core.rules.wish import PairWish, Situation, Stopping, Wish, decide


class Gateway:
    """The middle of the daemon: parts below it find out and carry out, :mod:`wish` decides.

    :param memory: what earlier runs left.
    :param changed: called after whatever should be shown soon.
    """

    def __init__(
        self,
        config: Config,
        registry: Registry,
        memory: Memory,
        world: World,
        changed: Callable[[], None],
    ) -> None:
        self.memory = memory
        self.force = Force(memory)
        self.wish = Wish()
        self.role_since = time.time()
        self.stopping: Stopping | None = None
        self.show_agents: Callable[[], None] = lambda: None
        self._world, self._changed = world, changed
        self.acting = Acting(world.emit, self.remember, world.clock)
        self.parts = Parts(config, registry, memory, world=world, acting=self.acting, decider=self)
        self._partner = Partner(
            world,
            self.acting,
            self.force,
            lambda: list(self.parts.paths.values()),
            self.decide,
            lan=lambda: self.parts.lan,
            roads=lambda: self.parts.roads,
        )
        self._partner.paused = memory.paused
        self._together = Together(world, lambda: len(self.parts.paths), self._paths_changed)
        self.withdrawing = self._make_withdrawing()
        self.parts.lan.unseen = lambda: self.withdrawing.unseen
        self.holds = Holds(lambda: self.parts.paths, world.emit, world.clock)
        self._redundancy = RedundancyWatch(world.emit, world.clock)
        self.duty = Duty(
            world,
            self.parts,
            self.acting,
            self.force,
            leaving=lambda: self._partner.leaving,
            withdrawing=self.withdrawing,
        )

    def _make_withdrawing(self) -> Withdrawing:
        self._alone = Alone(
            self._world.clock,
            roads=lambda: self.parts.roads,
            paths=lambda: self.parts.paths,
            give_up_on=lambda: self.parts.config.node.give_up_on,
            held=lambda: self.acting.plan.held,
            withdrawn=lambda: bool(self.withdrawing.reason),
        )
        return Withdrawing(
            self._world.emit,
            self._world.clock,
            self.memory,
            seeing=lambda: self.acting.seeing,
            observed=lambda: self.acting.plan.observed,
            trouble=lambda: trouble_of(self.fitness, self._alone.trouble()),
            also=lambda: self.duty.depends,
            counts=lambda: self.parts.config.pair is None,
            changed=self._withdrawn,
        )

    @property
    def fitness(self) -> Fitness:
        """Whether this gateway can serve, its lines aside."""
        return self.parts.lan.fitness

    @property
    def state_dir(self) -> Path:
        """Where everything is kept that outlives a run."""
        return Path(self.parts.config.node.state_dir)

    # --- what the parts find out ---------------------------------------------------------------

    def verdict_changed(self, run: PathRun, change: Transition) -> None:
        """Report a path's verdict, and let it count."""
        self._world.emit(verdict_event(run, change, self._world.clock()))
        run.cause = cause(run) if change.after.verdict in (Verdict.DOWN, Verdict.UNKNOWN) else ""
        self._together.changed()

    def look(self) -> None:
        """Look, once a second at least, at what depends on the time and on people's interest."""
        self.duty.update()  # how long the sites are on different lines
        self.holds.update()
        self._partner.look(self.parts.pair)
        if (both := self._partner.both(self.parts.config, self.parts.pair)) is not None:
            self._redundancy.update(both)

    def _paths_changed(self) -> None:
        # First, or an agent's monitor might write the old value over what an action wrote.
        self.show_agents()
        self._refresh()

    def quality_changed(self, run: PathRun, before: Mood) -> None:
        """Report that a line became poor, grey or good again, and let the pair see it."""
        for event in quality_events(run, before):
            self._world.emit(event)
        self._refresh()

    def refusal_changed(self, run: PathRun, news: Sequence[News]) -> None:
        """Report what is to be said of a far host that refuses, and let the pair see it."""
        for each in news:
            self._world.emit(refusal_event(run, each))
        self._together.changed()

    def surroundings_changed(self) -> None:
        """Let the pair, or the look at a cluster's other gateways, see what happened to them."""
        self.withdrawing.look_soon()
        self._refresh()

    def role_moved(self) -> None:
        """Take in that another role is seen to be in force."""
        if self.parts.pair is not None:
            self.parts.pair.refresh()
        else:
            self._alone.update()
        self.duty.update()

    def _withdrawn(self) -> None:
        """Let it count that this gateway withdrew or came back, or what it sees of others."""
        self.show_agents()
        self._refresh()

    def network_changed(self) -> None:
        """Look at once at what depends on addresses and carriers."""
        self.parts.lan.look()
        self.acting.network_changed()
        if self.parts.pair is not None:
            self.parts.pair.network_changed()
        for run in self.parts.paths.values():
            run.look_at_carrier()

    def first_level(self, path: str) -> Level:
        """Choose the level at which a path starts, so that a restart changes nothing."""
        return level_at_start(path, self.memory, self.acting.plan)

    # --- the wish ------------------------------------------------------------------------------

    def decide(self) -> None:
        """Make the wish again, and hand it on where it changed."""
        if (over := self.force.expired()) is not None:
            self._world.emit(over)
        before, self.wish = self.wish, decide(self._situation())
        role, old = self.wish.role, before.role
        if role is not None and role is not old:
            self.role_since = time.time()
            words = (old.value if old else "", role.value, self.wish.reason)
            severity = "warning" if old else "info"
            self._world.emit(Event("role", "", *words, severity=severity))
        if (role, self.wish.held) != (old, before.held):
            self.acting.want(self.wish)
        self.duty.update()
        self._changed()

    def _situation(self) -> Situation:
        pair = self.parts.pair
        return Situation(
            before=self.wish.role,
            paths={name: run.view for name, run in self.parts.paths.items()},
            give_up_on=self.parts.config.node.give_up_on,
            unfit=self.withdrawing.reason,
            pair=PairWish(pair.wanted, pair.reason) if pair else self._pair_to_come(),
            forced=self.force.role,
            paused=self.memory.paused,
            stopping=self.stopping,
            causes={name: run.cause for name, run in self.parts.paths.items() if run.cause},
            unable=self.fitness.why,
        )

    def _pair_to_come(self) -> PairWish | None:
        """Wish for nothing while the pair of this configuration is being made."""
        return PairWish(None, "the pair is about to start") if self.parts.config.pair else None

    def _refresh(self) -> None:
        """Let the pair, which is part of the wish, see first what changed."""
        if self.parts.pair is not None:
            self.parts.pair.refresh()
        self.decide()

    def stop(self, how: Stopping) -> None:
        """Let the end of the daemon count: nothing but that decides from now on."""
        self.stopping = how
        self._partner.leaving = how is Stopping.RELEASE
        self._partner.stopping = how is Stopping.KEEP
        self._refresh()

    # --- what an operator wants ------------------------------------------------------------------

    def pause(self, paused: bool) -> None:
        """Carry nothing out from now on, or again."""
        if paused is not self.memory.paused:
            word = "paused" if paused else "resumed"
            self._world.emit(Event("daemon", "", "", word, severity="warning"))
        self.memory.paused = self._partner.paused = paused
        self._refresh()
        if not paused:
            self.acting.insist()

    def switch(self, to: Role | None, for_s: float | None) -> None:
        """Force a role, for some seconds or permanently; ``None`` leaves it to the paths again."""
        if (news := self.force.order(to, for_s)) is not None:
            self._world.emit(news)
        self.show_agents()
        self._refresh()
        self.acting.insist()

    async def make_pair(
        self, config: Config, keys: tuple[bytes, ...], context: Callable[..., Context]
    ) -> PairRun | None:
        """Make the pair of a configuration, where there is one, without starting it.

        :raises ConfigError: if a link is not available.
        """
        return await self._partner.make(config, keys, context)

    # --- showing and remembering ---------------------------------------------------------------

    def usable(self, run: PathRun) -> bool | None:
        """Whether a cluster should rely on a path; ``None`` while it should think as before."""
        if self.withdrawing.reason and not self.memory.paused:
            return False
        if self.force.role is not None:
            return self.force.role is Role.ACTIVE
        if not run.heard or self.memory.paused:
            return None
        state, release = run.state, run.config.options.on_unknown == "release"
        return serves(state.level, known=state.known, release_unknown=release)

    def status(self, state: str, *, paths: bool = True) -> Status:
        """Give what ``havpn status --json`` shows, with its paths or without them."""
        parts = self.parts
        found = gateway_status(
            node=parts.config.node.name,
            state=state,
            acting=self.acting,
            role=role_status(self.acting.plan, self.role_since, self.force, self.wish.reason),
            paths=parts.paths,
            shown=paths,
            roads=parts.roads,
            subscribers=[subscriber for _, subscriber in parts.notifiers.values()],
            responded=parts.responder.facts() if parts.responder else None,
            pair=pair_facts(parts.pair, self.force.line),
            fitness=parts.lan.status(),
            redundancy=self._redundancy.status(),
            timing=self._world.timing,
            now_s=self._world.clock(),
            clocks=boot.clocks(),
        )
        return completed(found, self.withdrawing.seen)

    async def remember(self) -> None:
        """Write the memory down; a disk that hangs is waited for a second at the most."""
        remember_paths(self.memory, self.parts.paths, self._world.clock())
        self.memory.actions = self.acting.memories()
        self.force.note()
        await self._world.keeper.remember(self.state_dir / MEMORY_FILE, self.memory)
