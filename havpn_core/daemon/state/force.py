"""The role that an operator forces, with its end by the clock that no setting changes."""

from datetime import datetime

from havpn_core.daemon.state.memory import Memory
from havpn_core.durations import Duration
from havpn_core.host import boot
from havpn_core.plugging.descriptors import Event, EventKind, Severity
from havpn_core.rules import limits
from havpn_core.rules.role import Role

ENDED, EXPIRED = "override ended", "override expired"


class Force:
    """The force in a :class:`~havpn_core.daemon.state.memory.Memory`, kept by ``CLOCK_BOOTTIME``.

    A suspended host counts, and setting the wall clock changes nothing.

    :param memory: what was remembered; it is kept up to date.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory, self._unwritten = memory, False
        noted = self._noted()
        self._end_s = None if noted is None else limits.resume(noted, boot.clocks())

    @property
    def role(self) -> Role | None:
        """The role forced now, ``None`` if there is none."""
        return self._memory.forced

    @property
    def left_s(self) -> float | None:
        """Seconds until the force ends; ``None`` if there is none, or it has no end."""
        if self._memory.forced is None or self._end_s is None:
            return None
        return max(0.0, self._end_s - boot.clocks().boot_s)

    @property
    def aside(self) -> bool:
        """Whether this gateway stands by for an order of its partner."""
        return self._memory.aside

    @aside.setter
    def aside(self, aside: bool) -> None:
        self._unwritten = self._unwritten or aside is not self._memory.aside
        self._memory.aside = aside

    @property
    def paused(self) -> bool:
        """Whether an operator lets this gateway change no role."""
        return self._memory.paused

    @property
    def line(self) -> int | None:
        """The line, 1 or 2, that both sites are to use, for which the role is forced.

        :meth:`set` forgets it.
        """
        return self._memory.forced_line

    @line.setter
    def line(self, line: int) -> None:
        self._memory.forced_line = line

    def set(self, role: Role | None, for_s: float | None) -> None:
        """Force a role for so many seconds, ``None``: without an end; no role ends the force."""
        self._memory.forced, self._memory.forced_line = role, None
        self._end_s = None if for_s is None or role is None else boot.clocks().boot_s + for_s
        self.note()

    def order(self, role: Role | None, for_s: float | None) -> Event | None:
        """Do as :meth:`set`, and give what is to be said of it, if anything is new."""
        before = self._memory.forced
        self.set(role, for_s)
        if role is not None:
            detail = f"until {self.until or 'havpn switch --to auto'}"
            word = f"forced to {role.value}"
            return Event(EventKind.ROLE, "", "", word, detail, Severity.WARNING)
        if before is None:
            return None
        words = f"forced to {before.value}", ENDED
        return Event(EventKind.ROLE, "", *words, "by havpn switch --to auto", Severity.WARNING)

    def expired(self) -> Event | None:
        """Give what is to be said of a force that came to its end; it is over then."""
        role = self._memory.forced
        if role is None or self._end_s is None or boot.clocks().boot_s < self._end_s:
            return None
        self.set(None, None)
        why = "the time is over (havpn switch --for): the role is decided by paths and partner"
        return Event(EventKind.ROLE, "", f"forced to {role.value}", EXPIRED, why)

    @property
    def until(self) -> str:
        """When the force ends by itself, by the wall clock, and in how long; empty: it does not."""
        if self._memory.forced is None or self._end_s is None:
            return ""
        now = boot.clocks()
        left_s = max(0.0, self._end_s - now.boot_s)
        at = datetime.fromtimestamp(now.wall_s + left_s)
        return f"{at:%Y-%m-%d %H:%M:%S} (in {Duration(max(1, round(left_s)))})"

    def note(self) -> None:
        """Put the end into the memory, by all the clocks."""
        memory, end_s, self._unwritten = self._memory, self._end_s, False
        if end_s is None:
            memory.forced_until = memory.forced_left = memory.forced_end = None
            memory.forced_boot = None
            return
        noted = limits.note(end_s, boot.clocks())
        memory.forced_until, memory.forced_left = noted.until_s, noted.left_s
        memory.forced_boot, memory.forced_end = noted.boot, noted.end_s

    def drifted(self) -> bool:
        """Whether the wall clock was set since the end was put into the memory, or all is not."""
        noted = self._noted()
        return self._unwritten or (noted is not None and limits.drifted(noted, boot.clocks()))

    def _noted(self) -> limits.Noted | None:
        memory = self._memory
        if memory.forced is None or memory.forced_until is None:
            return None
        return limits.Noted(
            memory.forced_until, memory.forced_left, memory.forced_boot, memory.forced_end
        )
