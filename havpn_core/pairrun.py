"""Keep the partner heartbeat going: frames at their cadence, over every link, news at once."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from havpn_core.calls import Caller, describe
from havpn_core.config import Instance
from havpn_core.election import Role
from havpn_core.errors import ConfigError, HavpnError
from havpn_core.pair import Own
from havpn_core.pair_options import PairConfig
from havpn_core.pairing import Pairing
from havpn_core.plugin import Context
from havpn_core.scout import Scout
from havpn_core.status import write_atomically
from havpn_core.wire import Authenticator, read_keys

INCARNATION_FILE = "pair.json"


def next_incarnation(state_dir: Path) -> int:
    """Count this start, durably: the partner believes nothing from before it.

    Where the count was lost, the wall clock in microseconds is past any that was used.

    :raises ConfigError: if it cannot be written down.
    """
    file = state_dir / INCARNATION_FILE
    last = 0
    with contextlib.suppress(OSError, msgspec.DecodeError):
        last = int(msgspec.json.decode(file.read_bytes(), type=dict[str, int])["incarnation"])
    incarnation = max(last + 1, time.time_ns() // 1000)
    try:
        write_atomically(file, msgspec.json.encode({"incarnation": incarnation}), durable=True)
    except OSError as problem:
        raise ConfigError([f"{file}: {problem}: the pair needs to count its starts"]) from None
    return incarnation


class PairRun:
    """The pair at work.

    :param own: gives this gateway's own facts.
    :param changed: called when another role is wanted.
    :param owners: gives the actions that alone own what they hold, by name.
    :param tell: takes sentences about conflicts.
    """

    def __init__(
        self,
        config: PairConfig,
        authenticator: Authenticator,
        own: Callable[[], Own],
        changed: Callable[[], None],
        clock: Callable[[], float],
        *,
        owners: Callable[[], dict[str, Caller]],
        tell: Callable[[str], None],
    ) -> None:
        self.config, self.authenticator = config, authenticator
        self._facts, self._changed, self._clock = own, changed, clock
        self._owners = owners
        self._scout = Scout(owners, tell, self.refresh)
        self._rival = False
        self._links: dict[str, Any] = {}
        self._kick = asyncio.Event()
        self._wanted: Role | None = None
        names = tuple(link.id for link in config.links)
        self.pairing = Pairing(config.options.rules, authenticator, own(), names, clock())

    def _own(self) -> Own:
        return replace(self._facts(), answered=self._scout.answered)

    def connect(self, context: Callable[[Instance, Callable[[bytes], None]], Context]) -> None:
        """Build the links.

        :raises ConfigError: naming those that could not be built.
        """
        problems = []
        for link in self.config.links:
            name = link.id

            def received(frame: bytes, name: str = name) -> None:
                self._receive(name, frame)

            try:
                self._links[name] = link.type.build(link.options, context(link, received))
            except Exception as problem:
                problems.append(f"{link.name}: {describe(problem)}")
        if problems:
            raise ConfigError(problems)

    @property
    def wanted(self) -> Role | None:
        """The role to have."""
        return self.pairing.decision.wanted

    @property
    def alone(self) -> bool:
        """Whether the partner is silent on every link."""
        return self.pairing.alone

    async def run(self) -> None:
        """Send at fixed times and whenever there is news."""
        interval = float(self.config.options.interval)
        due = self._clock()
        while True:
            now = self._clock()
            if now - due > interval:
                self.pairing.late(now - due, now)
                due = now
            self.pairing.update(self._own(), now)
            self._tell()
            if now >= due:
                self._send()
                due += interval
            wake = self.pairing.decision.wake_s
            until = due if wake is None else min(due, wake)
            self._kick.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._kick.wait(), max(0.0, until - self._clock()))

    def refresh(self) -> None:
        """Take in that something about this gateway changed."""
        self.pairing.update(self._own(), self._clock())
        self._tell()
        self._kick.set()

    def _receive(self, link: str, frame: bytes) -> None:
        self.pairing.update(self._own(), self._clock())
        self.pairing.receive(link, frame, self._clock())
        self._tell()
        self._kick.set()

    def _tell(self) -> None:
        self._look_for_owners()
        if self.pairing.news:
            self._send()
        if self.wanted is not self._wanted:
            self._wanted = self.wanted
            self._changed()

    def _look_for_owners(self) -> None:
        """Ask the LAN while the partner is suspected; announce when it gave up a common address.

        Hosts may have learnt the link-layer address of a second owner, so after its end they
        are told once more.
        """
        options = self.config.options
        self._scout.look(self.pairing.decision.suspect, options.ask_s)
        before, self._rival = self._rival, self.pairing.rival
        if before and not self._rival and self._facts().held is Role.ACTIVE:
            for caller in self._owners().values():
                caller.quietly("announce")

    def _send(self) -> None:
        frame = self.pairing.frame()
        for link in self._links.values():
            # A link that breaks its word must not silence the others.
            with contextlib.suppress(Exception):
                link.send(frame)

    def close(self) -> None:
        """Close the links."""
        self._scout.close()
        for link in self._links.values():
            with contextlib.suppress(Exception):
                link.close()

    def facts(self) -> dict[str, Any]:
        """Give ``pair`` of the status."""
        found = self.pairing.facts(self._clock())
        for name, link in self._links.items():
            own = getattr(link, "facts", None)
            with contextlib.suppress(Exception):
                found["links"][name] |= own() if callable(own) else {}
        return found


def keys_of(config: PairConfig) -> tuple[bytes, ...]:
    """Read the keys.

    :raises ConfigError: if they are not to be had.
    """
    try:
        return read_keys(Path(config.options.key_file))
    except HavpnError as problem:
        raise ConfigError([f"pair.key_file: {problem}"]) from None
