"""Call a plugin so that nothing it does can hurt anybody else: the one gate between the two.

An ``async def`` runs on the loop, a plain ``def`` in a daemon thread of the instance's own. In
both cases the caller waits no longer than the deadline, whatever happens to the call. What comes
back is a value of the promised type or a :class:`~havpn_core.errors.HavpnError`, never anything
else (see :mod:`~havpn_core.plugging.gate.coercion`). The daemon's own cancellation alone passes
through.
"""

import asyncio
import inspect
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from havpn_core.errors import CallBusy, CallFailed, CallOverdue, HavpnError
from havpn_core.plugging.descriptors import Event, Retry, Sample
from havpn_core.plugging.gate import coercion
from havpn_core.plugging.gate.blocking import LONGEST_STEP_S, STRIKES, LoopWatch, Steps
from havpn_core.plugging.gate.contained import in_thread, on_loop, unheard
from havpn_core.plugging.gate.inlet import Inlet
from havpn_core.plugging.gate.mode import is_async
from havpn_core.plugging.gate.tracing import Subject, followed, through
from havpn_core.plugging.gate.worker import Worker
from havpn_core.plugging.protocols import Explaining, Noticing, Refusing, Renewable, able
from havpn_core.plugging.wording import describe
from havpn_core.rules.role import Role

TURN_S = 1.0
"""What a call that must not get lost waits for an earlier one in the same thread."""
MOST_OPEN = 1000
"""Calls of one instance that may be under way on the loop; a new one is refused beyond."""

NOTICES = ("away", "standby", "no road")
"""What the target of a probe may say of its gateway."""

T = TypeVar("T")


