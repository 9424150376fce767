"""Pure: which run of the partner is believed, and what our frames must say so that it believes us.

An attacker may record frames and bring them again, in any number and order, on any link; he does
not know the key. What is to be excluded is that anything is believed that is older than what was
believed before, and that his frames keep the partner's from being believed. Nothing rests on the
incarnations alone: a disk may be lost, and a clock set back.

*What proves a frame.* A nonce of ours is drawn at the start, and again whenever another run of the
partner is believed. Only who hears a nonce can echo it, so a frame that echoes one was made after
it was drawn. A frame is believed in two cases:

* it is of the run in force and has a larger sequence than any believed: it was made after a frame
  that is proven already, so that its echo does not matter;
* it echoes our newest nonce, which was drawn when the run in force was first believed, or later.
  Its sender lived after that, and as a gateway has one run at a time, its run is the later one,
  whatever its incarnation. It is in force now, a new nonce is drawn, and no frame of any run
  before can echo that one.

Frames that a slow link or an attacker held back while their run was in force are believed like
any other that was late; no protocol without common clocks can tell the two apart.

*Challenge.* A run whose incarnation is not newer than that in force, or the run in force with
sequences that went back (a virtual machine set back to a snapshot), must echo more: a challenge,
which is a nonce drawn after the last frame that was believed. It is drawn if such frames come
while the partner has been silent for :data:`QUIET` frames of ours, once, until a frame is
believed. So two gateways that both hold the key and live at once do not take turns: the newer one
stays. And a replay makes us draw no more than one nonce for each frame of the partner.

*What we echo.* The newest nonce of the run in force, or that of a stranger, as the sender of a
genuine frame is called that is not believed: it may be the partner restarted, who believes us
only if we echo it. While a run is in force, strangers have every other frame of ours at most,
which costs nothing: a partner of this release, for whom we are in force, needs no echo. Release
0.1 does, so that its nonce gives way only after it was silent for a frame of ours. An attacker
can bring many strangers, at any rate, so one is chosen again for each frame of ours: by turns the
newest frame of the largest incarnation that came since our last, which is the partner's but for a
clock set back, and one by lot, each nonce with the same chance however often it came. A single
frame of ours that echoes the partner's newest nonce suffices: then it believes us, echoes ours,
and we believe it. Frames with our own node number (of a former run of ours, or of a partner with
our name) come last in the first of the two.

*Versions.* We send version 2 once the run in force has shown that it reads it. A stranger that
does not, heard since the partner fell silent, may be the partner restarted with an older
release: version 1, which every release reads, is sent then; but every fourth frame stays version
2, as the strangers may be a replay and the fields of version 2 matter. While the partner is
believed between any two of our frames, no stranger changes the version.
"""

import hashlib
from dataclasses import dataclass

from havpn_core.pair.wire.heads import NONCE_BYTES, Head, Run, following, mark

QUIET = 2
"""The partner is silent once so many frames of ours were sent since its last believed one."""
PLAIN_RUN = 3
"""So many frames of version 1 are sent in a row to a partner that may be an older release."""
LATE = 32
"""A frame that so many newer ones overtook at most came over a slower link, not from a record."""
_LAST_SEQUENCE = 2**32 - 1
_NOBODY = bytes(NONCE_BYTES)


@dataclass(slots=True)
class _Partner:
    """The run in force: its newest frame, and the version that it reads."""

    newest: Head
    speaks: int


