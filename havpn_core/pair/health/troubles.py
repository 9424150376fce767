"""What is wrong with a pair that still works, or works no more: begun once, ended once.

Pure: no clock, socket or thread here; every time is in seconds of this gateway's monotonic clock.

Each trouble has a key. It begins once its condition has held for long enough, and ends once that
has not held for :data:`CALM_S`; between two beginnings lie :data:`APART_S` at the least. So a fact
that comes and goes makes no storm of events, and a start makes none at all.
"""

from collections.abc import Iterator
from typing import NamedTuple

from havpn_core.durations import Duration
from havpn_core.pair.health.standing import Standing

START_S = 3.0
"""The least time for which a start, or a wake, is given to settle."""
NEVER_S = 10.0
"""Seconds after which a link that never brought a frame is a dead one."""
LEAST_S = 1.0
"""The least time for which a link is silent, or the partner deaf, before that is a trouble."""
CALM_S = 2.0
APART_S = 10.0
FOREIGN = 3
"""Frames in a row that are not believed, for one may be damaged."""
FOREIGN_S = 5.0
"""Seconds within which the next such frame comes."""
BROADCAST = "broadcast"
"""The link that is at work in need only: its silence is no trouble."""

NAMES = "equal names"
PRIORITIES = "equal priorities"
WRONG_KEY = "wrong key"
VERSION = "other protocol version"
DEAF = "not heard by the partner"
RAISED = "dead raised"
LOST = "partner lost"
STOPPED = "partner stopped"
LINK_LOST = "link lost"

_ENDS = {LOST: "partner back", STOPPED: "partner back", LINK_LOST: "link back"}
_KEPT = {NAMES, PRIORITIES, RAISED, LINK_LOST}
"""Troubles of which a silent partner says nothing: they neither begin nor end then."""
_NOT_BELIEVED = {WRONG_KEY: ("key", "mac"), VERSION: ("version",)}


_TEXTS = {
    WRONG_KEY: "frames come that are signed with another key: copy pair.key_file to both gateways "
    "and run havpn reload on both",
    VERSION: "frames come of another version of the protocol: install the same release of havpn "
    "on both gateways",
    NAMES: "the partner has the name of this gateway: write another node.name on one of them",
    DEAF: "the partner lives and does not receive our frames: check its firewall, and the cables "
    "of pair.link in the direction to it",
    STOPPED: "the partner stopped in order, for a restart or an upgrade: start it again if it does "
    "not come back",
    LOST: "the partner is silent on all links: see whether it runs (havpn status there), and check "
    "the cables and addresses of pair.link",
}
_OVER = {
    WRONG_KEY: "no more frames come that are signed with another key",
    VERSION: "no more frames come of another version of the protocol",
    NAMES: "the names of the gateways differ now",
    PRIORITIES: "the priorities of the gateways differ now",
    DEAF: "the partner receives our frames, or is silent itself",
    RAISED: "pair.dead is taken as it is written",
    LOST: "the partner is heard again",
    STOPPED: "the partner is heard again",
}


class News(NamedTuple):
    """A trouble that began or ended.

    :param word: the event's word.
    :param text: a sentence with the remedy.
    :param bad: whether that is a warning.
    """

    word: str
    text: str
    bad: bool


class Claim(NamedTuple):
    """A trouble that there is now, if it lasts.

    :param name: of the link that it is about; empty for the pair.
    :param after_s: how long it has to last.
    """

    word: str
    name: str
    text: str
    after_s: float = 0.0


class Foreign:
    """Counts frames of one kind that are not believed, as they come."""

    def __init__(self) -> None:
        self._total: int | None = None
        self._run, self._last_s = 0, 0.0

    def many(self, total: int, now_s: float) -> bool:
        """Whether several have come in a row, the last one recently."""
        before, self._total = self._total, total
        if now_s - self._last_s > FOREIGN_S:
            self._run = 0
        if before is not None and total > before:
            self._run, self._last_s = self._run + total - before, now_s
        return self._run >= FOREIGN


