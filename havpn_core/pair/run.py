"""Keep the partner heartbeat going: frames at their cadence, over every link, news at once."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec

from havpn_core.config.instances import Instance, PairConfig
from havpn_core.errors import ConfigError, HavpnError
from havpn_core.host import files
from havpn_core.host.aside import set_aside
from havpn_core.host.trouble import FileTrouble
from havpn_core.pair.frames import Authenticator, read_keys
from havpn_core.pair.scout import Scout
from havpn_core.pair.session import Pairing
from havpn_core.pair.token import Own
from havpn_core.plugging import coercion
from havpn_core.plugging.building import build
from havpn_core.plugging.calls import Caller
from havpn_core.plugging.descriptors import Context
from havpn_core.plugging.inlet import Inlet
from havpn_core.rules.role import Role

INCARNATION_FILE = "pair.json"


def last_incarnation(state_dir: Path) -> tuple[int, str | None]:
    """Give the number of the start before this one, 0 if it is not known.

    :returns: the number, and a warning where something was wrong.
    """
    file = state_dir / INCARNATION_FILE
    try:
        content = files.read(file)
        last = 0 if content is None else msgspec.json.decode(content, type=_Count).incarnation
    except (FileTrouble, ValueError, RecursionError) as problem:
        text = str(problem) if isinstance(problem, FileTrouble) else f"{file}: {problem}"
        return 0, f"{text}; {set_aside(file)}; this start counts by the wall clock"
    return last, None


def next_incarnation(last: int, wall_s: float) -> tuple[int, bytes]:
    """Number this start: the partner believes nothing from before it.

    Where the number before is not known, the wall clock in microseconds is past any that was.

    :param last: the number before, 0 if it is not known.
    :param wall_s: seconds of the wall clock since 1970.
    :returns: the number, and what is to be written down before it is used.
    """
    number = max(last + 1, int(wall_s * 1_000_000))
    return number, msgspec.json.encode(_Count(number))


class _Count(msgspec.Struct):
    incarnation: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


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
        self._links: dict[str, Caller] = {}
        self._closed = False
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

            received = Inlet(coercion.as_frame, partial(self._receive, name))
            try:
                made = build(link.type, link.options, context(link, received), link.name)
            except HavpnError as problem:
                problems.append(f"{link.name}: {problem}")
            else:
                self._links[name] = made
        if problems:
            self.close()
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
        if self._closed:
            return  # a link that was closed and brings frames all the same
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
                caller.announce()

    def _send(self) -> None:
        frame = self.pairing.frame()
        for link in self._links.values():
            link.send(frame)

    def close(self) -> None:
        """Close the links."""
        self._scout.close()
        self._closed = True
        for link in self._links.values():
            link.close_link()

    def facts(self) -> dict[str, Any]:
        """Give ``pair`` of the status."""
        found = self.pairing.facts(self._clock())
        for name, link in self._links.items():
            found["links"][name] = link.facts() | found["links"][name]
        return found


def keys_of(config: PairConfig) -> tuple[bytes, ...]:
    """Read the keys.

    :raises ConfigError: if they are not to be had.
    """
    try:
        return read_keys(Path(config.options.key_file))
    except HavpnError as problem:
        raise ConfigError([f"pair.key_file: {problem}"]) from None
