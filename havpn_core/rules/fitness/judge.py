"""Pure: make one fitness of carrier, forwarding, the own address and the witnesses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from havpn_core.rules.fitness.hold import Hold
from havpn_core.rules.fitness.value import Fitness


@dataclass(frozen=True, slots=True)
class Facts:
    """What this host shows.

    :param carrier: whether each device of the LAN has one, by its name.
    :param forwarding: whether it is on, by family (``IPv4``, ``IPv6``); ``None``: not known.
    :param address: whether this gateway's own address is there; ``None`` if it is not watched.
    """

    carrier: Mapping[str, bool] = field(default_factory=dict)
    forwarding: Mapping[str, bool | None] = field(default_factory=dict)
    address: bool | None = None


class Judge:
    """Judges one gateway; carriers and witnesses are held back on their way to good."""

    def __init__(self) -> None:
        self._carriers: dict[str, Hold] = {}
        self._witnesses = Hold()

    @property
    def wake_s(self) -> float | None:
        """When a hold ends, in seconds of the monotonic clock; ``None`` if there is none."""
        holds = (*self._carriers.values(), self._witnesses)
        return min((hold.until_s for hold in holds if hold.until_s is not None), default=None)

    def judge(self, facts: Facts, witnesses: Fitness, now_s: float) -> Fitness:
        """Give the fitness; what is certain comes first in its reason.

        :param witnesses: what follows from the witnesses alone.
        """
        found = [*self._parts(facts, witnesses, now_s)]
        bad = sorted((each for each in found if each.unfit), key=lambda each: not each.certain)
        if bad:
            return Fitness(False, bad[0].certain, "; ".join(each.reason for each in bad))
        return Fitness(True if any(each.fit for each in found) else None)

    def _parts(self, facts: Facts, witnesses: Fitness, now_s: float) -> Iterator[Fitness]:
        for device, carrier in facts.carrier.items():
            steady = self._carriers.setdefault(device, Hold()).take(carrier, now_s)
            if not carrier:
                yield Fitness(False, True, f"device {device} has no carrier")
            elif not steady:
                yield Fitness(False, reason=f"device {device} has its carrier back only now")
            else:
                yield Fitness(True)
        for family, on in facts.forwarding.items():
            yield Fitness(on, reason=f"forwarding of {family} is off" if on is False else "")
        if facts.address is not None:
            reason = "" if facts.address else "the own address on the LAN is missing"
            yield Fitness(facts.address, reason=reason)
        steady = self._witnesses.take(not witnesses.unfit, now_s)
        if witnesses.unfit or steady:
            yield witnesses
        else:
            yield Fitness(False, reason="the witnesses on the LAN reply again only now")