class _Trouble:
    """One trouble over time."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.since_s: float | None = None  # the condition has held since then
        self.seen_s = 0.0  # when it held last
        self.begun_s: float | None = None
        self.shown = False


class Troubles:
    """The troubles of one pair.

    :param now_s: when it starts.
    """

    def __init__(self, now_s: float) -> None:
        self._start_s = now_s
        self._troubles: dict[tuple[str, str], _Trouble] = {}
        self._foreign = {word: Foreign() for word in _NOT_BELIEVED}

    def wake(self, now_s: float) -> None:
        """Take in that this gateway did not run: what it did not hear is no trouble yet."""
        self._start_s = now_s
        for each in self._troubles.values():
            each.since_s = None

    @property
    def sentences(self) -> list[str]:
        """What is wrong now, for people."""
        return [each.claim.text for each in self._troubles.values() if each.shown]

    def update(self, standing: Standing, now_s: float) -> list[News]:
        """Take the facts and the time in; gives what began and what ended."""
        for _, name in list(self._troubles):
            if name and name not in standing.links:
                del self._troubles[LINK_LOST, name]  # a reload has removed the link
        claims = {
            (claim.word, claim.name): claim
            for claim in self._claims(standing, now_s - self._start_s, now_s)
        }
        for key, claim in claims.items():
            self._troubles.setdefault(key, _Trouble(claim))
        if now_s - self._start_s < max(standing.dead_s, START_S):
            return []
        news = (
            self._step(each, claims.get(key), now_s)
            for key, each in self._troubles.items()
            if standing.heard or each.claim.word not in _KEPT
        )
        return [one for one in news if one is not None]

    def _step(self, trouble: _Trouble, claim: Claim | None, now_s: float) -> News | None:
        if claim is None:
            trouble.since_s = None
            if trouble.shown and now_s - trouble.seen_s >= CALM_S:
                trouble.shown = False
                return _over(trouble.claim)
            return None
        trouble.claim, trouble.seen_s = claim, now_s
        if trouble.since_s is None:
            trouble.since_s = now_s
        rested = trouble.begun_s is None or now_s - trouble.begun_s >= APART_S
        if trouble.shown or not rested or now_s - trouble.since_s < claim.after_s:
            return None
        trouble.shown, trouble.begun_s = True, now_s
        return News(claim.word, claim.text, claim.word != STOPPED)

    def _claims(self, standing: Standing, age_s: float, now_s: float) -> Iterator[Claim]:
        for word, verdicts in _NOT_BELIEVED.items():
            total = sum(standing.frames.get(verdict, 0) for verdict in verdicts)
            if self._foreign[word].many(total, now_s) and not standing.heard:
                yield Claim(word, "", _TEXTS[word])
        yield from _of_partner(standing)
        yield from _of_links(standing, age_s)


def _of_partner(standing: Standing) -> Iterator[Claim]:
    """Say what is wrong with the partner."""
    if standing.stopping:
        yield Claim(STOPPED, "", _TEXTS[STOPPED])
    elif not standing.heard:
        yield Claim(LOST, "", _TEXTS[LOST])
    if not standing.heard:
        return
    if standing.same_name:
        yield Claim(NAMES, "", _TEXTS[NAMES])
    if standing.partner_priority == standing.priority:
        text = (
            f"both gateways have priority {standing.priority}, and neither is preferred: write "
            "another pair.priority on one of them"
        )
        yield Claim(PRIORITIES, "", text)
    if not standing.hears:
        yield Claim(DEAF, "", _TEXTS[DEAF], max(standing.dead_s, LEAST_S))
    if standing.raised is not None:
        before, after = (Duration(round(each, 3)) for each in standing.raised)
        text = (
            f"pair.dead is raised from {before} to {after}, three times the slower interval of "
            f'both gateways: write dead = "{after}", or a shorter pair.interval on the slower one'
        )
        yield Claim(RAISED, "", text)


def _of_links(standing: Standing, age_s: float) -> Iterator[Claim]:
    """Say which links are dead while the partner lives: its silence is one trouble, not many."""
    for name, silent_s in standing.links.items():
        if name == BROADCAST or not standing.heard:
            continue
        check = f"check its cable, its addresses and the firewall (pair.link.{name})"
        if silent_s is None:
            if age_s >= NEVER_S:
                yield Claim(LINK_LOST, name, f"link {name} has never brought a frame: {check}")
        elif silent_s >= max(standing.dead_s, LEAST_S):
            yield Claim(LINK_LOST, name, f"link {name} brings no frames any more: {check}")


def _over(claim: Claim) -> News:
    """Say that a trouble has ended."""
    text = _OVER.get(claim.word) or f"link {claim.name} brings frames again"
    return News(_ENDS.get(claim.word, f"{claim.word} over"), text, False)
