"""Pure: what is remembered of one sender of requests, and of those that may never come again."""

from array import array

HOLD_S = 2.5
"""Seconds that a sign is held for its next request; a slower sender is not known by its sign."""
_SLOTS = 1 << 15

Key = tuple[str, int | bytes]
"""An address, and a port of it or a sign."""


class Bucket:
    """What may be spent: it fills at a rate up to a most."""

    __slots__ = ("_at_s", "credit")

    def __init__(self, credit: float, now_s: float) -> None:
        self.credit, self._at_s = credit, now_s

    def fill(self, rate: float, most: float, now_s: float) -> float:
        """Take the time in; gives what may be spent now."""
        self.credit = min(most, self.credit + max(0.0, now_s - self._at_s) * rate)
        self._at_s = now_s
        return self.credit


class Source:
    """A port or a sign.

    :ivar came: requests or replies that count towards being known, since :attr:`first_s`.
    :ivar excess_s: when it was above its rate last.
    """

    __slots__ = ("bucket", "came", "excess_s", "first_s", "last_s")

    def __init__(self, credit: float, now_s: float) -> None:
        self.bucket = Bucket(credit, now_s)
        self.came, self.first_s, self.last_s = 0, now_s, now_s
        self.excess_s = float("-inf")

    def count(self, now_s: float) -> None:
        """Take in what counts towards being known; a pause begins again."""
        if not self.came or now_s - self.last_s > HOLD_S:
            self.came, self.first_s = 0, now_s
        self.came += 1
        self.last_s = now_s

    def exceed(self, now_s: float) -> None:
        """Take in that it was above its rate."""
        self.came, self.excess_s = 0, now_s


class Sieve:
    """Holds signs that came once until they come again; those that never do cost no memory.

    A slot is kept for :data:`HOLD_S` by whoever has it: a flood of signs that never come again
    cannot push the others out, only make them wait for a free slot.
    """

    def __init__(self) -> None:
        self._keys = array("q", bytes(8 * _SLOTS))
        self._until_s = array("d", bytes(8 * _SLOTS))

    def again(self, key: Key, now_s: float) -> bool:
        """Whether it came a short time ago, too."""
        number = hash(key)
        slot = number % _SLOTS
        if now_s >= self._until_s[slot]:
            self._keys[slot], self._until_s[slot] = number, now_s + HOLD_S
            return False
        return self._keys[slot] == number
