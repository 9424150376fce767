"""The daemon: starts, ends and takes signals; everything else is the work of its parts."""

import asyncio
import contextlib
import logging
import signal
import time
from dataclasses import replace
from pathlib import Path

from havpn_core.config.instances import Config
from havpn_core.daemon import requests
from havpn_core.daemon.gateway import Gateway
from havpn_core.daemon.orders import obey
from havpn_core.daemon.paths.timing import Timing
from havpn_core.daemon.publish import Publisher, report
from havpn_core.daemon.ranking import ranking_of
from havpn_core.daemon.state.events import EventBus
from havpn_core.daemon.state.keeping import Keeper, recall
from havpn_core.daemon.state.memory import MEMORY_FILE
from havpn_core.daemon.tasks import Tasks, is_closing, is_delivering
from havpn_core.daemon.world import World
from havpn_core.errors import ConfigError
from havpn_core.host import garbage, systemd
from havpn_core.host.disk.trouble import FileTrouble, why
from havpn_core.host.lock import RunLock
from havpn_core.host.netwatch import NetWatch
from havpn_core.host.resolve import Resolver
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.blocking import LoopWatch
from havpn_core.plugging.registry import Registry
from havpn_core.rules.effects.plan import Lane
from havpn_core.rules.wish import Stopping
from havpn_core.serve.child import Serving
from havpn_core.version import __version__

LISTEN_AGAIN_S = 5.0
SETTLE_S = 0.05


