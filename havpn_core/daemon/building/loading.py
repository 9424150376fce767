"""Read a configuration while the daemon works, in a thread, as imports must not block the loop."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from havpn_core.config.instances import Config
from havpn_core.config.read import load
from havpn_core.errors import CallBusy, ConfigError, HavpnError
from havpn_core.pair.keys import configured_keys
from havpn_core.plugging.gate.worker import Worker
from havpn_core.plugging.registry import Registry

LOAD_S = 60.0
"""What reading a configuration may take, with the imports of the plugins that it enables."""
FIXED = ("name", "run_dir", "state_dir")
"""Options of ``[node]`` on which everything at work is built; they take a restart."""

T = TypeVar("T")


class Loader:
    """Reads configurations, one at a time."""

    def __init__(self) -> None:
        self._worker = Worker("load")

    async def load(self, file: Path) -> tuple[Config, Registry]:
        """Read and check a file, loading the plugins that it enables.

        :raises ConfigError: with every problem found.
        """
        return await self._run(file, lambda: load(file))

    async def keys(self, config: Config) -> tuple[bytes, ...]:
        """Read the keys of the pair; none where there is no pair.

        :raises ConfigError: if they are not to be had.
        """
        pair = config.pair
        return (
            ()
            if pair is None
            else await self._run(config.file, lambda: configured_keys(pair.options.key_file))
        )

    async def _run(self, file: Path, work: Callable[[], T]) -> T:
        refused: list[ConfigError] = []

        def contained() -> Any:
            try:
                return work()
            except ConfigError as problem:  # a thread hands back the text of an exception alone
                refused.append(problem)

        try:
            async with asyncio.timeout(LOAD_S):
                found = await self._worker.run(contained)
        except (TimeoutError, CallBusy):
            raise ConfigError([
                f"{file}: loading it and the plugins that it enables takes over {LOAD_S:g} s: look "
                "for a plugin whose import blocks, and restart the daemon"
            ]) from None  # fmt: skip
        except HavpnError as problem:
            raise ConfigError([f"{file}: {problem}"]) from None
        if refused:
            raise refused[0]
        return found  # type: ignore[no-any-return]


def refuse_fixed(before: Config, after: Config) -> None:
    """Refuse a change that cannot be made while the daemon works.

    :raises ConfigError: naming each key, with the remedy.
    """
    problems = [
        f"{after.file}: node.{key}: cannot change from {old!r} to {new!r} while the daemon runs: "
        "restart it"
        for key in FIXED
        if (old := getattr(before.node, key)) != (new := getattr(after.node, key))
    ]
    if problems:
        raise ConfigError(problems)
