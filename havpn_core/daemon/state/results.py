"""Pure: say what a command did, in sentences with the role, its reason and how long it lasts."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Now:
    """How this gateway is, right after a command.

    :param wanted: the role that the daemon wants; ``None`` while that is not decided.
    :param observed: the role that is in force; ``None`` while that is not known or changing.
    :param reason: why the wanted role is wanted.
    :param paused: an operator lets no role be carried out.
    """

    wanted: str | None
    observed: str | None
    reason: str
    paused: bool = False


def stands(now: Now) -> str:
    """Say which role this gateway has, and why, or what it is on the way to."""
    why = f" ({now.reason})" if now.reason else ""
    if now.wanted is None:
        has = f" and stays {now.observed}" if now.observed else ""
        return f"this gateway has decided on no role yet{has}{why}"
    if now.observed == now.wanted:
        return f"this gateway is {now.observed}{why}"
    still = f"is still {now.observed}" if now.observed else "changes its role, or shows none"
    return f"this gateway {still}; it is to be {now.wanted}{why}"


def paused(now: Now, *, already: bool) -> str:
    """Say what ``havpn pause`` did.

    :param already: whether it was paused before.
    """
    role = f"this gateway stays {now.observed}" if now.observed else "this gateway changes nothing"
    done = "It was paused already" if already else "Paused"
    return f"{done}: {role} whatever its paths do, until havpn resume."


def resumed(now: Now, *, paused: bool) -> str:
    """Say what ``havpn resume`` did.

    :param paused: whether it was paused before.
    """
    return f"{'Resumed' if paused else 'It was not paused'}: {stands(now)}."


def switched(to: str | None, until: str, now: Now) -> str:
    """Say what ``havpn switch`` did.

    :param to: the role that is forced; ``None``: none is any more.
    :param until: when the force ends by itself, and in how long; empty: it does not.
    """
    if to is None:
        return f"Back to auto: {stands(now)}.{_while_paused(now)}"
    end = f"until {until}" if until else "until havpn switch --to auto"
    if now.observed == to:
        found = f"this gateway is {to}"
    elif now.wanted == to:
        found = f"it is {now.observed} still" if now.observed else "the change is under way"
    else:
        found = f"but {stands(now)}"
    return f"Forced to {to} {end}: {found}.{_while_paused(now)}"


def not_forced(now: Now) -> str:
    """Say what ``havpn switch --to auto`` did where no role was forced."""
    return f"No role was forced: {stands(now)}.{_while_paused(now)}"


def cleared(paths: list[str]) -> str:
    """Say what ``--clear`` did.

    :param paths: those that were held by damping.
    """
    if not paths:
        return "No path was held by damping; all flaps are forgotten."
    names = f"path {paths[0]}" if len(paths) == 1 else f"paths {', '.join(paths)}"
    return f"The hold of {names} is over: up again as soon as the line replies for long enough."


def reloaded(file: str, difference: str, now: Now, troubles: Sequence[str] = ()) -> str:
    """Say what ``havpn reload`` did.

    :param difference: what is new, changed and gone; empty if nothing is.
    :param troubles: what is wrong with the plugins that are enabled, in sentences.
    """
    said = f"Reloaded {file}: {difference or 'nothing has changed'}. {_begun(stands(now))}."
    return " ".join([said, *(f"{_begun(text)}." for text in troubles)])


def _while_paused(now: Now) -> str:
    return " It is paused: no role is carried out before havpn resume." if now.paused else ""


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
