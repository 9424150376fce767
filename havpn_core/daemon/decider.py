"""What the parts of a daemon need of the gateway that they belong to."""

from collections.abc import Callable, Sequence
from typing import Protocol

from havpn_core.config.instances import Config
from havpn_core.daemon.paths.making import Mood
from havpn_core.daemon.paths.path import PathRun
from havpn_core.pair.run import PairRun
from havpn_core.plugging.descriptors import Context
from havpn_core.rules.hysteresis import Level, Transition
from havpn_core.rules.refusal import News


class Decider(Protocol):
    """Who takes in what the parts find out, and makes the pair, which knows all of them."""

    def verdict_changed(self, run: PathRun, change: Transition) -> None:
        """Take in that a path has another verdict."""

    def quality_changed(self, run: PathRun, before: Mood) -> None:
        """Take in that a line became poor, grey or good again."""

    def refusal_changed(self, run: PathRun, news: Sequence[News]) -> None:
        """Take in what is to be said of a far host that refuses, or that it now counts."""

    def surroundings_changed(self) -> None:
        """Take in that the LAN, or a road behind a far gateway, is not as it was."""

    def role_moved(self) -> None:
        """Take in that another role is seen to be in force."""

    async def make_pair(
        self, config: Config, keys: tuple[bytes, ...], context: Callable[..., Context]
    ) -> PairRun | None:
        """Make the pair of a configuration, where there is one, without starting it.

        :raises ConfigError: if a link is not available.
        """

    def first_level(self, path: str) -> Level:
        """Give the level at which a path starts that was not there before."""
