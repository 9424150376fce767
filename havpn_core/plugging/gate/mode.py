"""Where an instance's methods run: ``async def`` on the loop, plain ``def`` in a thread."""

import functools
import inspect
import typing
from typing import Any

from havpn_core.plugging.descriptors import PluginType


def is_async(instance: Any, method: str) -> bool:
    """Whether a method of an instance, or of a class, is an ``async def``."""
    try:
        return inspect.iscoroutinefunction(getattr(instance, method, None))
    except BaseException:
        return False


def type_is_async(plugin_type: PluginType, method: str) -> bool | None:
    """Whether a method of a type's instances is an ``async def``, as far as the type says so.

    Looks at the class that ``build`` is, or that it is annotated to return; builds nothing.

    :returns: ``None`` if only an instance can tell.
    """
    try:
        build: Any = plugin_type.build
        while isinstance(build, functools.partial):
            build = build.func
        made = build if isinstance(build, type) else typing.get_type_hints(build).get("return")
        if not isinstance(made, type) or getattr(made, "_is_protocol", False):
            return None
        return is_async(made, method) if callable(getattr(made, method, None)) else None
    except BaseException:
        return None
