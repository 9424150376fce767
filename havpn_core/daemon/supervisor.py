"""The daemon: owns all state, is the only reader of the clock, and lets pure modules decide."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from havpn_core import __version__
from havpn_core.config.read import Config, Instance, PathConfig, load
from havpn_core.daemon import requests, status
from havpn_core.daemon.acting import Acting
from havpn_core.daemon.events import EventBus, Subscriber
from havpn_core.daemon.keeping import Keeper, recall
from havpn_core.daemon.memory import MEMORY_FILE, Memory
from havpn_core.daemon.parts import Built, build_new
from havpn_core.daemon.path import PathRun
from havpn_core.daemon.reporting import gateway_facts
from havpn_core.daemon.timing import Timing
from havpn_core.durations import Duration
from havpn_core.echo.respond import Responder
from havpn_core.errors import ConfigError, HavpnError
from havpn_core.host import boot, files, realtime, systemd
from havpn_core.host.netwatch import NetWatch
from havpn_core.host.resolve import Resolver
from havpn_core.host.trouble import FileTrouble, trouble_of
from havpn_core.pair import run as pairrun
from havpn_core.pair.frames import Authenticator, node_number
from havpn_core.pair.message import Line
from havpn_core.pair.run import PairRun, keys_of
from havpn_core.pair.token import Own
from havpn_core.plugging import blocking
from havpn_core.plugging.calls import Caller
from havpn_core.plugging.descriptors import Context, Event
from havpn_core.plugging.registry import Registry
from havpn_core.plugging.wording import describe
from havpn_core.rules import limits
from havpn_core.rules.hysteresis import Level, State, Verdict
from havpn_core.rules.role import Role, may_serve, starting_level, wanted_role

STATUS_EVERY_S = 1.0
LATE_EVERY_S = 60.0
CONTROL_RETRY_S = 5.0


class Supervisor:
    """One gateway's daemon.

    :param config: what to run; it was found good.
    """

    def __init__(self, config: Config, registry: Registry, log: logging.Logger) -> None:
        self.config, self.registry, self.log = config, registry, log
        self.clock: Callable[[], float] = time.monotonic
        self.paths: dict[str, PathRun] = {}
        self.memory = Memory()
        self._force_end_s: float | None = None
        self._incarnation = 0
        self._server: asyncio.AbstractServer | None = None
        self.role_since = time.time()
        self.acting: Acting
        self.bus: EventBus
        self._tasks: dict[object, asyncio.Task[None]] = {}
        self._responder: Responder | None = None
        self._notifiers: dict[str, tuple[Instance, Subscriber]] = {}
        self._actions: dict[str, tuple[Instance, Caller]] = {}
        self._netwatch = NetWatch(self._network_changed)
        self._resolver = Resolver(self.clock)
        self._keeper = Keeper(log, self._report_disk)
        self._unwritable: set[str] = set()
        self._timing = Timing()
        self._pair: PairRun | None = None
        self._told_void = (0, float("-inf"))
        self._stop = asyncio.Event()
        self._dirty = asyncio.Event()
        self.died = False

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT."""
        await self._start()
        await self._listen()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn("reload", self._on_hup()))
        systemd.notify("READY=1")
        await self._stop.wait()
        systemd.notify("STOPPING=1")
        self._cancel("control")
        if self._server is not None:
            self._server.close()
        await self._end()

    # --- beginning and end -------------------------------------------------------------------

    async def _start(self) -> None:
        self.bus = EventBus(self.config.node.name, self.log, self._keeper.record)
        blocking.watch(self._blocked)
        self.acting = Acting(self._emit, self._remember, self.clock)
        memory, warning = recall(self._state_file)
        self.memory = memory
        self._recall_force()
        self._sweep()
        try:
            self._netwatch.start()
        except OSError as problem:
            self.log.warning("netlink: %s; sockets are reopened only after failures", problem)
        built = self._build(self.config)
        self._install_notifiers(built)
        self._emit(Event("daemon", "", "", "started", f"version {__version__}"))
        for text in self.registry.problems():
            self._emit(Event("plugin", "", "", "trouble", text, "warning"))
        for text in [*([warning] if warning else []), *self._prefer()]:
            self._trouble(text)
        self._install_actions(built)
        self.acting.paused = memory.paused
        await self.acting.look()
        for path in self.config.paths:
            self._install_path(path, self._first_level(path.name), built.paths[path.name])
        await self._install_responder()
        self._swap_pair(self._made_pair(self.config))
        self._decide()
        self._spawn("act", self.acting.act_for_ever())
        self._spawn("look", self.acting.look_for_ever())
        self._spawn("look at changes", self.acting.look_at_changes_for_ever())
        self._spawn("status", self._write_status_for_ever())

    def _prefer(self) -> list[str]:
        """Take the priority that is asked for; what fails is a warning, for probing goes on."""
        node, problems = self.config.node, []
        try:
            if node.realtime:
                realtime.prefer(node.realtime)
        except OSError as problem:
            problems.append(f"node.realtime: {problem}; running without")
        try:
            if node.lock_memory:
                realtime.lock_memory()
        except OSError as problem:
            problems.append(f"node.lock_memory: {problem}; running without")
        return problems

    async def _end(self) -> None:
        if self.config.node.on_stop == "release":
            self.acting.pause(False)
            self.acting.want(Role.STANDBY)
            await self._until_settled()
        for task in self._tasks.values():
            task.cancel()
        if self._responder is not None:
            self._responder.close()
        if self._pair is not None:
            self._pair.close()
        for run in self.paths.values():
            await run.close()
        self._emit(Event("daemon", "", "", "stopped"))
        for _, subscriber in self._notifiers.values():
            await asyncio.wait((asyncio.ensure_future(_drain(subscriber, self.log)),), timeout=2)
        for _, caller in self._actions.values():
            await caller.close()
        await self._remember()
        self._netwatch.close()
        self._write_status("stopped")

    async def _until_settled(self) -> None:
        longest = max((i.deadline_s for i, _ in self._actions.values()), default=0.0)
        until = self.clock() + longest + 1
        while not self.acting.settled and self.clock() < until:
            await asyncio.sleep(0.05)

    def _first_level(self, name: str) -> Level:
        remembered = self.memory.paths.get(name)
        expected = {m.done for m in self.memory.actions.values()}
        done = expected.pop() if len(expected) == 1 else None
        return starting_level(
            remembered,
            done,
            self.acting.plan.observed,
            busy=any(m.running for m in self.memory.actions.values()),
        )

    def _blocked(self, name: str, text: str) -> None:
        self._emit(Event("plugin", name, "", "blocks the loop", text, "warning"))

    # --- building ----------------------------------------------------------------------------

    def _context(self, instance: str) -> Context:
        return Context(
            instance=instance,
            node=self.config.node.name,
            logger=self.log,
            clock=self.clock,
            resolve=self._resolver.address,
            network_changes=self._netwatch.count,
            run_dir=Path(self.config.node.run_dir),
            heard=lambda host: self._responder.heard(host) if self._responder else None,
        )

    def _build(self, config: Config) -> Built:
        at_work = {name: instance for name, (instance, _) in self._actions.items()}
        at_work |= {name: instance for name, (instance, _) in self._notifiers.items()}
        paths = {name: run.config for name, run in self.paths.items()}
        return build_new(config, self._context, paths, at_work)

    def _install_path(self, config: PathConfig, level: Level, probes: dict[str, Caller]) -> None:
        run = PathRun(
            config,
            probes,
            level,
            self._verdict_changed,
            quality=self._quality_changed,
            clock=self.clock,
            timing=self._timing,
            figure=self.memory.flaps.get(config.name, 0.0),
            # The golden ratio spreads any number of paths evenly; the first one waits for nothing.
            phase=len(self.paths) * 0.6180339887 % 1,
        )
        self.paths[config.name] = run
        run.look_at_carrier()
        self._spawn(run, run.run())

    def _install_actions(self, built: Built) -> None:
        before = self._actions
        self._actions = {
            instance.name: (instance, built.instances[instance.name])
            if instance.name in built.instances
            else self._actions[instance.name]
            for instance in self.config.actions
        }
        for name, (instance, caller) in before.items():
            if name not in self._actions:
                self._spawn((name, "close"), self._let_go(instance, caller))
            elif self._actions[name][1] is not caller:
                self._spawn((name, "close"), _closed(caller))
        self.acting.install(self._actions, self.memory.actions)

    async def _let_go(self, instance: Instance, caller: Caller) -> None:
        """Close an action that is no longer configured; what it alone owns is given up."""
        try:
            if getattr(instance.type, "owns", False):
                limit = instance.deadline_s
                await caller.apply(Role.STANDBY, limit, limit)
        except HavpnError as problem:
            name = instance.name.removeprefix("action.")
            self._emit(Event("action", name, "", "failed", f"standby: {problem}", "error"))
        await caller.close()

    def _install_notifiers(self, built: Built) -> None:
        wanted = {instance.name: instance for instance in self.config.notifiers}
        for name in [n for n in self._notifiers if n not in wanted or n in built.instances]:
            _, subscriber = self._notifiers.pop(name)
            self._cancel((name, "deliver"))
            self._spawn((name, "close"), _closed(subscriber.caller))
        for name, instance in wanted.items():
            if name in built.instances:
                subscriber = Subscriber(name, built.instances[name], instance.deadline_s)
                self._notifiers[name] = (instance, subscriber)
                self._spawn((name, "deliver"), subscriber.deliver(self.log))
        self.bus.subscribers = [subscriber for _, subscriber in self._notifiers.values()]

    def _made_pair(self, config: Config) -> PairRun | None:
        """Make the pair of a configuration; nothing is started by it.

        :raises ConfigError: if the keys or a link cannot be had.
        """
        if config.pair is None:
            return None
        keys, priority = keys_of(config.pair), config.pair.options.priority
        signing = Authenticator(keys, self._next_incarnation())
        made = PairRun(
            config.pair,
            signing,
            lambda: self._own(priority),
            self._decide,
            self.clock,
            owners=lambda: self.acting.owners,
            tell=lambda text: self._emit(Event("pair", "", "", "conflict", text, "error")),
        )
        made.connect(lambda link, received: replace(self._context(link.name), received=received))
        return made

    def _next_incarnation(self) -> int:
        """Number this start of the pair, and write the number down before it is used.

        A disk that does not take it is no reason to leave the hosts without a gateway: the wall
        clock is past any number that was used, unless it is set back.
        """
        folder = Path(self.config.node.state_dir)
        last, warning = pairrun.last_incarnation(folder)
        number, content = pairrun.next_incarnation(max(last, self._incarnation), time.time())
        self._incarnation = number
        if warning:
            self._trouble(warning)
        file = folder / pairrun.INCARNATION_FILE
        try:
            files.write(file, content, durable=True)
        except FileTrouble as problem:
            self._keeper.owe(file, content, 0o644)
            self._trouble(
                f"{problem}; the pair goes on with the wall clock: until the file can be written, "
                "after a restart with the clock set back the partner does not believe this gateway"
            )
        return number

    def _swap_pair(self, made: PairRun | None) -> None:
        """Let this pair, or none, take the place of the one at work."""
        if self._pair is not None:
            self._cancel("pair")
            self._pair.close()
        self._pair = made
        self.acting.moved = made.refresh if made else lambda: None
        if made is not None:
            self._spawn("pair", made.run())

    def _own(self, priority: int) -> Own:
        """Say what the partner is to know."""
        plan, node = self.acting.plan, self.config.node
        return Own(
            node=node_number(node.name),
            priority=priority,
            line=self._line(),
            held=None if plan.running is not None else plan.observed,
            maintenance=self.memory.forced is Role.STANDBY,
            forced=self.memory.forced is Role.ACTIVE,
            paused=self.acting.paused,
        )

    def _line(self) -> Line | None:
        """Say what the partner is to know of the paths."""
        views = [run.view for run in self.paths.values()]
        match self._path_role():
            case Role.ACTIVE:
                return Line.UP
            case Role.STANDBY:
                back = may_serve(views, give_up_on=self.config.node.give_up_on)
                return Line.RECOVERING if back else Line.DOWN
            case None:
                return None

    async def _install_responder(self) -> None:
        if self._responder is not None:
            self._responder.close()
            self._responder = None
        if self.config.respond is not None:
            self._responder = Responder(self.config.respond, self.clock, self.log)
            await self._responder.start()

    def _network_changed(self) -> None:
        self.acting.network_changed()
        for run in self.paths.values():
            run.look_at_carrier()

    # --- deciding ----------------------------------------------------------------------------

    def _verdict_changed(self, run: PathRun, before: State) -> None:
        bad = run.verdict in (Verdict.DOWN, Verdict.UNKNOWN)
        details = [t.last.detail for t in run.tallies.values() if t.last and t.last.detail]
        severity = "warning" if bad else "info"
        details += [f"{device} has no carrier" for device in run.without_carrier]
        hold = run.watch.flaps.held_until_s - self.clock()
        if run.verdict is Verdict.DOWN and hold > 0:
            penalty = run.watch.penalty(self.clock())
            details.append(f"flapping, penalty {penalty:.1f}: not up again before {hold:.0f} s")
        detail = "; ".join(details) if bad else ""
        change = (before.verdict.value, run.verdict.value)
        self._emit(Event("verdict", run.config.name, *change, detail, severity))
        self._tell_agents()
        if self._pair is not None:
            self._pair.refresh()
        self._decide()

    def _quality_changed(self, run: PathRun) -> None:
        words, severity = (("good", "poor"), "warning") if run.poor else (("poor", "good"), "info")
        window = run.watch.window
        detail = window.describe() if window else ""
        self._emit(Event("quality", run.config.name, *words, detail, severity))

    def _decide(self) -> None:
        forced = self._forced()
        # The pair has heard of the force, too, and knows whether the partner can take over.
        role = self._pair.wanted if self._pair else forced or self._path_role()
        before = self.acting.plan.wanted
        if role is not None and role is not before:
            self.role_since = time.time()
            old = before.value if before else ""
            self._emit(Event("role", "", old, role.value, severity="warning" if old else "info"))
            self.acting.want(role)
        self._dirty.set()

    def _path_role(self) -> Role | None:
        views = [run.view for run in self.paths.values()]
        return wanted_role(views, give_up_on=self.config.node.give_up_on)

    def _forced(self) -> Role | None:
        if self.memory.forced is None:
            return None
        if self._force_end_s is not None and boot.clocks().boot_s >= self._force_end_s:
            self._force(None, None)
            self._emit(Event("role", "", "forced", "auto", "the time is over"))
            return None
        return self.memory.forced

    def _force(self, role: Role | None, for_s: float | None) -> None:
        """Force a role, for so many seconds or without an end; ``None`` ends that."""
        self.memory.forced = role
        self._force_end_s = None if for_s is None else boot.clocks().boot_s + for_s
        self._note_force()

    def _note_force(self) -> None:
        """Put the end of the force into the memory, by all the clocks."""
        memory, end_s = self.memory, self._force_end_s
        if end_s is None:
            memory.forced_until = memory.forced_left = memory.forced_end = None
            memory.forced_boot = None
            return
        noted = limits.note(end_s, boot.clocks())
        memory.forced_until, memory.forced_left = noted.until_s, noted.left_s
        memory.forced_boot, memory.forced_end = noted.boot, noted.end_s

    def _noted_force(self) -> limits.Noted | None:
        memory = self.memory
        if memory.forced is None or memory.forced_until is None:
            return None
        return limits.Noted(
            memory.forced_until, memory.forced_left, memory.forced_boot, memory.forced_end
        )

    def _recall_force(self) -> None:
        noted = self._noted_force()
        self._force_end_s = None if noted is None else limits.resume(noted, boot.clocks())

    # --- requests ----------------------------------------------------------------------------

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request.get("do"):
            case "status":
                return self.facts("running")
            case "pause" | "resume" as verb:
                self.memory.paused = verb == "pause"
                self.acting.pause(self.memory.paused)
                self._emit(Event("daemon", "", "", f"{verb}d", severity="warning"))
                if verb == "resume":
                    self.acting.insist()
            case "switch":
                self._switch(str(request.get("to")), request.get("for_s"))
            case "reload":
                await self._reload()
            case other:
                raise HavpnError(f"unknown request {other!r}")
        await self._remember()
        self._dirty.set()
        return {"ok": True}

    def _switch(self, to: str, for_s: Any) -> None:
        if to not in ("active", "standby", "auto"):
            raise HavpnError(f"cannot switch to {to!r}: say active, standby or auto")
        limit = None if for_s is None else Duration.parse(for_s)
        role = None if to == "auto" else Role(to)
        self._force(role, limit if limit and role else None)
        self._emit(Event("role", "", "", f"forced to {to}", severity="warning"))
        self._tell_agents()
        if self._pair is not None:
            self._pair.refresh()
        self._decide()
        self.acting.insist()

    async def _on_hup(self) -> None:
        systemd.reloading()
        try:
            await self._reload()
        except ConfigError as problem:
            for text in problem.problems:
                self.log.error("%s", text)
        systemd.notify("READY=1")

    async def _reload(self) -> None:
        """Take a new configuration over as a whole, or not at all."""
        try:
            config, registry = load(self.config.file)
            built = self._build(config)
            keys = keys_of(config.pair) if config.pair else ()
            same_pair = config.pair == self.config.pair
            pair = None if same_pair else self._made_pair(config)
        except ConfigError as problem:
            text = f"{len(problem.problems)} problems; the old configuration stays"
            self._emit(Event("daemon", "", "", "reload refused", text, "error"))
            raise
        respond = self.config.respond
        self.config, self.registry = config, registry
        self._install_notifiers(built)
        self._install_actions(built)
        await self._swap_paths(built)
        if config.respond != respond:
            await self._install_responder()
        if not same_pair:
            self._swap_pair(pair)
        elif self._pair is not None:
            self._pair.authenticator.use(keys)
        self._emit(Event("daemon", "", "", "reloaded"))
        self._decide()

    async def _swap_paths(self, built: Built) -> None:
        wanted = {path.name: path for path in self.config.paths}
        levels = {name: run.state.level for name, run in self.paths.items()}
        for name in [n for n in self.paths if n not in wanted or n in built.paths]:
            run = self.paths.pop(name)
            self._cancel(run)
            await run.close()
        for name, path in wanted.items():
            if name in built.paths:
                self._install_path(path, levels.get(name, Level.UP), built.paths[name])

    # --- telling and remembering -------------------------------------------------------------

    def _emit(self, event: Event) -> None:
        self.bus.emit(replace(event, node=self.bus.node))
        self._dirty.set()

    @property
    def _state_file(self) -> Path:
        return Path(self.config.node.state_dir) / MEMORY_FILE

    async def _remember(self) -> None:
        """Write the memory in a thread: a disk that hangs must not stop the probing."""
        levels = {name: run.state.level for name, run in self.paths.items()}
        self.memory.paths = levels or self.memory.paths
        now = self.clock()
        penalties = {name: run.watch.penalty(now) for name, run in self.paths.items()}
        self.memory.flaps = {name: round(p, 3) for name, p in penalties.items() if p > 0.01}
        self.memory.actions = self.acting.memories()
        self._note_force()
        await self._keeper.remember(self._state_file, self.memory)

    async def _write_status_for_ever(self) -> None:
        fed, pause = 0.0, systemd.watchdog_interval_s()
        levels: dict[str, Level] = {}
        while True:
            if pause is not None and self.clock() - fed >= min(pause, STATUS_EVERY_S):
                systemd.notify("WATCHDOG=1")
                fed = self.clock()
            began = self.clock()
            self._write_status("paused" if self.acting.paused else "running")
            spent = self.clock() - began
            self._keeper.flush(self._state_file.parent)
            self._report_lateness()
            noted = self._noted_force()
            late = noted is not None and limits.drifted(noted, boot.clocks())
            if levels != (levels := {n: r.state.level for n, r in self.paths.items()}) or late:
                await self._remember()
            if self.memory.forced:
                self._decide()
            self._dirty.clear()
            try:
                await asyncio.wait_for(self._dirty.wait(), STATUS_EVERY_S)
                # One file for a burst of changes; many paths may take a tenth of the time.
                await asyncio.sleep(max(0.02, 10 * spent))
            except TimeoutError:
                pass

    def _report_lateness(self) -> None:
        """Say, once a minute at the most, that this host itself was late."""
        void, now = sum(run.watch.void_rounds for run in self.paths.values()), self.clock()
        told, at = self._told_void
        if void > told and now - at >= LATE_EVERY_S:
            text = f"{void - told} rounds of probes are void: this host was late itself"
            self._told_void = (void, now)
            self._emit(Event("daemon", "", "", "late", text, "warning"))
        elif void < told:
            self._told_void = (void, at)

    def _write_status(self, state: str) -> None:
        try:
            text = msgspec.json.encode(self.facts(state))
        except Exception as problem:  # probing matters more than showing what it finds
            self.log.error("the status cannot be written: %s", describe(problem))
        else:
            self._write_run(status.STATUS_FILE, lambda: text)
        self._write_brief(state)

    def _write_brief(self, state: str) -> None:
        paths = {name: (run.verdict.value, self._usable(run)) for name, run in self.paths.items()}
        self._write_run(status.BRIEF_FILE, lambda: status.brief(state, paths))

    def _write_run(self, name: str, content: Callable[[], bytes]) -> None:
        """Write a file for readers outside; trouble is reported once, and its end once."""
        file = Path(self.config.node.run_dir) / name
        try:
            files.write(file, content(), durable=False)
        except (FileTrouble, OSError) as problem:
            if name not in self._unwritable:
                self._unwritable.add(name)
                text = problem if isinstance(problem, FileTrouble) else trouble_of(file, problem)
                self._trouble(f"{text}; what is read there is old")
        else:
            if name in self._unwritable:
                self._unwritable.discard(name)
                self._report_disk(f"{file}: can be written again", False)

    def _sweep(self) -> None:
        for name in (status.STATUS_FILE, status.BRIEF_FILE):
            files.sweep(Path(self.config.node.run_dir) / name)

    def _trouble(self, text: str) -> None:
        self._emit(Event("daemon", "", "", "trouble", text, "warning"))

    def _report_disk(self, text: str, bad: bool) -> None:
        if bad:
            self._trouble(text)
        else:
            self._emit(Event("daemon", "", "trouble", "over", text))

    async def _listen(self) -> None:
        """Listen for commands; a disk that is full does not keep the gateway from working.

        :raises FileTrouble: if no waiting will help.
        """
        folder = Path(self.config.node.run_dir)
        try:
            self._server = await requests.serve(folder, self._answer)
        except FileTrouble as problem:
            if not problem.passing:
                raise
            self._trouble(f"{problem}; until then havpn pause, switch and reload do not work")
            self._spawn("control", self._listen_later(folder))

    async def _listen_later(self, folder: Path) -> None:
        while self._server is None:
            await asyncio.sleep(CONTROL_RETRY_S)
            with contextlib.suppress(FileTrouble):
                self._server = await requests.serve(folder, self._answer)
        self._report_disk(f"{folder / requests.SOCKET}: commands work", False)

    def _tell_agents(self) -> None:
        """Let a resource agent read a decision before the actions carry it out.

        Otherwise its monitor might write the old one over what an action wrote to the cluster.
        """
        self._write_brief("paused" if self.acting.paused else "running")

    def _usable(self, run: PathRun) -> bool | None:
        """Whether a cluster should rely on a path; ``None`` while it should think as before."""
        if self.memory.forced is not None:
            return self.memory.forced is Role.ACTIVE
        if not run.heard or self.acting.paused:
            return None
        return run.view.serves

    def facts(self, state: str) -> dict[str, Any]:
        """Give the object that ``havpn status --json`` shows."""
        return gateway_facts(
            node=self.config.node.name,
            state=state,
            acting=self.acting,
            role_since=self.role_since,
            forced=self.memory.forced.value if self.memory.forced else None,
            paths=self.paths,
            subscribers=[subscriber for _, subscriber in self._notifiers.values()],
            responded=self._responder.counts if self._responder else None,
            pair=self._pair.facts() if self._pair else None,
            timing=self._timing,
            now_s=self.clock(),
        )

    # --- tasks -------------------------------------------------------------------------------

    def _spawn(self, key: object, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks[key] = task
        task.add_done_callback(lambda done: self._task_ended(key, done))

    def _task_ended(self, key: object, task: "asyncio.Task[None]") -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        if task.cancelled() or task.exception() is None:
            return
        # A part of the daemon that died in silence would be a gateway that nobody watches:
        # better to end, loudly, and be restarted by the service manager.
        self.log.critical("internal error, ending: %r", task.exception(), exc_info=task.exception())
        self.died = True
        self._stop.set()

    def _cancel(self, key: object) -> None:
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()


async def _drain(subscriber: Subscriber, log: logging.Logger) -> None:
    while subscriber.queue:
        await subscriber.one(subscriber.queue.popleft(), log)
    await subscriber.caller.close()


async def _closed(caller: Caller) -> None:
    await caller.close()
