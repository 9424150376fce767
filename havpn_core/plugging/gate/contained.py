"""Run one call of a plugin so that only its value or a :class:`CallFailed` comes out."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from havpn_core.errors import CallFailed
from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.blocking import Stepped, Steps
from havpn_core.plugging.wording import describe

T = TypeVar("T")


def in_thread(
    function: Callable[..., Any], arguments: tuple[Any, ...], accept: Callable[[Any], T]
) -> T:
    """Call in this thread; what the function gives to await is awaited here, too.

    Raises whatever it raises: the thread's own loop contains that.
    """
    result = function(*arguments)
    if hasattr(type(result), "__await__"):  # an async def, or a plain one that gives such
        result = asyncio.run(_awaited(result))
    return accept(result)


async def _awaited(result: Any) -> Any:
    return await result


async def on_loop(
    steps: Steps,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    accept: Callable[[Any], T],
) -> T:
    """Call on the loop.

    :param accept: makes a value of known type of the result.
    :raises CallFailed: if the function raises anything at all, or ``accept`` refuses the result.
    """
    stepped = None
    steps.open += 1
    try:
        stepped = Stepped(function(*arguments), steps)
        return accept(await stepped)
    except asyncio.CancelledError as problem:
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            raise CallFailed(describe(problem)) from None  # nobody but the plugin itself did it
        raise
    except BaseException as problem:
        if stepped is not None and stepped.closing:
            raise  # the interpreter is ending it, not the plugin
        # asyncio would carry SystemExit and KeyboardInterrupt through the loop and end the daemon.
        raise CallFailed(describe(problem)) from None
    finally:
        steps.open -= 1


def sample_of(call: "asyncio.Future[Sample] | None") -> Sample:
    """Give the sample of a probe that has ended; ``None`` stands for its timeout."""
    if call is None:
        return Sample.fail("no reply within the timeout")
    if call.cancelled():
        return Sample.error("check cancelled itself")
    problem = call.exception()
    return call.result() if problem is None else Sample.error(describe(problem))


def unheard(call: "asyncio.Future[Any]") -> None:
    """Take note of how a call ended that was given up, or asyncio complains of it."""
    if not call.cancelled():
        call.exception()
