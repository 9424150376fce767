"""Pure: whether all is well at a gateway, as monitoring counts it, and who could take over."""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from havpn_core.daemon.state.pair_status import PairStatus
from havpn_core.daemon.state.status import Status
from havpn_core.showing.pair import dead_links, partner_troubles, silence
from havpn_core.showing.paths import conditions
from havpn_core.showing.words import span


class Level(IntEnum):
    """The exit status of a plugin of Nagios."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class Finding(NamedTuple):
    """Something that is not as it should be, in few words."""

    level: Level
    text: str


class Cover(NamedTuple):
    """Whether another gateway could take over from the one that serves.

    :param text: who, or why nobody could.
    """

    good: bool
    text: str


def worst(findings: Iterable[Finding]) -> Level:
    """Give the level of all findings together."""
    return max((each.level for each in findings), default=Level.OK)


def findings(status: Status) -> list[Finding]:
    """Name what is wrong now, the worst first."""
    if status.state == "stopped":
        return [Finding(Level.CRITICAL, "the daemon is stopped")]
    if not status.works:
        age = span(status.age_s)
        return [Finding(Level.CRITICAL, f"the daemon does not work, its status is {age} old")]
    found = [*_role(status), *_paths(status), *_fitness(status), *_operator(status)]
    found += _pair(status.pair) if status.pair is not None else ()
    found += _plugins(status)
    return sorted(found, key=lambda each: -each.level)


def _role(status: Status) -> Iterator[Finding]:
    role = status.role
    if status.holder in ("both", "nobody"):
        who = {"both": "both gateways have the VIP", "nobody": "nobody has the VIP"}
        yield Finding(Level.CRITICAL, who[status.holder])
    if role.wanted is None:
        yield Finding(Level.WARNING, "no role is decided yet")
    elif role.observed != role.wanted:
        text = f"{role.wanted} is wanted, in force is {role.observed or 'unknown'}"
        alone = role.wanted == "active" and status.holder != "partner"
        yield Finding(Level.CRITICAL if alone else Level.WARNING, text)


def _paths(status: Status) -> Iterator[Finding]:
    serving = any(path.verdict in ("up", "failing") for path in status.paths.values())
    lost = not serving and status.role.observed == "active"
    for name, path in status.paths.items():
        if path.verdict in ("down", "unknown"):
            level = Level.CRITICAL if lost else Level.WARNING
            yield Finding(level, f"path {name} {path.verdict}")
        elif path.verdict == "recovering":
            yield Finding(Level.WARNING, f"path {name} recovering")
        for text in conditions(path) if path.verdict == "up" else ():
            yield Finding(Level.WARNING, f"path {name} {text}")
        if path.flaps and path.flaps.hold_s:
            held = f"path {name} held down by damping for {span(path.flaps.hold_s)}"
            yield Finding(Level.WARNING, held)
        if path.road and path.road.probing == "full" and path.road.verdict == "failed":
            yield Finding(Level.WARNING, f"road of path {name} failed")


def _fitness(status: Status) -> Iterator[Finding]:
    if status.fitness is not None and status.fitness.fit is False:
        yield Finding(Level.WARNING, f"unfit: {status.fitness.reason}")


def _operator(status: Status) -> Iterator[Finding]:
    role = status.role
    if role.forced:
        end = "permanently" if role.forced_s is None else f"for {span(role.forced_s)} more"
        yield Finding(Level.WARNING, f"forced to {role.forced} {end}")
    if status.state == "paused":
        yield Finding(Level.WARNING, "paused")


def _pair(pair: PairStatus) -> Iterator[Finding]:
    partner = pair.partner
    if partner is None:
        yield Finding(Level.WARNING, f"partner {silence(pair).partition(' (')[0]}")
    else:
        if partner.path != "up":
            yield Finding(Level.WARNING, f"partner's path {partner.path or 'unknown'}")
        if partner.fit is False:
            yield Finding(Level.WARNING, "partner unfit")
        yield from (Finding(Level.WARNING, f"partner: {t}") for t in partner_troubles(partner))
        yield from (Finding(Level.WARNING, f"link {name} dead") for name in dead_links(pair))
    if pair.dead_raised:
        yield Finding(Level.WARNING, "pair.dead raised")


def _plugins(status: Status) -> Iterator[Finding]:
    for name, action in status.actions.items():
        if action.error:
            yield Finding(Level.WARNING, f"action {name} fails: {action.error}")
        elif action.phase == "overridden":
            yield Finding(Level.WARNING, f"action {name} overridden")
    for name, notifier in status.notifiers.items():
        if notifier.error:
            yield Finding(Level.WARNING, f"notifier {name} fails: {notifier.error}")


def cover(status: Status) -> Cover | None:
    """Say whether another gateway could take over; ``None`` where that cannot be known.

    Of a gateway that stands by it is said whether it could itself.
    """
    pair, role = status.pair, status.role.observed
    if pair is None or role is None:
        return None
    if role == "active":
        why = [*_partner_lacks(pair)]
        said = "the partner could take over" if not why else f"NOBODY could: {', '.join(why)}"
    else:
        why = [*_self_lacks(status)]
        said = "this gateway could take over" if not why else f"not this one: {', '.join(why)}"
    return Cover(not why, said)


def _partner_lacks(pair: PairStatus) -> Iterator[str]:
    partner = pair.partner
    if partner is None:
        yield f"the partner is {silence(pair)}" if pair.heard_s is not None else "no partner yet"
        return
    if partner.path != "up":
        yield f"its path is {partner.path or 'unknown'}"
    if partner.fit is False:
        yield "the partner is unfit"
    words = partner_troubles(partner)
    yield from (word for word in words if word not in ("its line is grey", "forced to active"))


def _self_lacks(status: Status) -> Iterator[str]:
    for name, path in status.paths.items():
        if path.verdict not in ("up", "failing"):
            yield f"path {name} is {path.verdict}"
    if status.fitness is not None and status.fitness.fit is False:
        yield "it is unfit"
    if status.role.forced == "standby":
        yield "it is in maintenance"
    if status.state == "paused":
        yield "it is paused"
