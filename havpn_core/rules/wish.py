"""Pure: make the one wish of this gateway, a role with its reason, out of everything that counts.

No other module makes a wanted role. What decides, strongest first: the end of the daemon, the
pair (which knows of force and paths, and of the partner), unfitness, an operator's force, and the
paths. Where nothing is known, the role that was wanted before stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from havpn_core.rules.role import PathView, Role, wanted_role

FEW = 3
"""So many paths are named with their causes."""


class Stopping(Enum):
    """What the end of the daemon does to the role: ``[node] on_stop``."""

    KEEP = "keep"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class PairWish:
    """What the pair wants of this gateway.

    :param role: ``None`` while the pair does not know.
    :param reason: why, for people.
    """

    role: Role | None
    reason: str


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a wish follows from.

    :param before: the role wanted so far; ``None`` before the first one.
    :param paths: what is known of each path, by its name.
    :param give_up_on: ``any`` or ``all``, as for :func:`~havpn_core.rules.role.wanted_role`.
    :param unfit: why this gateway cannot serve, its paths aside; empty while it can, or while
        that is not known.
    :param pair: the pair's wish where there is a pair.
    :param forced: the role that an operator forces.
    :param paused: an operator lets no role be carried out.
    :param stopping: the daemon is about to end.
    :param causes: why each path that is not up is so, by its name; some may be missing.
    :param unable: why this gateway is unfit, its paths aside; empty while it is fit. In a pair the
        pair decides what follows, so this is for people alone.
    """

    before: Role | None = None
    paths: Mapping[str, PathView] = field(default_factory=dict)
    give_up_on: str = "any"
    unfit: str = ""
    pair: PairWish | None = None
    forced: Role | None = None
    paused: bool = False
    stopping: Stopping | None = None
    causes: Mapping[str, str] = field(default_factory=dict)
    unable: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What this gateway is to be.

    :param role: ``None`` as long as nothing may be done, as before the first verdict.
    :param reason: why, for people.
    :param held: nothing is carried out for now, whatever the role.
    """

    role: Role | None = None
    reason: str = ""
    held: bool = False


def decide(situation: Situation) -> Wish:
    """Make the wish."""
    if situation.stopping is Stopping.RELEASE:
        return Wish(Role.STANDBY, "the daemon stops and releases the role")
    if situation.stopping is Stopping.KEEP:
        return Wish(situation.before, "the daemon stops and keeps the role", held=True)
    role, reason = _called_for(situation)
    # A pair that wants nothing yet must not have an old wish enforced meanwhile.
    waits = situation.pair is not None and role is None
    return Wish(situation.before if role is None else role, reason, situation.paused or waits)


def _called_for(situation: Situation) -> tuple[Role | None, str]:
    if situation.pair is not None:
        return situation.pair.role, _of_pair(situation.pair.reason, situation)
    if situation.unfit:
        return Role.STANDBY, situation.unfit
    if situation.forced is not None:
        return situation.forced, f"forced to {situation.forced.value} by an operator"
    role = wanted_role(tuple(situation.paths.values()), give_up_on=situation.give_up_on)
    return role, _because(role, situation.paths, situation.causes)


def _of_pair(reason: str, situation: Situation) -> str:
    """Add to the pair's reason what only this gateway knows: why it is at fault itself."""
    if "unfit here" in reason and situation.unable:
        return f"{reason}; {situation.unable}"
    if any(f"path {word} here" in reason for word in ("down", "recovering", "unknown")):
        paths = situation.paths
        faulty = [n for n, path in paths.items() if situation.causes.get(n) and not path.serves]
        if faulty:
            return f"{reason}; {_with_causes(faulty, 'down', situation.causes)}"
    return reason


def _because(role: Role | None, paths: Mapping[str, PathView], causes: Mapping[str, str]) -> str:
    """Name the paths that call for a role."""
    if role is None:
        silent = [name for name, path in paths.items() if not path.heard]
        return f"nothing is known yet of {_listed(silent)}"
    serving = [name for name, path in paths.items() if path.heard and path.serves]
    if role is Role.ACTIVE:
        return f"{_listed(serving)} up" if serving else "no path calls for standby"
    unknown = [name for name, path in paths.items() if path.heard and _is_unknown(path)]
    down = [n for n, path in paths.items() if path.heard and not path.serves and n not in unknown]
    groups = ((down, "down"), (unknown, "unknown"))
    words = [_with_causes(names, word, causes) for names, word in groups if names]
    return ("; " if any(causes.get(name) for name in (*down, *unknown)) else ", ").join(words)


def _with_causes(names: list[str], word: str, causes: Mapping[str, str]) -> str:
    """Say of paths that they are so and why, of the first few where there are many."""
    if not any(causes.get(name) for name in names):
        return f"{_listed(names)} {word}"
    said = [f"path {n} {word}" + (f": {causes[n]}" if causes.get(n) else "") for n in names[:FEW]]
    more = len(names) - FEW
    return "; ".join(said) + (f"; {more} more {word}" if more > 0 else "")


def _is_unknown(path: PathView) -> bool:
    """Whether a path does not serve for want of samples alone."""
    return not path.serves and not path.known


def _listed(names: list[str]) -> str:
    return ("path " if len(names) == 1 else "paths ") + ", ".join(names)
