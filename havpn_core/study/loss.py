"""Pure: lines that lose packets, for ``havpn simulate`` and the benchmarks.

No clock, socket or thread here, and chance comes in as an argument. A model says whether a probe
sent at a moment is lost, itself or its reply; the moments never decrease. Two models with equal
seeds and equal arguments lose the same, so that rules can be compared on one line.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

NEVER = 2**63 - 1
"""What :meth:`Independent.gap` gives for a line that loses nothing."""

_FLOAT_S = 1e-9
"""A moment this close before a change, in seconds, is meant to be the change's own."""


class Uniform(Protocol):
    """Where chance comes from; :class:`random.Random` is one."""

    def random(self) -> float:
        """Give a number from 0 to below 1, all equally likely."""


class LossModel(Protocol):
    """A line."""

    def lost(self, at_s: float) -> bool:
        """Say whether a probe sent at ``at_s`` seconds stays without a reply.

        :param at_s: not before the ``at_s`` of the last call, and not negative.
        """


class Independent:
    """Every probe is lost with the same chance, whatever happened to the others.

    :param loss: that chance, from 0 to 1.
    :param random: where it comes from.
    :raises ValueError: if ``loss`` is no chance.
    """

    def __init__(self, loss: float, random: Uniform) -> None:
        self.loss = _share("loss", loss)
        self._random = random.random
        self._log_kept = math.log1p(-loss) if 0 < loss < 1 else 0.0

    def lost(self, at_s: float) -> bool:
        """Draw for one probe; the moment plays no part."""
        return self._random() < self.loss

    def gap(self) -> int:
        """Draw how many probes get a reply before the next lost one.

        The same line as that of :meth:`lost`, in one draw a loss instead of one a probe: the
        geometric distribution by inverse transform. May be mixed with :meth:`lost`, as the line
        has no memory.

        :returns: 0 and more; :data:`NEVER` if ``loss`` is 0.
        """
        if self.loss >= 1:
            return 0
        if self.loss <= 0:
            return NEVER
        return int(min(math.log(1.0 - self._random()) / self._log_kept, NEVER))


class GilbertElliott:
    """Loss in bursts: a line that is good and bad by turns.

    E. N. Gilbert, "Capacity of a burst-noise channel", 1960, with a bad state that loses some and
    a good one that loses nothing; E. O. Elliott, "Estimates of error rates for codes on
    burst-noise channels", 1963, with loss in both. They step from bit to bit; here both states
    last an exponentially distributed time, so that the line is the same for every interval.

    With the defaults the spells depend on the seed alone, not on when probes are sent.

    :param loss: the share of probes lost in the long run, from ``loss_good`` to ``loss_bad``.
    :param burst_s: mean length of a bad spell in seconds, above 0.
    :param random: where chance comes from.
    :param loss_good: chance that the good state loses a probe, from 0 to 1.
    :param loss_bad: the same of the bad state, above ``loss_good``.
    :raises ValueError: naming the argument that is out of its range.
    """

    def __init__(
        self,
        loss: float,
        burst_s: float,
        random: Uniform,
        loss_good: float = 0.0,
        loss_bad: float = 1.0,
    ) -> None:
        good, bad = _share("loss_good", loss_good), _share("loss_bad", loss_bad)
        if good >= bad:
            raise ValueError(f"loss_good must be below loss_bad, {good:g} is not below {bad:g}")
        if not good <= _share("loss", loss) <= bad:
            raise ValueError(f"loss must be from loss_good {good:g} to loss_bad {bad:g}: {loss:g}")
        _positive("burst_s", burst_s)
        share = (loss - good) / (bad - good)
        self._random = random.random
        self._chances = (good, bad)
        self._means_s = (burst_s * (1 - share) / share if share else math.inf, burst_s)
        # The stays have no memory, so a line that has run for ever looks like this at 0 s.
        self._bad = self._random() < share
        self._until_s = math.inf if share in (0, 1) else self._stay_s()

    def quiet_until(self, at_s: float) -> float:
        """Give the moment until which nothing is lost for sure; ``at_s`` if there is none."""
        self._reach(at_s)
        return self._until_s if self._chances[self._bad] == 0 else at_s

    def lost(self, at_s: float) -> bool:
        """Go on to the spell of that moment and draw for one probe."""
        self._reach(at_s)
        chance = self._chances[self._bad]
        # Certainty draws nothing: probes that are sent more often must not change the spells.
        return chance == 1 or (chance > 0 and self._random() < chance)

    def _reach(self, at_s: float) -> None:
        while at_s >= self._until_s:
            self._bad = not self._bad
            self._until_s += self._stay_s()

    def _stay_s(self) -> float:
        return -self._means_s[self._bad] * math.log(1.0 - self._random())


