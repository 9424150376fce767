"""Pure: say in words which kind of a path's probes fails, and which does well."""

from collections.abc import Mapping, Sequence

from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.vote import Kind

PLAIN = "no reply"
"""What is said of a probe that has nothing more to say."""


def sentence(kinds: Sequence[Kind], details: Mapping[str, Sequence[str]]) -> str:
    """Name the kinds that fail, such as ``tunnel: no reply in 12 probes; the line is well``.

    :param details: by kind what its probes have to say of their failures.
    :returns: empty if none fails.
    """
    bad = [_bad(kind, details.get(kind.name, ())) for kind in kinds if not _well(kind)]
    if not any(bad):
        return ""
    return "; ".join(filter(None, [*bad, *(f"the {k.name} is well" for k in kinds if _well(k))]))


def _well(kind: Kind) -> bool:
    return kind.outcome is Outcome.OK and not kind.run


def _bad(kind: Kind, details: Sequence[str]) -> str:
    said = ", ".join(dict.fromkeys(text for text in details if text and text != PLAIN))
    probes = "1 probe" if kind.run == 1 else f"{kind.run} probes"
    if kind.run:
        return (
            f"{kind.name}: {said} ({probes} failed)"
            if said
            else (f"{kind.name}: {PLAIN} in {probes}")
        )
    if kind.outcome is Outcome.REFUSED:
        return f"{kind.name}: {said or 'the far host refuses'}"
    if kind.outcome is Outcome.ERROR:
        return f"{kind.name}: {said or 'cannot be tested'}"
    return ""
