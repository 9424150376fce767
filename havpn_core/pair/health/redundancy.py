"""Whether the other gateway could take over now, and if not, why: for people, with the remedy.

Pure: no clock, socket or thread here; every time is in seconds of this gateway's monotonic clock.

A site is redundant while either of its gateways could serve: then one fault costs seconds, and
without it the next fault costs the site. What counts is said by :func:`causes`, for each gateway
alike and for what lies between them; :class:`Redundancy` makes of it one event at the beginning and
one at the end, none for what is over within seconds, such as a failover, a restart or one frame
that was lost.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from havpn_core.pair.health.troubles import APART_S, News

LOST, BACK = "lost", "back"
UP = "up"
START_S = 10.0
"""A start, or a wake, is given this time to settle."""
SLEPT_S = 5.0
"""A host that did not look for so long slept."""
LASTS_S = 3.0
"""A cause lasts for so long before redundancy is lost."""
LONG_S = 10.0
"""So does one that a restart makes, or a path of which nothing is known."""
CALM_S = 5.0
"""So long there is no cause before redundancy is back."""


@dataclass(frozen=True, slots=True)
class Side:
    """One gateway, as far as it matters to whether it could take over.

    :param line: what its own paths make of it: ``up``, ``recovering`` or ``down``; ``None`` while
        nothing is known of them.
    :param why_line: why that is not ``up``, where that is known.
    :param fit: it can serve, its line aside; ``None``: not known, which counts as fit.
    :param why_unfit: why not, where that is known.
    :param maintenance: an operator has it stand by, or it ends and hands its role over.
    :param forced: an operator has it active, whatever its paths.
    :param paused: an operator lets it change nothing.
    :param rests: it tried to take the role and failed.
    :param refused: the far host refuses its probes for long.
    :param road: hosts behind the far gateway reply; ``None`` while that is not known.
    """

    line: str | None = UP
    why_line: str = ""
    fit: bool | None = None
    why_unfit: str = ""
    maintenance: bool = False
    forced: bool = False
    paused: bool = False
    rests: bool = False
    refused: bool = False
    road: bool | None = None


@dataclass(frozen=True, slots=True)
class Both:
    """Both gateways of a site as this one knows them.

    :param here: this gateway.
    :param paired: there is a partner; without a pair nothing is known of the other gateway.
    :param there: the living partner; ``None`` while it is silent.
    :param stopped: the partner's last frame said that it ends in order.
    :param hears: the living partner receives our frames.
    :param links: for each configured link whether it brings frames.
    """

    here: Side
    paired: bool = True
    there: Side | None = None
    stopped: bool = False
    hears: bool = True
    links: Mapping[str, bool] = field(default_factory=dict)


class Cause(NamedTuple):
    """Why one of the gateways could not take over now.

    :param key: which one it is.
    :param text: for people, with the remedy.
    :param after_s: for how long it must last before it counts.
    """

    key: str
    text: str
    after_s: float = LASTS_S


def causes(both: Both) -> tuple[Cause, ...]:
    """Say why one of the gateways could not take over now; empty while both could."""
    found = [*_between(both), *_of(both.here, "here")]
    if both.paired and both.there is not None:
        found += _of(both.there, "there")
    return tuple(found)


def _between(both: Both) -> Iterator[Cause]:
    """Say what is wrong between the two."""
    if not both.paired:
        return
    if both.stopped:
        text = "the partner stopped in order: start it if this is no restart or upgrade"
        yield Cause("stopped", text, LONG_S)
    elif both.there is None:
        text = (
            "the partner is silent: see whether it runs (havpn status there), and check the links"
        )
        yield Cause("silent", text)
    elif not both.hears:
        text = "the partner does not receive our frames: check its firewall, and the links to it"
        yield Cause("deaf", text)
    elif both.links and not any(both.links.values()):
        names = ", ".join(both.links)
        text = (
            f"no link brings frames, only the LAN does: check the cables and addresses of {names}"
        )
        yield Cause("links", text)


_WHO = {"here": "this gateway", "there": "the partner"}
_LOOK = {"here": "", "there": " (havpn status there says why)"}
_UNKNOWN = "not known"


def _of(side: Side, where: str) -> Iterator[Cause]:
    """Say why one gateway could not take over."""
    who, look = _WHO[where], _LOOK[where]
    if side.fit is False:
        yield Cause(f"unfit {where}", f"{who} is unfit{_why(side.why_unfit, look)}")
    if side.line != UP:
        text = f"the path of {who} is {side.line or _UNKNOWN}{_why(side.why_line, look)}"
        yield Cause(f"line {where}", text, LASTS_S if side.line else LONG_S)
    elif side.refused:
        text = f"the far responder of {who} is missing: start havpn on the far gateway of its line"
        yield Cause(f"refused {where}", text)
    if side.road is False:
        text = f"no host behind the far gateway of {who} replies: check the far LAN and the tunnel"
        yield Cause(f"road {where}", text)
    at = "" if where == "here" else " there"
    if side.maintenance:
        text = f"{who} stands by for maintenance: havpn switch --to auto{at} ends that"
        yield Cause(f"maintenance {where}", text)
    if side.forced:
        text = (
            f"{who} is forced to active, whatever its paths: havpn switch --to auto{at} ends that"
        )
        yield Cause(f"forced {where}", text)
    if side.paused:
        yield Cause(f"paused {where}", f"{who} is paused: havpn resume{at} ends that")
    if side.rests:
        text = f"{who} could not take the role: its actions failed, see havpn events{at}"
        yield Cause(f"rests {where}", text)


def _why(known: str, look: str) -> str:
    return f": {known}" if known else look


class Redundancy:
    """Whether redundancy is lost, over time.

    :param now_s: when it starts.
    """

    def __init__(self, now_s: float) -> None:
        self._start_s = self._last_s = now_s
        self._since: dict[str, float] = {}
        self._seen_s = float("-inf")
        self._begun_s: float | None = None
        #: what keeps the other gateway from taking over now, a sentence with the remedy each.
        self.causes: tuple[str, ...] = ()
        self.lost = False

    def update(self, found: Sequence[Cause], now_s: float) -> News | None:
        """Take in what :func:`causes` gives, at least once a second; gives what is news."""
        if now_s - self._last_s > SLEPT_S:
            self._start_s, self._seen_s, self._since = now_s, now_s, {}
        self._last_s = now_s
        self._since = {cause.key: self._since.get(cause.key, now_s) for cause in found}
        lasting = [c for c in found if now_s - self._since[c.key] >= c.after_s]
        self.causes = tuple(cause.text for cause in found)
        if found:
            self._seen_s = now_s
        return self._ended(now_s) if self.lost else self._began(lasting, now_s)

    def _began(self, lasting: Sequence[Cause], now_s: float) -> News | None:
        rested = self._begun_s is None or now_s - self._begun_s >= APART_S
        if not lasting or not rested or now_s - self._start_s < START_S:
            return None
        self.lost, self._begun_s = True, now_s
        return News(LOST, "; ".join(cause.text for cause in lasting), bad=True)

    def _ended(self, now_s: float) -> News | None:
        if now_s - self._seen_s < CALM_S or self._begun_s is None:
            return None
        self.lost = False
        return News(BACK, f"it was lost for {now_s - self._begun_s:.0f} s", bad=False)
