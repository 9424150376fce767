"""Pure: the figures of a comparison, and how they are written."""

from collections.abc import Sequence
from statistics import median

from benchmarks.compare.results import Cost, Lossy, Measured
from benchmarks.figures import quantile

UNKNOWN = "not measured"


def outages(found: Measured | None) -> str:
    """Write the clients' outages of a fault: median, p95 and how many."""
    if found is None:
        return UNKNOWN
    return _of([run.outage_s for run in found.runs], "lost")


def failbacks(found: Measured | None) -> str:
    """Write the clients' gaps after the faults were mended, and where nobody came home."""
    if found is None:
        return UNKNOWN
    text = _of([run.back_s for run in found.runs], "not back")
    away = sum(not run.home for run in found.runs)
    return f"{text}; not home {away} of {len(found.runs)}" if away else text


def _of(values: Sequence[float | None], lost: str) -> str:
    known = [value for value in values if value is not None]
    missing = len(values) - len(known)
    if not known:
        return f"**{lost}** ({len(values)})"
    text = f"{median(known):.2f} / {quantile(known, 0.95):.2f} ({len(values)})"
    return f"{text}, **{lost}** {missing} of {len(values)}" if missing else text


def apart_s(found: Measured | None) -> str:
    """Write for how long requests and replies used different lines while a fault lasted."""
    if found is None:
        return UNKNOWN
    return f"{median(run.apart_s for run in found.runs):.1f}"


def lost(lossy: Lossy | None) -> str:
    """Write the client's loss in percent."""
    return UNKNOWN if lossy is None else f"{100 * lossy.lost / lossy.sent:.1f}"


def moves(lossy: Lossy | None) -> str:
    """Write how often the line of requests, and that of replies, changed."""
    return UNKNOWN if lossy is None else f"{lossy.moves[0]} / {lossy.moves[1]}"


def moves_per_hour(lossy: Lossy | None) -> str:
    """Write the moves of both sites together in an hour at this rate."""
    return UNKNOWN if lossy is None else f"{sum(lossy.moves) * 3600 / lossy.seconds:.0f}"


def apart(lossy: Lossy | None) -> str:
    """Write the share of time on two different lines, in percent."""
    return UNKNOWN if lossy is None else f"{100 * lossy.apart:.0f}"


def costs(cost: Cost | None) -> list[str]:
    """Write what a contender needs: processor, memory, lines of configuration."""
    if cost is None:
        return [UNKNOWN] * 3
    share, size = f"{100 * cost.processor:.1f} %", f"{cost.memory / 2**20:.0f} MiB"
    return [share, size, str(cost.config_lines)]
