"""Pure: what an instance hands over that can find out by itself what is wrong, and how."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Level(StrEnum):
    """How severe a finding is: ``failed`` is broken now, ``warning`` may be meant."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was tried.

    :param text: what was found; the core keeps one line of at most 500 characters.
    :param remedy: what a person does about it; empty where nothing is wrong.
    """

    level: Level
    text: str
    remedy: str = ""

    @classmethod
    def good(cls, text: str) -> "Diagnosis":
        """Say what works."""
        return cls(Level.OK, text)

    @classmethod
    def warning(cls, text: str, remedy: str) -> "Diagnosis":
        """Say what may be wrong, and what to do if it is."""
        return cls(Level.WARNING, text, remedy)

    @classmethod
    def failed(cls, text: str, remedy: str) -> "Diagnosis":
        """Say what is broken, and what to do."""
        return cls(Level.FAILED, text, remedy)


class Diagnosing(Protocol):
    """An instance that can try what it needs, for ``havpn doctor``.

    The instance was built for that alone; ``apply`` is never called on it. What it tries must
    change no role, disturb no daemon of this or another gateway, and send nothing from a shared
    address.
    """

    def diagnose(
        self, timeout_s: float, running: bool
    ) -> Awaitable[Sequence[Diagnosis]] | Sequence[Diagnosis]:
        """Try it, and say what was found, within ``timeout_s`` seconds.

        :param running: a daemon is at work with this configuration, so that ports, devices and
            sessions of the instance are its own: leave them alone.
        :returns: none where there is nothing to say beyond what the core finds out itself.
        """