class Supervisor:
    """One gateway's daemon.

    :param config: what to run; it was found good.
    """

    def __init__(self, config: Config, registry: Registry, log: logging.Logger) -> None:
        self.died = False
        self._stop, self._dirty = asyncio.Event(), asyncio.Event()
        self._hangup = asyncio.Event()
        self._log = log
        self._lock = RunLock(Path(config.node.run_dir))
        self._run_dir = Path(config.node.run_dir)
        keeper = Keeper(log, lambda text, bad: report(self._world, text, bad=bad))
        self._bus = EventBus(config.node.name, log, keeper.record)
        self._world = World(
            log=log,
            clock=time.monotonic,
            emit=self._emit,
            bus=self._bus,
            tasks=Tasks(log, self._task_failed),
            keeper=keeper,
            netwatch=NetWatch(self._network_changed),
            resolver=Resolver(time.monotonic),
            timing=Timing(),
            loop_watch=LoopWatch(self._blocked),
        )
        memory, self._warning = recall(Path(config.node.state_dir) / MEMORY_FILE)
        self._gateway = Gateway(config, registry, memory, self._world, self._dirty.set)
        self._ranking = ranking_of(self._gateway, self._world)
        self._publisher = Publisher(
            self._gateway, self._world, self._dirty, lambda: self._ranking.scores
        )
        self._serving = Serving(
            self._run_dir,
            Path(config.node.state_dir),
            lambda text, bad: report(self._world, text, bad=bad),
        )
        self._server: asyncio.AbstractServer | None = None

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT.

        :raises HavpnError: if another daemon works with this ``run_dir``, or a part of the
            configuration is not available.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        # From the first moment to the last: without a handler the signal ends the process.
        loop.add_signal_handler(signal.SIGHUP, self._hangup.set)
        await self._lock.take(requests.SOCKET)
        await self._start()
        await self._listen()
        self._world.tasks.spawn("reload", self._reload_on_signals())
        systemd.notify("READY=1")
        await self._stop.wait()
        systemd.notify("STOPPING=1")
        await self._end()
        self._lock.release()

    async def _start(self) -> None:
        gateway, tasks = self._gateway, self._world.tasks
        self._world.loop_watch.start()
        try:
            self._world.netwatch.start()
        except OSError as problem:
            self._log.warning("netlink: %s; sockets are reopened only after failures", why(problem))
        await gateway.parts.start(self._started)
        self._serving.use(gateway.parts.config.metrics)
        tasks.spawn("serve", self._serving.run())
        garbage.put_aside()  # before the first probes, which would be late for it
        tasks.spawn("garbage", garbage.settle())
        gateway.withdrawing.recall()
        gateway.decide()
        for lane in Lane:
            tasks.spawn(("act", lane), gateway.acting.act_for_ever(lane))
            tasks.spawn(("look", lane), gateway.acting.look_for_ever(lane))
        tasks.spawn("withdraw", gateway.withdrawing.run())
        tasks.spawn("rank", self._ranking.run(self._reranked))
        tasks.spawn("remember", gateway.acting.remember_for_ever())
        tasks.spawn("look at changes", gateway.acting.look_at_changes_for_ever())
        tasks.spawn("publish", self._publisher.run())

    async def _reranked(self) -> None:
        """Let a resource agent see, and the next run know, what actions are about to pass on."""
        self._publisher.write_brief()
        await self._gateway.remember()

    def _started(self) -> None:
        self._emit(Event("daemon", "", "", "started", f"version {__version__}"))
        self._name_broken_plugins()
        if self._warning:
            report(self._world, self._warning, bad=True)

    def _name_broken_plugins(self) -> None:
        for text in self._gateway.parts.registry.problems():
            self._emit(Event("plugin", "", "", "trouble", text, "warning"))

    async def _end(self) -> None:
        """End in the order in which each part is needed by those before it."""
        gateway, tasks, world = self._gateway, self._world.tasks, self._world
        node = gateway.parts.config.node
        gateway.stop(Stopping(node.on_stop))
        if node.on_stop == "release":
            await self._until_settled()
        await tasks.cancel("control")
        if self._server is not None:
            self._server.close()
        await tasks.end(lambda key: not (is_closing(key) or is_delivering(key)))
        await gateway.parts.close()
        self._emit(Event("daemon", "", "", "stopped"))
        await asyncio.gather(*(each.end() for each in self._bus.subscribers))
        await tasks.end()
        await gateway.remember()
        await world.keeper.finish(gateway.state_dir)
        world.netwatch.close()
        world.loop_watch.close()
        self._publisher.write("stopped")

    async def _until_settled(self) -> None:
        """Wait until the role is released, for as long as the slowest action may take."""
        actions = self._gateway.parts.actions.values()
        longest = max((instance.deadline_s for instance, _ in actions), default=0.0)
        until = self._world.clock() + longest + 1
        while not self._gateway.acting.settled and self._world.clock() < until:
            await asyncio.sleep(SETTLE_S)

    # --- reload and requests ---------------------------------------------------------------------

    async def _reload_on_signals(self) -> None:
        """Reload after each SIGHUP; several that come during one reload make one more."""
        while await self._hangup.wait() and not self._stop.is_set():
            self._hangup.clear()
            systemd.reloading()
            try:
                await self._reload()
            except ConfigError as problem:
                for text in problem.problems:
                    self._log.error("%s", text)
            systemd.notify("READY=1")

    async def _reload(self) -> str:
        """Take a new configuration over as a whole, or not at all; gives what is another."""
        try:
            found = await self._gateway.parts.reload()
        except ConfigError as problem:
            text = f"{len(problem.problems)} problems; the old configuration stays"
            self._emit(Event("daemon", "", "", "reload refused", text, "error"))
            raise
        self._emit(Event("daemon", "", "", "reloaded", found or "nothing has changed"))
        self._name_broken_plugins()
        self._serving.use(self._gateway.parts.config.metrics)
        self._gateway.decide()
        await self._world.tasks.cancel("garbage")
        garbage.take_back()
        self._world.tasks.spawn("garbage", garbage.settle())
        return found

    async def _listen(self) -> None:
        """Listen for requests; a disk that is full does not keep the gateway from working.

        :raises FileTrouble: if no waiting will help.
        """
        try:
            self._server = await self._serve()
        except FileTrouble as problem:
            if not problem.passing:
                raise
            text = f"{problem}; until then havpn pause, switch and reload do not work"
            report(self._world, text, bad=True)
            self._world.tasks.spawn("control", self._listen_later())

    async def _listen_later(self) -> None:
        while self._server is None:
            await asyncio.sleep(LISTEN_AGAIN_S)
            with contextlib.suppress(FileTrouble):
                self._server = await self._serve()
        report(self._world, f"{self._run_dir / requests.SOCKET}: commands work", bad=False)

    async def _serve(self) -> asyncio.AbstractServer:
        return await requests.serve(
            self._run_dir,
            lambda request: obey(self._gateway, self._publisher, self._reload, request),
        )

    def _emit(self, event: Event) -> None:
        self._bus.emit(replace(event, node=self._bus.node))
        self._dirty.set()

    def _blocked(self, name: str, text: str) -> None:
        self._emit(Event("plugin", name, "", "blocks the loop", text, "warning"))

    def _network_changed(self) -> None:
        self._gateway.network_changed()

    def _task_failed(self) -> None:
        """End, so that the service manager starts a daemon that is whole again."""
        self.died = True
        self._stop.set()
