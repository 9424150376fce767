"""Limits in time that outlive a process and are no matter of the wall clock.

Pure: what the clocks show comes in as an argument. Within a boot a limit is counted by the
seconds since it began, suspended ones included (``CLOCK_BOOTTIME``); setting the wall clock
changes nothing. Only the time from one boot to the next is the wall clock's, as there is no
other that runs then; a limit is never made longer by it.
"""

from dataclasses import dataclass

DRIFT_S = 1.0
"""A wall clock that was set by less is not worth writing a limit down again."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the clocks of this host show.

    :param wall_s: seconds of the wall clock since 1970.
    :param boot_s: seconds since the boot, suspended ones included.
    :param boot: the name of this boot, another one after each; empty if it is not known, and
        then nothing that was written down counts as written in this boot.
    """

    wall_s: float
    boot_s: float
    boot: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A limit as it is written down.

    :param until_s: its end by the wall clock, in seconds since 1970.
    :param left_s: seconds that were left; ``None`` in files of the release before.
    :param boot: the boot in which this was written; ``None`` in files of the release before.
    :param end_s: its end in seconds since that boot.
    """

    until_s: float
    left_s: float | None = None
    boot: str | None = None
    end_s: float | None = None


def note(end_s: float, now: Clocks) -> Noted:
    """Write down a limit that ends at these seconds since the boot."""
    left_s = max(0.0, end_s - now.boot_s)
    return Noted(max(0.0, now.wall_s + left_s), left_s, now.boot, max(0.0, end_s))


def resume(noted: Noted, now: Clocks) -> float:
    """Give the end of a limit that was written down, in seconds since this boot.

    Written in this boot, it is the one that was written. After another boot, what is left by
    the wall clock counts, but never more than was left when it was written.
    """
    same = noted.boot == now.boot and noted.boot
    if same and noted.end_s is not None and noted.left_s is not None:
        return min(noted.end_s, now.boot_s + noted.left_s)
    left_s = max(0.0, noted.until_s - now.wall_s)
    return now.boot_s + (left_s if noted.left_s is None else min(left_s, noted.left_s))


def drifted(noted: Noted, now: Clocks) -> bool:
    """Whether the wall clock was set since, so that the limit should be written down again."""
    if noted.end_s is None:
        return True
    return abs(noted.until_s - now.wall_s - (noted.end_s - now.boot_s)) > DRIFT_S
