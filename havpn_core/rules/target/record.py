"""What a line did so far, in a few numbers that outlive restarts. Pure.

Loss, jitter and silent spells, all of them fading with a half-life: loss follows the hours, and
spells, which are rare, are remembered for days. Those for which the path was given up are kept
apart, for they may be outages; what is longer than the ceiling is one. A prior is added to what is
counted and does not fade: a thousand probes without a loss, and an hour without a spell.
"""

import math
from collections.abc import Mapping
from typing import Any

from havpn_core.rules.target.bounds import wilson_upper
from havpn_core.rules.target.spells import BINS, Spells, Tail, tail_of

VERSION = 2
LOSS_HALF_LIFE_S = 3600.0
SPELL_HALF_LIFE_S = 86400.0
PRIOR_PROBES = 1000.0
"""Probes without a loss that are added to those counted."""
PRIOR_WATCHED_S = 3600.0
"""Seconds without a spell that are added to those watched."""
FOLD_S = 10.0
"""What is counted fades in steps of so many seconds at the least."""
JITTER_GAIN = 1 / 16
"""RFC 3550 section 6.4.1."""
MOST = 1e12


class Record:
    """One line's past.

    :ivar probes: regular probes that had a reply or were lost, faded; so ``lost`` of them.
    :ivar spells: silent spells that ended while the path was up.
    :ivar given_up: those for which it was given up, and which ended soon.
    :ivar watched_s: seconds in which spells would have been seen, faded.
    :ivar jitter_s: mean difference of the round trips of successive replies.
    """

    __slots__ = (
        "_aged_s",
        "_latency_s",
        "given_up",
        "jitter_s",
        "lost",
        "probes",
        "spells",
        "watched_s",
    )

    def __init__(self) -> None:
        self.probes = self.lost = self.watched_s = self.jitter_s = 0.0
        self.spells, self.given_up = Spells(), Spells()
        self._aged_s: float | None = None
        self._latency_s: float | None = None

    def count(self, probes: float, lost: float, watched_s: float) -> None:
        """Count regular probes, those lost among them, and the seconds that they took."""
        self.probes += probes
        self.lost += lost
        self.watched_s += watched_s

    def spell(self, length_s: float) -> None:
        """Take in a silent spell that ended, of so many seconds."""
        self.spells.add(length_s)

    def give_up(self, length_s: float) -> None:
        """Take in a spell of so many seconds for which the path was given up."""
        self.given_up.add(length_s)

    def trip(self, latency_s: float, times: int = 1) -> None:
        """Take in the round trip of a reply, or of several alike."""
        if self._latency_s is not None:
            difference = abs(latency_s - self._latency_s)
            self.jitter_s += JITTER_GAIN * (difference - self.jitter_s)
            if times > 1:
                self.jitter_s *= math.pow(1 - JITTER_GAIN, times - 1)
        self._latency_s = latency_s

    def age(self, now_s: float) -> bool:
        """Let the past fade; gives whether it did.

        :param now_s: a monotonic clock, the same at each call.
        """
        if self._aged_s is None:
            self._aged_s = now_s
        passed_s = now_s - self._aged_s
        if passed_s < FOLD_S:
            return False
        self._aged_s = now_s
        share = math.pow(0.5, passed_s / LOSS_HALF_LIFE_S)
        self.probes *= share
        self.lost *= share
        share = math.pow(0.5, passed_s / SPELL_HALF_LIFE_S)
        self.watched_s *= share
        self.spells.fade(share)
        self.given_up.fade(share)
        return True

    @property
    def loss(self) -> float:
        """The share of regular probes lost, 0 where none is remembered."""
        return self.lost / self.probes if self.probes > 0 else 0.0

    @property
    def loss_upper(self) -> float:
        """The upper bound of that share with the prior: Wilson's, 95 %."""
        return wilson_upper(self.lost, self.probes + PRIOR_PROBES)

    @property
    def longest_s(self) -> float:
        """The longest spells that there are to tolerate, in seconds; 0 if there are none."""
        if not self.tail(0.0).per_s:
            return self.spells.longest_s
        return max(self.spells.longest_s, self.given_up.longest_s)

    def tail(self, beyond_s: float) -> Tail:
        """Give the spells longer than that."""
        return tail_of(self.spells, self.given_up, beyond_s, self.watched_s + PRIOR_WATCHED_S)

    def to_builtins(self) -> dict[str, Any]:
        """Write it as JSON has it."""
        return {
            "version": VERSION,
            "probes": round(self.probes, 2),
            "lost": round(self.lost, 4),
            "watched_s": round(self.watched_s, 1),
            "jitter_s": round(self.jitter_s, 7),
            "spells": _written(self.spells),
            "given_up": _written(self.given_up),
        }

    @classmethod
    def from_builtins(cls, found: Any) -> "Record":
        """Read what :meth:`to_builtins` wrote; the past is as old as it was then.

        :raises ValueError: naming the entry that makes no sense.
        """
        if not isinstance(found, Mapping):
            raise ValueError("a line's record is no object")
        if found.get("version") != VERSION:
            raise ValueError(f"version of a line's record is not {VERSION}")
        record = cls()
        for key in ("probes", "lost", "watched_s", "jitter_s"):
            setattr(record, key, _number(key, found.get(key)))
        if record.lost > record.probes:
            raise ValueError("lost is more than probes")
        for key, spells in (("spells", record.spells), ("given_up", record.given_up)):
            entries = found.get(key)
            if not isinstance(entries, list):
                raise ValueError(f"{key} is no list")
            for entry in entries:
                place, count, sum_s = _spell(entry)
                spells.counts[place], spells.sums_s[place] = count, sum_s
        return record


def _written(spells: Spells) -> list[list[float]]:
    return [
        [place, round(count, 4), round(spells.sums_s[place], 6)]
        for place, count in enumerate(spells.counts)
        if count
    ]


def _spell(entry: Any) -> tuple[int, float, float]:
    if not isinstance(entry, list) or len(entry) != 3:
        raise ValueError("an entry of spells is no list of three")
    place = entry[0]
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < BINS:
        raise ValueError(f"the first of an entry of spells is not from 0 to {BINS - 1}")
    count, sum_s = _number("count of spells", entry[1]), _number("sum of spells", entry[2])
    return place, count, sum_s


def _number(key: str, value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST:
        return float(value)
    raise ValueError(f"{key} is no number from 0 to {MOST:g}")
