"""When a pair's frames also go over the LAN of the address, and which that come are looked at.

While every link is silent the LAN may be the only way left between the two gateways, and two
owners settle there who keeps the address. Everybody on the LAN can send such frames, so there is
an upper bound to the signatures that are checked.

Pure: no clock, socket or task here; time comes in as seconds of the monotonic clock.
"""

from dataclasses import dataclass

HURRY_S = 10.0
"""How long frames go out at the pair's own interval after there was a reason to hurry."""
PACE_S = 0.25
"""From one frame to the next after that, and at most before."""
LEAST_S = 0.05
"""Between two frames at least, whatever the reasons to hurry."""
NEEDED_S = 1.0
"""How long a partner that hears this gateway on no link is sent frames over the LAN."""
SILENT_INTERVALS = 2
FOREIGN_A_SECOND = 100.0
BURST = 20.0

NEEDS, SPARES = b"\1", b"\0"
"""In front of a frame: whether its sender hears the partner on no other link.

It is not signed; a wrong one costs at most some more frames.
"""


def enclosed(frame: bytes, *, needs: bool) -> bytes:
    """Make what is broadcast of a frame.

    :param needs: whether this gateway hears the partner on no link.
    """
    return (NEEDS if needs else SPARES) + frame


def disclosed(content: bytes) -> tuple[bytes, bool]:
    """Give the frame of what was broadcast, and whether its sender needs frames over the LAN."""
    return content[1:], content[:1] == NEEDS


class LanBeat:
    """The cadence of the frames on the LAN.

    :param interval_s: from one frame to the next over the links.
    """

    def __init__(self, interval_s: float) -> None:
        self._pace_s = min(interval_s, PACE_S)
        self._least_s = min(interval_s, LEAST_S)
        self._hurry_until_s: float | None = None
        self._last_s = self._due_s = float("-inf")

    @property
    def on(self) -> bool:
        """Whether frames go over the LAN now."""
        return self._hurry_until_s is not None

    def follow(self, needed: bool, now_s: float) -> None:
        """Begin, at once, when frames over the LAN are needed, and end when they are not."""
        if not needed:
            self._hurry_until_s = None
        elif self._hurry_until_s is None:
            self._hurry_until_s = now_s + HURRY_S
            self._due_s = max(now_s, self._last_s + self._least_s)

    def heard(self, now_s: float) -> None:
        """Take in that the partner was heard there: it is sent frames at the interval."""
        self._hurry(self._pace_s, now_s)

    def hurry(self, now_s: float) -> None:
        """Send at once: a rival claims the address, or the carrier is back."""
        self._hurry(self._least_s, now_s)

    def _hurry(self, pause_s: float, now_s: float) -> None:
        if self.on:
            self._hurry_until_s = now_s + HURRY_S
            self._due_s = min(self._due_s, max(now_s, self._last_s + pause_s))

    def due(self, now_s: float) -> bool:
        """Whether a frame is to be sent now."""
        return self.on and now_s >= self._due_s

    def sent(self, now_s: float) -> None:
        """Take in that one was sent."""
        hurries = self._hurry_until_s is not None and now_s < self._hurry_until_s
        self._last_s, self._due_s = now_s, now_s + (self._pace_s if hurries else PACE_S)

    def pause_s(self, now_s: float) -> float | None:
        """Say how long none is due, in seconds; ``None`` if none will be."""
        return max(0.0, self._due_s - now_s) if self.on else None


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of the partner over the links.

    :param last_s: when the last frame was believed; ``None`` if none was.
    :param interval_s: the slower of both gateways' intervals, in seconds.
    :param rival: both gateways have the role, as far as is known.
    """

    last_s: float | None
    interval_s: float
    rival: bool = False

    def silent(self, now_s: float) -> bool:
        """Whether every link is silent."""
        return self.last_s is None or now_s - self.last_s >= SILENT_INTERVALS * self.interval_s


def is_needed(heard: Heard, needed_s: float | None, now_s: float) -> bool:
    """Whether frames are to go over the LAN.

    :param needed_s: when the partner last said over the LAN that it hears this gateway there only.
    """
    needed = needed_s is not None and now_s - needed_s < NEEDED_S
    return heard.rival or needed or heard.silent(now_s)


@dataclass(slots=True)
class _Bucket:
    """Lets a burst through, and then so many a second."""

    left: float = BURST
    at_s: float | None = None

    def take(self, now_s: float) -> bool:
        if self.at_s is not None:
            self.left = min(BURST, self.left + (now_s - self.at_s) * FOREIGN_A_SECOND)
        self.at_s = now_s
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Admission:
    """Bounds the signatures that are checked for frames of the LAN.

    Frames that carry the partner's link-layer address have a share of their own, so that strangers
    cannot use it up; whoever forges that address as well can.
    """

    def __init__(self) -> None:
        self._partners, self._strangers = _Bucket(), _Bucket()
        #: frames that were not looked at.
        self.dropped = 0

    def admits(self, sender: bytes, partner: bytes, now_s: float) -> bool:
        """Whether a frame may cost a signature.

        :param sender: its link-layer address.
        :param partner: the partner's, from its frames; empty if that is not known.
        """
        known = bool(partner) and sender == partner
        admitted = (self._partners if known else self._strangers).take(now_s)
        self.dropped += not admitted
        return admitted
