"""How much a line loses, and how sure that is. Pure.

Losses that come in clumps say less than as many single ones: with silent spells of half a second,
of two lines alike one is often without a loss for 20 s. So both the losses and the samples count
divided by the clump, the index of dispersion of the runs of losses.
"""

import struct

import msgspec

from havpn_core.rules.target.bounds import wilson

SURE = 2.33
"""Standard deviations from the estimate to either bound: each is right in 99 of 100 cases.

Both lines must err at once for a false move. With 95 of 100 each, two lines that lose 3 % change
places several times an hour, for each sample is one more chance.
"""


class Loss(msgspec.Struct, frozen=True):
    """What a line lost recently.

    :param share: of the probes, 0 to 1.
    :param samples: how many probes there were, 1 or more.
    :param clump: how many losses say as much as a single one would, 1 or more.
    :param age_s: how old the newest sample is, in seconds.
    """

    share: float
    samples: int
    clump: float = 1.0
    age_s: float = 0.0

    @property
    def low(self) -> float:
        """The least share that the line loses, as far as that is sure."""
        return self._bound(-SURE, self.clump)

    @property
    def high(self) -> float:
        """The largest share that the line loses, as far as that is sure."""
        return self.high_in(self.clump)

    def high_in(self, clump: float) -> float:
        """The same if the losses of this line come in clumps of that size at least."""
        return self._bound(SURE, max(clump, self.clump))

    def _bound(self, deviations: float, clump: float) -> float:
        samples = self.samples / clump
        return wilson(samples * self.share, samples, deviations)


_PACKED = struct.Struct("!HHHB")
_PARTS = ((0, 65535), (1, 65535), (100, 65535), (0, 255))


def as_number(loss: Loss | None) -> int | None:
    """Turn a loss into seven bytes, each part to the nearest that there is; ``None``: nothing.

    They are the share in 65535 parts, the samples, the clump in hundredths, two bytes each, and
    the age in tenths of a second.
    """
    if loss is None:
        return None
    parts = (loss.share * 65535, loss.samples, loss.clump * 100, loss.age_s * 10)
    # In this order what is no number is the least.
    fitted = (
        min(max(least, part), most) for part, (least, most) in zip(parts, _PARTS, strict=True)
    )
    return int.from_bytes(_PACKED.pack(*map(round, fitted)))


def of_number(number: int) -> Loss:
    """Read what :func:`as_number` made.

    :raises ValueError: if it is the loss of no samples, or its clumps are less than a loss.
    """
    share, samples, clump, age = _PACKED.unpack(number.to_bytes(_PACKED.size))
    if not samples or clump < 100:
        raise ValueError("loss is that of nothing")
    return Loss(share / 65535, samples, clump / 100, age / 10)


def worst(losses: list[Loss | None], *, best: bool = False) -> Loss | None:
    """Give the loss of several lines: that of the worst one, or of the best where any will do.

    :returns: ``None`` unless all are known.
    """
    known = [loss for loss in losses if loss is not None]
    if len(known) < len(losses) or not known:
        return None
    return (min if best else max)(known, key=lambda loss: loss.high)
