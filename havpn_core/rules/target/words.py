"""Say in one line when a path is given up, and why. Pure."""

from havpn_core.rules.target.record import Record
from havpn_core.rules.target.rule import Limits, Target

MOST_H = 10000.0


def sentence(limits: Limits, record: Record, target: Target) -> str:
    """Say it: ``gives up after 0.31 s of silence: loss 0.3 %, no spells; about 1 false ...``.

    :param record: what it was derived from.
    """
    found = f"gives up after {_seconds(limits.silence_s)} of silence: {past(record)}"
    found += f"; {often(limits.per_s)}"
    if not limits.kept:
        found += f", more than wanted: no silence over {_seconds(target.ceiling_s)} is waited for"
    return found


def past(record: Record) -> str:
    """Say what a line did so far, such as ``loss 0.3 %, spells to 0.2 s``."""
    longest_s = record.longest_s
    spells = f"spells to {_seconds(longest_s)}" if longest_s else "no spells"
    return f"loss {_percent(record.loss)}, {spells}"


def often(per_s: float) -> str:
    """Say how often a path is given up falsely, such as ``about 1 false switch in 240 h``."""
    hours = 1 / (per_s * 3600) if per_s > 0 else float("inf")
    if hours > MOST_H:
        return f"less than 1 false switch in {MOST_H:g} h"
    if hours >= 1:
        return f"about 1 false switch in {hours:.2g} h" if hours < 10 else _whole(hours)
    return f"about {1 / hours:.2g} false switches an hour"


def _whole(hours: float) -> str:
    digits = 2 if hours < 1000 else 3
    step = 10 ** (len(str(int(hours))) - digits)
    return f"about 1 false switch in {round(hours / step) * step:g} h"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def _percent(share: float) -> str:
    return f"{share * 100:.2g} %" if share < 0.995 else "100 %"
