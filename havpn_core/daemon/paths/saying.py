"""Say in an event what happened to a path."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from havpn_core.daemon.paths.failing import sentence
from havpn_core.daemon.paths.making import Mood
from havpn_core.daemon.paths.path import PathRun
from havpn_core.daemon.state.path_status import CalmStatus
from havpn_core.plugging.descriptors import Event, EventKind, Severity
from havpn_core.plugging.stance import Stance
from havpn_core.rules.calm import Calm, Steady
from havpn_core.rules.hysteresis import Outcome, Transition, Verdict
from havpn_core.rules.refusal import News

MISSING, BACK = "far responder missing", "far responder back"
GREY, GREY_NO_MORE = "line grey", "line grey no more"


def verdict_event(run: PathRun, change: Transition, now_s: float) -> Event:
    """Report a path's verdict."""
    verdict = change.after.verdict
    bad = verdict in (Verdict.DOWN, Verdict.UNKNOWN)
    detail = "; ".join(_causes(run, verdict, now_s)) if bad else ""
    words = (change.before.verdict.value, verdict.value)
    severity = Severity.WARNING if bad else Severity.INFO
    return Event(EventKind.VERDICT, run.config.name, *words, detail, severity)


def quality_events(run: PathRun, before: Mood) -> Iterator[Event]:
    """Report that a line became poor or grey, or no longer is.

    :param before: how it was.
    """
    name, now, window = run.config.name, run.mood, run.watch.window
    detail = window.describe() if window else ""
    if now.poor is not before.poor:
        words = ("good", "poor") if now.poor else ("poor", "good")
        severity = Severity.WARNING if now.poor else Severity.INFO
        yield Event(EventKind.QUALITY, name, *words, detail, severity)
    if now.grey is not before.grey and now.grey:
        why = "; ".join(filter(None, (run.watch.calm.grey_text, detail)))
        yield Event(EventKind.PATH, name, "", GREY, why, Severity.WARNING)
    elif now.grey is not before.grey:
        yield Event(EventKind.PATH, name, GREY, GREY_NO_MORE, detail)


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


def calm_status(calm: Steady) -> CalmStatus | None:
    """Say when a path is given up by its target; ``None`` where it has none."""
    if not isinstance(calm, Calm) or not calm.applies:
        return None
    limits, record = calm.now, calm.record
    return CalmStatus(
        fall=limits.fall,
        floor_ms=round(limits.floor_s * 1000, 1),
        silence_ms=round(limits.silence_s * 1000, 1),
        loss=round(record.loss, 6),
        loss_reckoned=round(limits.loss, 6),
        spells=round(record.longest_s, 3),
        jitter_ms=round(record.jitter_s * 1000, 3),
        per_h=float(f"{limits.per_s * 3600:.3g}"),
        target_per_h=round(calm.target.per_s * 3600, 6),
        kept=limits.kept,
        text=calm.text(),
    )


def failing(run: PathRun) -> str:
    """Say which kind of the path's probes fails; empty if none does, or all watch the line."""
    watches = run.config.watches
    return "" if set(watches.values()) <= {"line"} else _failing(run)


def cause(run: PathRun) -> str:
    """Say in a few words why the path is not up, for the reason of a role."""
    if run.without_carrier:
        return f"{', '.join(run.without_carrier)} has no carrier"
    if run.watch.poor and run.watch.window is not None:
        return f"line poor, {run.watch.window.describe()}"
    return _failing(run)


def _failing(run: PathRun) -> str:
    watches, details = run.config.watches, dict[str, list[str]]()
    for name, tally in run.tallies.items():
        text = run.probes[name].explanation()
        if text is None and tally.last is not None and tally.outcome is not Outcome.OK:
            text = tally.last.detail
        details.setdefault(watches.get(name, "line"), []).append(text or "")
    return sentence(run.watch.standing.each, details)


def stance_towards(instance: str, stance: Stance, paths: Mapping[str, PathRun]) -> Stance:
    """Give how this gateway stands, with what it believes of the path of that probe.

    :param instance: as ``path.vpn1.probe.line``.
    """
    run = paths.get(instance.removeprefix("path.").rpartition(".probe.")[0])
    return stance if run is None else _towards(stance, run.verdict)


_TOWARDS: dict[Verdict, tuple[Stance, Stance]] = {}


def _towards(stance: Stance, verdict: Verdict) -> Stance:
    """Give the same value again and again, as a stream takes it for each packet."""
    known = _TOWARDS.get(verdict)
    if known is None or known[0] is not stance:
        known = _TOWARDS[verdict] = stance, replace(stance, verdict=verdict)
    return known[1]


def _causes(run: PathRun, verdict: Verdict, now_s: float) -> list[str]:
    """Say why a path is believed to be down or unknown."""
    details = [failing(run)] if failing(run) else _details(run)
    details += [f"{device} has no carrier" for device in run.without_carrier]
    hold = run.watch.memory.flaps.held_until_s - now_s
    if verdict is Verdict.DOWN and hold > 0:
        penalty = run.watch.memory.penalty(now_s)
        details.append(f"flapping, penalty {penalty:.1f}: not up again before {hold:.0f} s")
    return details


def _details(run: PathRun) -> list[str]:
    """Give what each probe says."""
    details = []
    for name, tally in run.tallies.items():
        last = tally.last
        details.append(run.probes[name].explanation() or (last.detail if last else ""))
    return [text for text in details if text]
