"""Let a probe that knows of a change have the next probes of its path sent now."""

from collections.abc import Callable, Mapping
from typing import Any

from havpn_core.daemon.paths.path import PathRun
from havpn_core.plugging.gate.inlet import Inlet


def hurrying(instance: str, paths: Callable[[], Mapping[str, PathRun]]) -> Callable[[], None]:
    """Make the ``hurry`` of an instance's context; to be called on the loop.

    It does nothing unless the instance is a probe of a path that is at work.

    :param instance: the instance's name in the configuration, such as ``path.vpn1.probe.echo``.
    :param paths: gives the paths at work, by name.
    """
    kind, _, rest = instance.partition(".")
    name, _, probe = rest.rpartition(".probe.")
    if kind != "path" or not probe:
        return _in_vain

    def hurry(nothing: None) -> None:
        run = paths().get(name)
        if run is not None:
            run.hurry()

    return Inlet(_nothing, hurry)


def _in_vain() -> None: ...


def _nothing(given: Any) -> None: ...