class Caller:
    """Calls one plugin instance.

    :param instance: what the type's ``build`` made.
    :param name: the instance's name, for the thread.
    :param watch: what watches the loop that the calls are made on; without one nothing is reported
        of a block.
    :param subject: what is shown of it to those who trace its calls.
    """

    def __init__(
        self,
        instance: Any,
        name: str,
        watch: LoopWatch | None = None,
        subject: Subject | None = None,
    ) -> None:
        self.instance, self._subject = instance, subject or Subject(name)
        self.worker = Worker(name)
        watch, ours = watch or LoopWatch(), _ours(instance)
        self._steps = Steps(name, watch, movable=not ours, trusted=ours)
        #: plain, quick methods stay on the loop, however often they block it.
        self._quick_steps = Steps(name, watch, movable=False, trusted=ours)
        #: the optional method of a probe that makes its next probe take another way.
        self._check_is_async = is_async(instance, "check")
        self.renew: Callable[[], None] | None = None
        if able(instance, Renewable):
            self.renew = partial(self.quietly, "renew")
        self._refuses, self._explains = able(instance, Refusing), able(instance, Explaining)
        self.notices = able(instance, Noticing)

    # --- probes, actions and notifiers: methods with a deadline --------------------------------

    def begin_check(self, timeout_s: float) -> "asyncio.Future[Sample]":
        """Start a probe whose end the caller watches itself; it may cancel it.

        A plain ``check`` starts once its thread is free, with what is left of the timeout then;
        see :attr:`overlaps`. Where the future holds an exception, it is a :class:`CallFailed`.

        :raises CallBusy: if one waits for the thread already, or too many are under way.
        :raises CallFailed: if there is no ``check`` to call.
        """
        function, on_the_loop = self._method("check")
        accept = coercion.as_sample
        start = partial(self._on_the_loop, function, (timeout_s,), accept)
        if not on_the_loop:
            start = partial(
                self.worker.run_in_turn,
                lambda waited_s: in_thread(function, (timeout_s - waited_s,), accept),
                timeout_s,
            )
        return followed(self._subject, "check", (timeout_s,), start)

    async def check(self, timeout_s: float, deadline_s: float) -> Sample:
        """Probe once, as :meth:`begin_check` starts it; raises as :meth:`call` does."""
        return await self._ended("check", self.begin_check(timeout_s), deadline_s)

    @property
    def overlaps(self) -> bool:
        """Whether several probes may be under way: not in a thread, where one waits for another."""
        return self._check_is_async and not self._steps.moved

    @property
    def mode(self) -> str:
        """Where ``check`` runs: ``loop`` or ``thread``."""
        return "loop" if self.overlaps else "thread"

    async def observe(self, deadline_s: float) -> Role | None:
        """Give the role in force, ``None`` if it is not known; raises as :meth:`call` does."""
        return await self._call("observe", (), deadline_s, coercion.as_role)

    async def apply(self, role: Role, timeout_s: float, deadline_s: float) -> None:
        """Carry a role out, after a short look that is under way; raises as :meth:`call` does."""
        await self._turn("apply", min(deadline_s, TURN_S))
        await self._call("apply", (role, timeout_s), deadline_s, coercion.as_nothing)

    async def prepare(self, role: Role, timeout_s: float) -> None:
        """Prepare for a role; raises as :meth:`call` does, after ``timeout_s`` seconds at most."""
        until_s = time.monotonic() + timeout_s
        await self._turn("prepare", timeout_s)
        left_s = max(0.0, until_s - time.monotonic())
        await self._call("prepare", (role, left_s), left_s, coercion.as_nothing)

    async def notify(
        self, events: Sequence[Event], timeout_s: float, deadline_s: float
    ) -> Retry | None:
        """Deliver events, several to an instance that gathers; raises as :meth:`call` does."""
        if len(events) == 1:
            arguments: tuple[Any, ...] = (events[0], timeout_s)
            return await self._call("notify", arguments, deadline_s, coercion.as_retry)
        return await self._call("notify_all", (events, timeout_s), deadline_s, coercion.as_retry)

    async def answered_by(self, timeout_s: float, deadline_s: float) -> str | None:
        """Give who on the LAN has the address, if anybody; raises as :meth:`call` does."""
        return await self._call("answered_by", (timeout_s,), deadline_s, coercion.as_answer)

    async def call(self, method: str, *arguments: Any, deadline_s: float) -> Any:
        """Call a method and give its result as it is: for checks of the contract itself.

        :raises CallFailed: if it raised anything at all, or cannot be called.
        :raises CallOverdue: if it is not done after ``deadline_s`` seconds; a coroutine is
            cancelled, a thread left alone with its call.
        :raises CallBusy: if a blocking method still runs.
        """
        return await self._call(method, arguments, deadline_s, _as_it_is)

    async def close(self, deadline_s: float = 2.0) -> str | None:
        """Close the instance; gives the reason if that went wrong."""
        try:
            await self._call("close", (), deadline_s, coercion.as_nothing)
        except HavpnError as problem:
            return str(problem)
        finally:
            self.worker.stop()
        return None

    # --- plain and quick ones: on the loop, and their trouble is nobody's ----------------------

    def able(self, ability: type) -> bool:
        """Whether the instance has an ability (see :mod:`~havpn_core.plugging.protocols`)."""
        return able(self.instance, ability)

    @property
    def yields(self) -> bool:
        """Whether an address in use by another host is left to it; so if that is not known."""
        try:
            value = getattr(self.instance, "yields", True)
        except BaseException:
            return True
        return coercion.as_flag(value)

    def facts(self) -> dict[str, Any]:
        """Give what the instance has to say about itself for the status, if anything."""
        if self._steps.movable and self._quick_steps.strikes >= STRIKES:
            return {}  # it blocks the loop, and no status is worth that
        return coercion.as_facts(self.quietly("facts"))

    def refusing(self) -> bool:
        """Whether the target of a probe has refused lately, so that its silence is a refusal."""
        return self._refuses and self.quietly("refusing") is True

    def explanation(self) -> str | None:
        """Give what a probe knows of its losses now, on one line; ``None`` if nothing."""
        return coercion.as_explanation(self.quietly("explanation")) if self._explains else None

    def noticed(self) -> str | None:
        """Give how the target of a probe says that its gateway stands, in one of the words."""
        said = self.quietly("noticed") if self.notices else None
        return said if isinstance(said, str) and said in NOTICES else None

    def announce(self) -> None:
        """Have the held addresses announced once more."""
        self.quietly("announce")

    def tell_conflicts(self, tell: Callable[[str], None]) -> None:
        """Have conflicts reported.

        :param tell: called on the loop, from whichever thread the plugin tells them.
        """
        self.quietly("tell_conflicts", Inlet(coercion.as_rival, tell))

    def send(self, frame: bytes) -> None:
        """Send a frame over a link."""
        self.quietly("send", frame)

    def close_link(self) -> None:
        """Close a link, which is plain and quick, unlike the others' ``close``."""
        self.quietly("close")
        self.worker.stop()

    def _quick(self, method: str) -> Callable[..., Any] | None:
        """Give a plain method that an instance need not have."""
        try:
            function = getattr(self.instance, method, None)
            plain = callable(function) and not inspect.iscoroutinefunction(function)
        except BaseException:
            return None
        return function if plain else None

    def quietly(self, method: str, *arguments: Any) -> Any:
        """Call a plain, quick method; ``None`` if there is none, or it raises anything."""
        function = self._quick(method)
        if function is None:
            return None
        mark, began = self._quick_steps.begin(), time.monotonic()
        try:
            return through(self._subject, method, function)(*arguments)
        except BaseException:  # there is nobody whom it would help
            return None
        finally:
            if time.monotonic() - began > LONGEST_STEP_S:
                self._quick_steps.end(mark)

    # --- how ---------------------------------------------------------------------------------

    def _method(self, method: str) -> tuple[Callable[..., Any], bool]:
        """Give a method, and whether it is to run on the loop.

        :raises CallFailed: if there is none.
        """
        try:
            function = getattr(self.instance, method)
            on_the_loop = inspect.iscoroutinefunction(function)
        except BaseException as problem:
            raise CallFailed(describe(problem)) from None
        if not callable(function):
            raise CallFailed(f"{method} is no method and cannot be called")
        return function, on_the_loop and not self._steps.moved

    async def _turn(self, method: str, within_s: float) -> None:
        """Let an earlier call end where the instance's thread is what both need."""
        if self.worker.busy and not self._method(method)[1]:
            await self.worker.idle(within_s)

    def _on_the_loop(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], accept: Callable[[Any], T]
    ) -> "asyncio.Future[T]":
        if self._steps.open >= MOST_OPEN:
            raise CallBusy(f"{self._steps.open} earlier calls have not come back yet")
        return asyncio.ensure_future(on_loop(self._steps, function, arguments, accept))

    async def _call(
        self,
        method: str,
        arguments: tuple[Any, ...],
        deadline_s: float,
        accept: Callable[[Any], T],
    ) -> T:
        function, on_the_loop = self._method(method)
        start = partial(self._on_the_loop, function, arguments, accept)
        if not on_the_loop:
            start = partial(self.worker.run, lambda: in_thread(function, arguments, accept))
        running = followed(self._subject, method, arguments, start)
        return await self._ended(method, running, deadline_s)

    async def _ended(self, method: str, running: "asyncio.Future[T]", deadline_s: float) -> T:
        try:
            await asyncio.wait((running,), timeout=deadline_s)
        finally:
            ended = running.done()
            if not ended:
                running.cancel()
                running.add_done_callback(unheard)
        if not ended:
            raise CallOverdue(f"{method} did not end within {deadline_s:g} s")
        if running.cancelled():
            raise CallFailed(f"{method} cancelled itself")
        return running.result()


def _ours(instance: Any) -> bool:
    try:
        return str(type(instance).__module__).startswith("havpn_plugins.")
    except BaseException:
        return False


def _as_it_is(value: Any) -> Any:
    return value
