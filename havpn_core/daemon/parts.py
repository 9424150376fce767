"""What a configuration makes: built, compared, swapped and closed, all or nothing, one at a time.

A new configuration is built beside the one at work and touches nothing. Only when all of it is
there does it take the place of the old one, in one step of the loop; if a piece is not available,
what was built is closed again and the old one stays.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from havpn_core.config.instances import Config, Instance, PathConfig
from havpn_core.daemon.acting import Acting
from havpn_core.daemon.actions.roster import short
from havpn_core.daemon.building.built import Built, alike, build_new, difference
from havpn_core.daemon.building.loading import Loader, refuse_fixed
from havpn_core.daemon.decider import Decider
from havpn_core.daemon.lan.watch import LanWatch
from havpn_core.daemon.paths.hurry import hurrying
from havpn_core.daemon.paths.making import record_of
from havpn_core.daemon.paths.path import PathRun
from havpn_core.daemon.paths.roads import Roads
from havpn_core.daemon.paths.saying import stance_towards
from havpn_core.daemon.paths.warning import warning
from havpn_core.daemon.state.events import Subscriber, subscriber_of
from havpn_core.daemon.state.memory import Memory
from havpn_core.daemon.tasks import is_closing
from havpn_core.daemon.world import World
from havpn_core.echo.respond import Responder
from havpn_core.errors import ConfigError, HavpnError
from havpn_core.host import realtime
from havpn_core.host.context import context
from havpn_core.pair.run import PairRun
from havpn_core.plugging.descriptors import Context, Event
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.registry import Registry
from havpn_core.plugging.stance import NO_STANCE
from havpn_core.rules.hysteresis import Level
from havpn_core.rules.role import Role

CLOSE_S = 5.0
SPREAD = 0.6180339887
"""The golden ratio spreads any number of paths evenly; the first one waits for nothing."""


class Parts:
    """The paths, actions, notifiers, responder and pair of one gateway.

    :param config: what to run; it was found good.
    :param memory: what earlier runs and the actions of today leave.
    :param acting: carries roles out through the actions.
    """

    def __init__(
        self,
        config: Config,
        registry: Registry,
        memory: Memory,
        *,
        world: World,
        acting: Acting,
        decider: Decider,
    ) -> None:
        self.config, self.registry = config, registry
        self.paths: dict[str, PathRun] = {}
        self.roads = Roads(world, decider.surroundings_changed)
        self.notifiers: dict[str, tuple[Instance, Subscriber]] = {}
        self.actions: dict[str, tuple[Instance, Caller]] = {}
        self.responder: Responder | None = None
        self.pair: PairRun | None = None
        self.stance = NO_STANCE
        self.lan = LanWatch(
            world.clock, world.emit, pair=lambda: self.pair, changed=decider.surroundings_changed
        )
        self._memory = memory
        self._world, self._acting, self._decider = world, acting, decider
        self._lock = asyncio.Lock()
        self._loader = Loader()
        self._closed = False

    async def start(self, listening: Callable[[], None]) -> None:
        """Put the first configuration to work.

        :param listening: called once the notifiers take events.
        :raises ConfigError: if a piece is not available; nothing is at work then.
        """
        async with self._lock:
            built = await self._build(self.config, with_pair=False)
            self._swap_notifiers(built)
            listening()
            self._prefer(None)
            self._swap_actions(built)
            await self._acting.look()
            self._swap_paths(built)
            self._swap_responder()
            self.lan.use(self.config)
            self._world.tasks.spawn("lan", self.lan.run())
            # Only now is known what this gateway holds, and that is what a pair begins with.
            built.pair = await self._decider.make_pair(self.config, built.keys, self._context)
            self._swap_pair(built)

    async def reload(self) -> str:
        """Take the file's configuration over as a whole, or not at all; gives what is another.

        :raises ConfigError: with every problem found; the old configuration stays.
        """
        async with self._lock:
            config, registry = await self._loader.load(self.config.file)
            refuse_fixed(self.config, config)
            built = await self._build(config)
            if self._closed:
                await built.close()
                raise ConfigError([f"{config.file}: the daemon is stopping: start it instead"])
            before, self.config, self.registry = self.config, config, registry
            self._prefer(before)
            self._swap_notifiers(built)
            self._swap_actions(built)
            self._swap_paths(built)
            self._swap_responder()
            self.lan.use(self.config)
            self._swap_pair(built)
            return difference(before, config, built)

    async def close(self) -> None:
        """Close everything but the notifiers, which are still to hear of the end; permanently."""
        self._closed = True
        if self.responder is not None:
            self.responder.close()
        self.lan.close()
        if self.pair is not None:
            self.pair.close()
        closing: list[Awaitable[Any]] = [run.close() for run in self.paths.values()]
        closing += [run.close() for run in self.roads.runs.values()]
        closing += [caller.close() for _, caller in self.actions.values()]
        await asyncio.gather(*closing)
        await self._world.tasks.finish(is_closing, CLOSE_S)

    # --- building ------------------------------------------------------------------------------

    async def _build(self, config: Config, *, with_pair: bool = True) -> Built:
        """Build what is not at work yet; what was built is closed if another piece fails."""
        at_work = {name: instance for name, (instance, _) in self.actions.items()}
        at_work |= {name: instance for name, (instance, _) in self.notifiers.items()}
        paths = {name: run.config for name, run in self.paths.items()}
        built = build_new(config, self._context, paths, at_work, self._world.loop_watch)
        try:
            if built.problems:
                raise ConfigError(built.problems)
            built.keys = await self._loader.keys(config)
            built.same_pair = self.pair is not None and alike(self.config.pair, config.pair)
            if with_pair and not built.same_pair:
                built.pair = await self._decider.make_pair(config, built.keys, self._context)
        except BaseException:
            await built.close()
            raise
        return built

    def _context(
        self, instance: str, received: Callable[[bytes], None] = lambda frame: None
    ) -> Context:
        world = self._world
        return context(
            instance,
            node=self.config.node.name,
            run_dir=self.config.node.run_dir,
            logger=world.log,
            clock=world.clock,
            resolve=world.resolver.address,
            network_changes=world.netwatch.count,
            heard=lambda host: self.responder.heard(host) if self.responder else None,
            received=received,
            hurry=hurrying(instance, lambda: self.paths),
            warn=warning(instance, world.emit, world.clock),
            stance=lambda: stance_towards(instance, self.stance, self.paths),
        )

    # --- swapping: no step of these waits, so that nobody sees half of a configuration ----------

    def _prefer(self, before: Config | None) -> None:
        """Take the priority that is configured; what fails is a warning, for probing goes on."""
        node, old = self.config.node, before.node if before else None
        if old and (old.realtime, old.lock_memory) == (node.realtime, node.lock_memory):
            return
        for text in realtime.settle(node.realtime, lock=node.lock_memory, fresh=old is None):
            self._world.emit(Event("daemon", "", "", "trouble", text, "warning"))

    def _swap_notifiers(self, built: Built) -> None:
        wanted = {instance.name: instance for instance in self.config.notifiers}
        for name in [n for n in self.notifiers if n not in wanted or n in built.instances]:
            _, subscriber = self.notifiers.pop(name)
            self._spawn_close(name, subscriber.end())
        for name, instance in wanted.items():
            if name in built.instances:
                subscriber = subscriber_of(instance, built.instances[name])
                self.notifiers[name] = (instance, subscriber)
                self._world.tasks.spawn(
                    ("deliver", subscriber), subscriber.deliver(self._world.log)
                )
        self._world.bus.subscribers = [subscriber for _, subscriber in self.notifiers.values()]

    def _swap_actions(self, built: Built) -> None:
        before = self.actions
        self.actions = {
            instance.name: (instance, built.instances[instance.name])
            if instance.name in built.instances
            else before[instance.name]
            for instance in self.config.actions
        }
        for name, (instance, caller) in before.items():
            now = self.actions.get(name)
            if now is None or now[0].type.name != instance.type.name:
                self._spawn_close(name, self._let_go(instance, caller))
            elif now[1] is not caller:
                self._spawn_close(name, self._replaced(caller))
        self._acting.install(self.actions, self._memory.actions)

    async def _let_go(self, instance: Instance, caller: Caller) -> None:
        """Close an action that is no longer configured; what it alone owns is given up."""
        await self._acting.until_free(caller)
        try:
            if getattr(instance.type, "owns", False):
                await caller.apply(Role.STANDBY, instance.deadline_s, instance.deadline_s)
        except HavpnError as problem:
            text = f"standby: {problem}"
            self._world.emit(Event("action", short(instance.name), "", "failed", text, "error"))
        await caller.close()

    async def _replaced(self, caller: Caller) -> None:
        """Close an action whose name has another instance now; that one keeps the role."""
        await self._acting.until_free(caller)
        await caller.close()

    def _swap_paths(self, built: Built) -> None:
        wanted = {path.name: path for path in self.config.paths}
        for name in [n for n in self.paths if n not in wanted]:
            self._spawn_close(name, self.paths.pop(name).close())
        for name in built.paths:
            old = self.paths.pop(name, None)
            level = old.state.level if old else self._decider.first_level(name)
            if old is not None:
                self._spawn_close(name, old.close())
            self._install_path(wanted[name], level, built.paths[name], old)
        for old_road in self.roads.swap(wanted, built.roads):
            self._spawn_close(old_road.config.name, old_road.close())
        # In the order of the file, which status and log keep.
        self.paths = {name: self.paths[name] for name in wanted}

    def _install_path(
        self, config: PathConfig, level: Level, probes: dict[str, Caller], old: PathRun | None
    ) -> None:
        world = self._world
        known = self._memory.flaps.get(config.name, 0.0)
        figure = known if old is None else old.watch.memory.penalty(world.clock())
        run = PathRun(
            config,
            probes,
            level,
            self._decider.verdict_changed,
            quality=self._decider.quality_changed,
            refusal=self._decider.refusal_changed,
            lifetime_s=self.config.lifetime_s,
            clock=world.clock,
            timing=world.timing,
            assumed=config.name not in self._memory.paths if old is None else old.watch.assumed,
            figure=figure,
            record=record_of(old, self._memory.records.get(config.name)),
            phase=len(self.paths) * SPREAD % 1,
        )
        self.paths[config.name] = run
        run.look_at_carrier()
        world.tasks.spawn(run, run.run())

    def _swap_responder(self) -> None:
        if self.responder is not None:
            if alike(self.responder.options, self.config.respond):
                return
            # A listener that is back before the next probe comes has not gone.
            self.responder.close(self.config.respond.listen if self.config.respond else ())
            self.responder = None
        if self.config.respond is not None:
            self.responder = Responder(self.config.respond, self._world.clock, self._world.log)
            self._world.tasks.spawn("respond", self.responder.run())

    def _swap_pair(self, built: Built) -> None:
        if built.same_pair:
            if self.pair is not None:
                self.pair.authenticator.use(built.keys)
            return
        if self.pair is not None:
            self.pair.close()
            self._spawn_close("pair", self._world.tasks.cancel(self.pair))
        self.pair = built.pair
        self._acting.moved = self._decider.role_moved
        self._acting.moved()
        self._acting.tell_claims(self.pair.claimed if self.pair else lambda: None)
        if self.pair is not None:
            self._world.tasks.spawn(self.pair, self.pair.run())

    def _spawn_close(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._world.tasks.spawn(("close", name), work)
