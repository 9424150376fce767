"""The options of ``[pair]``, and the rules that follow from them.

Pure: no clock, socket or file here.
"""

from typing import Annotated, Literal

import msgspec

from havpn_core.durations import Duration
from havpn_core.pair.lines.resting import LineRules
from havpn_core.pair.scout import ROUNDS
from havpn_core.pair.state import LOST, PairRules, Preempt

TAKEOVER_S = 2.0
LONGEST_CHECK_S = 0.2
"""How long all rounds of probes take: a host on a LAN replies within milliseconds."""
CHECK_EARLIER_S = 0.005
REST_S = 30.0


class PairOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How this gateway plays its part.

    :param priority: the gateway with the higher one is preferred.
    :param key_file: the keys that both gateways have; mode 600.
    :param preempt: when the preferred gateway, well again, takes the role back: ``auto`` at
        once, ``delay`` after ``preempt_delay``, ``manual`` never by itself.
    :param preempt_delay: how long it waits with ``delay``.
    :param interval: time from one frame to the next; more than the default where a link is too
        slow for that.
    :param dead: silence on all links after which the partner counts as dead; three intervals
        of the slower gateway if not given, or if it is less.
    :param better_line: move the role to the partner where its line loses clearly less, once in
        10 minutes at most; ``preempt`` says nothing about that.
    :raises ValueError: if ``dead`` leaves no room for a lost frame.
    """

    priority: Annotated[int, msgspec.Meta(ge=1, le=255)]
    key_file: Annotated[str, msgspec.Meta(min_length=1)]
    preempt: Literal["auto", "delay", "manual"] = "auto"
    preempt_delay: Duration = Duration(60.0)
    interval: Duration = Duration(0.05)
    dead: Duration | None = None
    better_line: bool = True

    def __post_init__(self) -> None:
        if not 0.02 <= self.interval <= 10:
            raise ValueError("interval: write 20ms to 10s")
        if self.dead is not None and self.dead < 2 * self.interval:
            raise ValueError("dead: one lost frame would be a death: write two intervals or more")

    @property
    def rules(self) -> PairRules:
        """The rules in the deciding module's own terms."""
        interval = float(self.interval)
        return PairRules(
            interval_s=interval,
            dead_s=float(self.dead) if self.dead else LOST * interval,
            explicit=self.dead is not None,
            preempt=Preempt(self.preempt),
            preempt_delay_s=float(self.preempt_delay) if self.preempt == "delay" else 0.0,
            takeover_s=TAKEOVER_S,
            rest_s=REST_S,
            check_s=ROUNDS * self.check_s + CHECK_EARLIER_S,
            lines=LineRules(on=self.better_line),
        )

    @property
    def check_s(self) -> float:
        """How long one round of probes waits for replies, in seconds: 0.006 to 0.067."""
        return min(float(self.interval), LONGEST_CHECK_S) / ROUNDS
