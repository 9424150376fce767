"""Pure: one way of a line, for what is sent one way: a packet is lost on it, or arrives.

Where chance alone loses packets, what comes is drawn as rows: so many packets arrive, then so many
are lost. The rows that are short may be left out, and how many of them come before the next long
one is drawn in their place: a row of ``least`` losses or more ends a series of rows with the chance
``loss ** (least - 1)`` each, as rows have no memory. So a hundred hours take as many draws as they
have long rows, with the law of what is left unchanged.
"""

import math
from typing import Any, Protocol

from havpn_core.study.loss import NEVER, Independent, LossModel, Uniform


class Way(Protocol):
    """One way."""

    def lost(self, at_s: float) -> bool:
        """Whether a packet sent then is lost; called once a packet, times never decrease."""

    def quiet(self, at_s: float, apart_s: float) -> float:
        """Give how many packets from then on arrive for sure, sent so far apart at the most."""

    def leapt(self, packets: int) -> None:
        """Note that so many of them were not drawn one by one."""


class Drawn:
    """A way of a line that says of each moment whether it loses a packet; of two ways, maybe."""

    def __init__(self, line: LossModel) -> None:
        self.lost = line.lost
        self._quiet_until: Any = getattr(line, "quiet_until", None)

    def quiet(self, at_s: float, apart_s: float) -> float:
        """Give how many packets from then on arrive for sure, sent so far apart at the most."""
        if self._quiet_until is None:
            return 0.0
        return float((self._quiet_until(at_s) - at_s) / apart_s)

    def leapt(self, packets: int) -> None:
        """Note that so many of them were not drawn one by one."""


class Chance:
    """A way on which each packet is lost with the same chance.

    :param loss: that chance, from 0 to below 1.
    :param random: where it comes from.
    :ivar least: how many losses make the long row that is foreseen; 0: none is, or it is over.
    """

    __slots__ = ("_arriving", "_long", "_losing", "_random", "_rows", "least", "loss")

    def __init__(self, loss: float, random: Uniform) -> None:
        self.loss, self._random = loss, random.random
        self.least, self._rows = 0, 0
        self._arriving = self._losing = 0
        self._long = False
        self._next()

    def lost(self, at_s: float) -> bool:
        """Whether the next packet is lost."""
        if self._arriving:
            self._arriving -= 1
            return False
        self._losing -= 1
        if not self._losing:
            if self._long:
                self._long, self.least = False, 0
            self._next()
        return True

    def quiet(self, at_s: float, apart_s: float) -> float:
        """Give how many packets from then on arrive for sure."""
        return self._arriving

    def leapt(self, packets: int) -> None:
        """Note that so many of them were not drawn one by one."""
        self._arriving -= packets

    def foresee(self, least: int) -> None:
        """Draw how many short rows come before the next long one, unless that is drawn.

        :param least: how many losses make a long one; 2 or more.
        """
        if self.least != least:
            self.least = least
            self._rows = self._geometric(self.loss ** (least - 1))

    @property
    def row_packets(self) -> float:
        """Packets of a short row on the mean, with those that arrive before it."""
        loss, longest = self.loss, self.least - 1
        if not loss:
            return float(NEVER)
        beyond = loss**longest
        lost = (1 - (longest + 1) * beyond + longest * beyond * loss) / ((1 - loss) * (1 - beyond))
        return 1 / loss + lost

    @property
    def foreseen(self) -> float:
        """Packets before the next long row, on the mean of what is not drawn yet."""
        return min(self._rows * self.row_packets, float(NEVER))

    def leave_out(self, packets: float) -> None:
        """Leave out so many of the packets that are foreseen, as whole rows."""
        self._rows -= min(self._rows, round(packets / self.row_packets))

    def _next(self) -> None:
        self._arriving = 1 + self._geometric(self.loss)
        if not self.least:
            self._losing = 1 + self._geometric(1 - self.loss)
        elif self._rows:
            self._rows -= 1
            self._losing = 1 + self._short()
        else:
            self._losing = self.least + self._geometric(1 - self.loss)
            self._long = True

    def _short(self) -> int:
        """Draw how many more than one are lost in a short row."""
        below = 1 - self.loss ** (self.least - 1)
        return int(math.log(1.0 - self._random() * below) / math.log(self.loss))

    def _geometric(self, chance: float) -> int:
        """Draw how many times in a row something does not happen."""
        if chance >= 1:
            return 0
        if chance <= 0:
            return NEVER
        return int(min(math.log(1.0 - self._random()) / math.log1p(-chance), NEVER))


def ways_of(line: LossModel, random: Uniform) -> tuple[Way, Way]:
    """Give both ways of a line.

    Chance loses each packet by itself; spells, outages and recorded losses affect both ways.

    :param random: where chance comes from.
    """
    if isinstance(line, Independent) and line.loss < 1:
        return Chance(line.loss, random), Chance(line.loss, random)
    return Drawn(line), Drawn(line)
