"""Say in an event what became of a path."""

from havpn_core.daemon.paths.path import PathRun
from havpn_core.plugging.descriptors import Event, EventKind, Severity
from havpn_core.rules.hysteresis import Outcome, Transition, Verdict
from havpn_core.rules.refusal import News

MISSING, BACK = "far responder missing", "far responder back"


def verdict_event(run: PathRun, change: Transition, now_s: float) -> Event:
    """Report a path's verdict."""
    verdict = change.after.verdict
    bad = verdict in (Verdict.DOWN, Verdict.UNKNOWN)
    detail = "; ".join(_causes(run, verdict, now_s)) if bad else ""
    words = (change.before.verdict.value, verdict.value)
    severity = Severity.WARNING if bad else Severity.INFO
    return Event(EventKind.VERDICT, run.config.name, *words, detail, severity)


def refusal_event(run: PathRun, news: News) -> Event:
    """Report that nobody listens on the far host, or that somebody does again."""
    name, for_s = run.config.name, f"for {news.for_s:.1f} s"
    if not news.missing:
        return Event(EventKind.PATH, name, MISSING, BACK, f"it was missing {for_s}")
    if news.brief:
        return Event(EventKind.PATH, name, "", MISSING, f"{for_s}, as during a restart")
    refused = [
        t.last.detail for t in run.tallies.values() if t.outcome is Outcome.REFUSED and t.last
    ]
    return Event(EventKind.PATH, name, "", MISSING, "; ".join(refused), Severity.WARNING)


def _causes(run: PathRun, verdict: Verdict, now_s: float) -> list[str]:
    """Say why a path is believed to be down or unknown."""
    details = [t.last.detail for t in run.tallies.values() if t.last and t.last.detail]
    details += [f"{device} has no carrier" for device in run.without_carrier]
    hold = run.watch.flaps.held_until_s - now_s
    if verdict is Verdict.DOWN and hold > 0:
        penalty = run.watch.penalty(now_s)
        details.append(f"flapping, penalty {penalty:.1f}: not up again before {hold:.0f} s")
    return details
