"""Everything of the public interface that is to go, in one place.

An entry stays until the version that it names; pluggy then warns each plugin that still implements
the hook (``warn_on_impl``), with the words made here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Deprecation:
    """A hook that is to go.

    :param instead: what to implement in its place.
    :param removed_in: the version that has it no longer.
    """

    hook: str
    instead: str
    removed_in: str


DEPRECATIONS: tuple[Deprecation, ...] = ()
"""None yet."""


def warning_for(
    hook: str, known: tuple[Deprecation, ...] = DEPRECATIONS
) -> DeprecationWarning | None:
    """Give what pluggy is to warn of when a hook is implemented; ``None`` if it stays."""
    for each in known:
        if each.hook == hook:
            return DeprecationWarning(
                f"{hook} goes away in havpn {each.removed_in}: implement {each.instead} instead"
            )
    return None