class Periodic:
    """An outage of equal length at equal distances.

    :param period_s: seconds from the beginning of an outage to that of the next, above 0.
    :param outage_s: seconds that each lasts, from 0 to ``period_s``.
    :param phase_s: when one of them begins.
    :raises ValueError: naming the argument that is out of its range.
    """

    def __init__(self, period_s: float, outage_s: float, phase_s: float = 0.0) -> None:
        self._period_s = _positive("period_s", period_s)
        if not 0 <= outage_s <= period_s:
            raise ValueError(f"outage_s must be from 0 to period_s {period_s:g}, not {outage_s:g}")
        if not math.isfinite(phase_s):
            raise ValueError(f"phase_s must be a number of seconds, not {phase_s:g}")
        self._outage_s = outage_s
        self._phase_s = phase_s

    def lost(self, at_s: float) -> bool:
        """Say whether that moment lies in an outage; its end does not."""
        return self._phase(at_s) < self._outage_s

    def quiet_until(self, at_s: float) -> float:
        """Give the moment until which nothing is lost for sure; ``at_s`` if there is none."""
        phase = self._phase(at_s)
        return at_s if phase < self._outage_s else at_s + self._period_s - phase - _FLOAT_S

    def _phase(self, at_s: float) -> float:
        return (at_s - self._phase_s + _FLOAT_S) % self._period_s


class Changing:
    """A line that becomes another one at a moment.

    :param before: what it is until then; so ``after``, which counts from then on.
    :param at_s: that moment, from 0 up.
    :raises ValueError: if the moment is none.
    """

    def __init__(self, before: LossModel, after: LossModel, at_s: float) -> None:
        self.before, self.after, self.at_s = before, after, _positive("at_s", at_s)

    def lost(self, at_s: float) -> bool:
        """Draw for one probe of the line of that moment."""
        return (self.before if at_s < self.at_s else self.after).lost(at_s)

    def quiet_until(self, at_s: float) -> float:
        """Give the moment up to which nothing is lost, if the line is clean until it changes."""
        clean = isinstance(self.before, Independent) and not self.before.loss
        return max(at_s, self.at_s) if clean and at_s < self.at_s else at_s


class Trace:
    """A recorded line, over and over again.

    What was true at a point holds until the next one; the last one's truth also holds in the
    next round until its first point.

    :param points: moments in seconds, from 0 to below ``length_s`` and never decreasing, each
        with whether a probe was lost; at least one.
    :param length_s: seconds after which the record begins again, above 0.
    :raises ValueError: if the points are none, out of order or out of range.
    """

    def __init__(self, points: Sequence[tuple[float, bool]], length_s: float) -> None:
        self.points = tuple(points)
        self.length_s = _positive("length_s", length_s)
        if not self.points:
            raise ValueError("a trace needs at least one point")
        before_s = 0.0
        for at_s, _ in self.points:
            if not before_s <= at_s < length_s:
                raise ValueError(
                    f"a point at {at_s:g} s: points must not go back, nor reach {length_s:g} s"
                )
            before_s = at_s
        # Only the changes, for the search to be short; the first one stays as the round's start.
        changes = [
            point
            for number, point in enumerate(self.points)
            if number == 0 or point[1] != self.points[number - 1][1]
        ]
        self._times_s = [at_s for at_s, _ in changes]
        self._truths = [bool(lost) for _, lost in changes]

    def lost(self, at_s: float) -> bool:
        """Look the moment up in the record."""
        moment_s = (at_s + _FLOAT_S) % self.length_s
        return self._truths[bisect_right(self._times_s, moment_s) - 1]


def _share(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be from 0 to 1, not {value:g}")
    return value


def _positive(name: str, value: float) -> float:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a number of seconds above 0, not {value:g}")
    return value
