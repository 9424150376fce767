"""The frames of a pair over the LAN of the address: when they go, and which that come are judged.

Pure: no clock, socket or task here; :mod:`~havpn_core.pair.lan` sends and receives.
"""

from collections.abc import Collection
from typing import Any, Protocol

from havpn_core.pair.sending.broadcast import Admission, Heard, LanBeat, enclosed, is_needed

BELIEVED, GREETING = frozenset({"good", "duplicate"}), "greeting"
"""Verdicts on frames of the partner: of this hour, or genuine at least."""


class Lan(Protocol):
    """What sends to everybody on the LAN."""

    @property
    def usable(self) -> bool:
        """Whether there is an action that is at home on a LAN."""

    def send(self, content: bytes) -> None:
        """Send to everybody there."""


class OverLan:
    """One more link, in use while the others are silent.

    :param interval_s: from one frame to the next over the other links.
    """

    def __init__(self, lan: Lan, interval_s: float) -> None:
        self._lan = lan
        self._beat = LanBeat(interval_s)
        self._admission = Admission()
        self._needed_s: float | None = None

    def follow(self, heard: Heard, now_s: float) -> None:
        """Begin or end to send, as the other links demand."""
        self._beat.follow(self._lan.usable and is_needed(heard, self._needed_s, now_s), now_s)

    def due(self, now_s: float) -> bool:
        """Whether a frame is to be sent now."""
        return self._beat.due(now_s)

    def pause_s(self, now_s: float) -> float | None:
        """Say how long none is due, in seconds; ``None`` if none will be."""
        return self._beat.pause_s(now_s)

    def hurry(self, now_s: float) -> None:
        """Send at once: a rival claims the address, or the carrier is back."""
        self._beat.hurry(now_s)

    def send(self, frame: bytes, heard: Heard, now_s: float) -> None:
        """Send a frame, if any are to be sent."""
        if self._beat.on:
            self._lan.send(enclosed(frame, needs=heard.silent(now_s)))
            self._beat.sent(now_s)

    def admits(self, sender: bytes, partner: bytes, now_s: float) -> bool:
        """Whether a frame may cost a signature; as for :meth:`Admission.admits`."""
        return self._admission.admits(sender, partner, now_s)

    def take(self, verdicts: Collection[str], needs: bool, heard: Heard, now_s: float) -> None:
        """Take in what happened to a frame that came over the LAN.

        :param needs: whether its sender said that it hears this gateway on no link.
        """
        greets = GREETING in verdicts
        if not greets and BELIEVED.isdisjoint(verdicts):
            return
        if needs:
            self._needed_s = now_s
        self.follow(heard, now_s)
        if greets:
            self._beat.hurry(now_s)  # the sender believes nothing before it has a reply
        else:
            self._beat.heard(now_s)

    def facts(self) -> dict[str, Any]:
        """Give what the status shows: whether frames go out, and how many were not judged."""
        return {"sends": self._beat.on, "dropped": self._admission.dropped}
