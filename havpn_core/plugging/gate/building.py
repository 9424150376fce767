"""Make instances of a plugin's types, and compare what they are made of, whatever a plugin does."""

from collections.abc import Callable
from types import CoroutineType
from typing import Any

from havpn_core.errors import CallFailed, Interrupted
from havpn_core.plugging.descriptors import Context, PluginType
from havpn_core.plugging.gate import coercion
from havpn_core.plugging.gate.blocking import LoopWatch
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.tracing import Subject, through
from havpn_core.plugging.interrupt import interruptible
from havpn_core.plugging.wording import describe


def build(
    plugin_type: PluginType,
    options: Any,
    context: Context,
    name: str,
    watch: LoopWatch | None = None,
) -> Caller:
    """Make an instance.

    :param name: as for :class:`Caller`.
    :param watch: as for :class:`Caller`.
    :raises CallFailed: if that went wrong in any way.
    """
    subject = Subject(name, plugin_type.name, options)
    try:
        made = through(subject, "build", plugin_type.build)(options, context)
    except BaseException as problem:
        raise CallFailed(describe(problem)) from None
    if issubclass(type(made), CoroutineType):
        made.close()
        raise CallFailed("its build is async; it must be a plain function")
    return Caller(made, name, watch, subject)


def lacks(plugin_type: PluginType, options: Any) -> list[str]:
    """Say what an instance would miss on this host, in the type's own sentences."""
    try:
        with interruptible():
            return coercion.as_lines(plugin_type.missing(options))
    except Interrupted:
        raise
    except BaseException as problem:
        return [f"what it needs is not known: {describe(problem)}"]


def seconds_of(function: Callable[[Any], Any], options: Any, most_s: float) -> float:
    """Give a time that a type says of options; 0 where it says none, ``most_s`` where it is longer.

    Never raises, whatever the type's function does.
    """
    try:
        return coercion.as_seconds(function(options), most_s)
    except BaseException:
        return 0.0


def same(before: Any, after: Any) -> bool:
    """Whether two configurations are alike; a plugin's options may fail to compare themselves."""
    try:
        return bool(before == after)
    except BaseException:
        return False