class Sessions:
    """Keeps both ends' runs apart.

    :param incarnation: of our run.
    :param nonce: our first one, :data:`~havpn_core.pair.wire.heads.NONCE_BYTES` random bytes.
    """

    def __init__(self, incarnation: int, nonce: bytes) -> None:
        self._incarnation = incarnation
        # Zeros echo nobody: as a nonce they would be proven by everybody.
        self._nonce = nonce if nonce != _NOBODY else following(nonce)
        self._sequence = 0
        self._partner: _Partner | None = None
        self._courted = False  # our last frame echoed a stranger though a run is in force
        self._forget()

    def _forget(self) -> None:
        """Begin again with what goes from one believed frame to the next."""
        self._sent = 0  # frames of ours
        self._challenged = False  # the newest nonce was drawn
        self._disputed = False  # frames came that only a challenge can prove
        self._old_release = False  # a stranger came that reads version 1 only
        self._plain = 0  # frames of version 1 in a row because of that
        self._echo = _NOBODY  # of the stranger chosen; zeros if none came
        self._rank: tuple[int, ...] | None = None  # of that stranger, since our last frame

    @property
    def speaks(self) -> int | None:
        """The version of the protocol that the partner reads; ``None`` before it is believed."""
        return None if self._partner is None else self._partner.speaks

    @property
    def sequence(self) -> int:
        """That of our newest frame; 0 before the first one."""
        return self._sequence

    @property
    def run(self) -> Run:
        """Our run."""
        return self._incarnation, mark(self._nonce)

    def head(self) -> Head:
        """Make the head of our next frame, but for the key; counts as sent."""
        if self._disputed and not self._challenged and self._sent >= QUIET:
            self._nonce, self._challenged = following(self._nonce), True
        if self._sequence == _LAST_SEQUENCE:  # years of frames: goes on as a new run
            self._incarnation, self._sequence = self._incarnation + 1, 0
        self._sequence += 1
        head = Head(
            self._version(), b"", self._incarnation, self._nonce, self._best_echo(), self._sequence
        )
        self._sent, self._rank = self._sent + 1, None
        return head

    def _version(self) -> int:
        if self._partner is None or self._partner.speaks == 1:
            return 1
        if self._old_release and self._sent and self._plain < PLAIN_RUN:
            self._plain += 1
            return 1
        self._plain = 0
        return 2

    def _best_echo(self) -> bytes:
        """Choose the echo: what may be the partner restarted has every other frame at most."""
        partner = self._partner
        if partner is None:
            return self._echo
        free = partner.speaks > 1 or self._sent > 0
        self._courted = free and self._echo != _NOBODY and not self._courted
        return self._echo if self._courted else partner.newest.nonce

    def judge(self, head: Head, speaks: int, *, namesake: bool) -> str:
        """Say what happens to a genuine frame.

        :param speaks: the version of the protocol that its sender reads.
        :param namesake: whether it has our own node number.
        :returns: ``good`` if it is believed; ``self`` for one of our own run; ``duplicate`` for
            the newest one once more, ``late`` for one that newer ones overtook; ``replay`` for
            one of a run that is not newer than the one in force; else ``greeting``.
        """
        if self._next(head):
            self._partner = _Partner(head, speaks)
            self._forget()
            return "good"
        if head.run == self.run:
            return "self"
        if self._newer_of_same(head) or self._proven(head):
            self._believe(head, speaks)
            return "good"
        older = self._not_newer(head)
        self._disputed = self._disputed or older
        if self._same(head):
            return self._behind(head)
        self._meet(head, speaks, namesake)
        return "replay" if older else "greeting"

    def _next(self, head: Head) -> bool:
        """Whether the frame follows the newest one, with the same nonce: nearly all of them do."""
        if self._partner is None:
            return False
        newest = self._partner.newest
        return (
            head.nonce == newest.nonce
            and head.incarnation == newest.incarnation
            and head.sequence > newest.sequence
        )

    def _same(self, head: Head) -> bool:
        return self._partner is not None and self._partner.newest.run == head.run

    def _newer_of_same(self, head: Head) -> bool:
        return self._same(head) and self._ahead(head) > 0

    def _ahead(self, head: Head) -> int:
        """By how many frames the head is ahead of the newest one of the run in force."""
        assert self._partner is not None
        return head.sequence - self._partner.newest.sequence

    def _behind(self, head: Head) -> str:
        ahead = self._ahead(head)
        if ahead == 0:
            return "duplicate"
        return "late" if ahead >= -LATE else "replay"

    def _not_newer(self, head: Head) -> bool:
        partner = self._partner
        return partner is not None and head.incarnation <= partner.newest.incarnation

    def _proven(self, head: Head) -> bool:
        """Whether the frame was made later than all that was believed."""
        return head.echo == self._nonce and (self._challenged or not self._not_newer(head))

    def _believe(self, head: Head, speaks: int) -> None:
        if not self._newer_of_same(head):
            self._nonce = following(self._nonce)
        self._partner = _Partner(head, speaks)
        self._forget()

    def _meet(self, head: Head, speaks: int, namesake: bool) -> None:
        """Take note of a stranger."""
        self._old_release = self._old_release or speaks == 1
        rank = self._rank_of(head, namesake)
        if self._rank is None or rank < self._rank:
            self._echo, self._rank = head.nonce, rank

    def _rank_of(self, head: Head, namesake: bool) -> tuple[int, ...]:
        """Order the strangers that come before our next frame: the least one is echoed."""
        if self._sequence % 2 == 0:
            return namesake, -head.incarnation, -head.sequence
        lot = repr((head.nonce, head.incarnation, self._sequence)).encode()
        return tuple(hashlib.sha256(lot).digest())
