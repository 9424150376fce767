"""Fixtures for the tests of plugin packages; pytest finds them by an entry point.

All names begin with ``havpn_``, as they are there in every project of the environment.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from havpn_core.plugging.registry import Registry
    from havpn_core.rules.hysteresis import Verdict
    from havpn_core.testing.lab import Line


class VirtualClock:
    """A clock that stands still until ``advance``; call it for the time in seconds."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """Give the time in seconds."""
        return self.now_s

    def advance(self, seconds: float) -> None:
        """Let time pass.

        :raises ValueError: if it were to go back.
        """
        if seconds < 0:
            raise ValueError("a monotonic clock never goes back")
        self.now_s += seconds


@pytest.fixture
def havpn_clock() -> VirtualClock:
    """A virtual clock, for ``context(clock=havpn_clock)``."""
    return VirtualClock()


@pytest.fixture
def havpn_registry() -> "Callable[..., Registry]":
    """Load a fresh registry: ``havpn_registry("foo")`` enables the installed plugin foo."""

    def load(*enable: str) -> "Registry":
        from havpn_core.plugging.registry import Registry

        return Registry.load(enable)

    return load


@pytest.fixture
def havpn_path() -> "Callable[..., list[tuple[int, Verdict]]]":
    """Run samples through a path's rules on a virtual clock.

    ``havpn_path("..xxx..", fall=3, rise=2)`` gives each change as sample number and verdict;
    characters and options are those of ``havpn simulate`` and ``[path.NAME]``.
    """

    def run(samples: str, **options: Any) -> "list[tuple[int, Verdict]]":
        from havpn_core.config.convert import struct_of
        from havpn_core.config.options import PathOptions
        from havpn_core.config.profiles import PROFILES
        from havpn_core.study.replay import parse_samples, replay

        table = {**PROFILES["article"], "damping": False, **options}
        path = struct_of(PathOptions, "path.test", table)
        known, release = path.initial == "up", path.on_unknown == "release"
        changes = replay(path.settings, parse_samples(samples), known=known, release=release)
        return [(change.sample, change.after) for change in changes]

    return run


@pytest.fixture
def havpn_two_hosts() -> "Iterator[Line]":
    """Two hosts in namespaces and a line between them that can lose and delay; needs root."""
    import os

    if os.geteuid() != 0:
        pytest.skip("needs root: THE TWO HOSTS WERE NOT MADE")
    from havpn_core.testing.lab import Line

    with Line() as line:
        yield line
