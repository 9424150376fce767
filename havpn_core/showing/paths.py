"""Pure: what a status shows of the paths, and what it takes to switch."""

from collections.abc import Iterator
from datetime import datetime

from havpn_core.daemon.state.path_status import PathStatus, ProbeStatus
from havpn_core.showing.rows import Mood, Row
from havpn_core.showing.words import number, one_line, share, since, span, text, until

MOODS = {
    "up": Mood.GOOD,
    "failing": Mood.WARNING,
    "recovering": Mood.WARNING,
    "unknown": Mood.WARNING,
    "down": Mood.BAD,
}
OUTCOMES = {"ok": Mood.GOOD, "refused": Mood.WARNING, "error": Mood.WARNING, "fail": Mood.BAD}
ROADS = {"ok": Mood.GOOD, "unknown": Mood.PLAIN, "failed": Mood.BAD}


def path_rows(name: str, path: PathStatus, now: datetime | None) -> Iterator[Row]:
    """Show one path."""
    mood = MOODS.get(path.verdict, Mood.WARNING)
    yield Row(f"path {name}", f"{path.verdict} {since(path.since, now)}".rstrip(), mood)
    yield from (Row("", text, Mood.WARNING, within=True) for text in conditions(path))
    if path.flaps and path.flaps.hold_s:
        held = f"by damping {until(path.flaps.hold_s, now)}, penalty {path.flaps.penalty:.1f}"
        yield Row("held down", held, Mood.WARNING, within=True)
    if carried := line_quality(path):
        yield Row("loss", carried, within=True)
    yield Row("switch", to_switch(path), within=True)
    if path.late:
        yield Row("void", f"{path.late} rounds so far: this host was late itself", within=True)
    if path.calm:
        yield Row("calm", path.calm.text, within=True)
    for key, probe in path.probes.items():
        yield Row(probe.watches, _probe(key, probe), _mood(probe), within=True)
    yield from _road(path)


def conditions(path: PathStatus) -> list[str]:
    """Say what is wrong with a path beside its verdict."""
    found = [path.failing] if path.failing else []
    quality = path.quality
    if quality and quality.verdict == "poor":
        slow = "" if quality.latency_ms is None else f", round trip {quality.latency_ms:.0f} ms"
        found.append(f"poor: loss {quality.loss or 0:.0%}{slow}")
    if quality and quality.grey and quality.verdict != "poor":
        found.append(f"grey: loss {quality.loss or 0:.0%}")
    if path.refused_s is not None:
        found.append(f"far responder missing for {path.refused_s:.0f} s: the far host refuses")
    return found


def line_quality(path: PathStatus) -> str:
    """Say what a path loses, each way where that is known, and its round trip.

    Empty while nothing comes back: what was lost before that is of no interest.
    """
    if path.verdict in ("down", "unknown"):
        return ""
    out, back, trips = [], [], []
    for probe in path.probes.values():
        there, here = number(probe.facts, "loss_out"), number(probe.facts, "loss_back")
        out += [] if there is None else [there]
        back += [] if here is None else [here]
        trip = number(probe.facts, "rtt_ms") or probe.latency_ms
        trips += [] if trip is None else [trip]
    found = []
    if out or back:
        ways = (("out", out), ("back", back))
        found += [f"{way} {share(max(each)) if each else 'unknown'}" for way, each in ways]
    elif path.quality and path.quality.loss is not None:
        found.append(f"{share(path.quality.loss)} both ways together")
    if trips:
        found.append(f"round trip {max(trips):.1f} ms")
    return ", ".join(found)


def to_switch(path: PathStatus) -> str:
    """Say what it takes until the path has another verdict."""
    match path.verdict:
        case "up" | "failing":
            fall = "some" if path.fall is None else str(path.fall)
            run = f"{path.streak} of {fall}" if path.streak else fall
            within = ""
            if path.detection_ms is not None:
                within = f"; a silent line is noticed within {span(path.detection_ms / 1000)}"
            return f"down after {run} failures in a row{within}"
        case "down" | "recovering":
            rise = "some" if path.rise is None else str(path.rise)
            run = f"{path.streak} of {rise}" if path.streak else rise
            return f"up after {run} good replies in a row{_earliest(path)}"
        case _:
            return "none before it is known: no reply and no failure has come recently"


def _earliest(path: PathStatus) -> str:
    """Say how long that takes at the least."""
    if path.rise is None or path.interval_ms is None:
        return ""
    left_s = max(0, path.rise - path.streak) * path.interval_ms / 1000
    if path.flaps:
        left_s = max(left_s, path.flaps.hold_s)
    return f", {span(left_s)} at the least"


def _mood(probe: ProbeStatus) -> Mood:
    return OUTCOMES.get(probe.outcome or "", Mood.PLAIN)


def _probe(key: str, probe: ProbeStatus) -> str:
    last = probe.detail if probe.latency_ms is None else f"{probe.latency_ms:.1f} ms"
    counts = [f"{probe.ok} ok", f"{probe.fail} failed"]
    more = {"refused": probe.refused, "errors": probe.error}
    counts += [f"{count} {word}" for word, count in more.items() if count]
    said = f"{probe.outcome or 'not sent yet'} {one_line(last or '')}".rstrip()
    return f"probe {key}: {said} ({', '.join(counts)})"


def _road(path: PathStatus) -> Iterator[Row]:
    """Show what is known of the road, and when each of its hosts last replied."""
    found = path.road
    if not found:
        return
    first = found.verdict if found.probing == "full" else "stands by"
    first += f"; {found.stance}" if found.stance else ""
    first += "" if found.trial_s is None else f"; trial in {span(found.trial_s)}"
    mood = ROADS.get(found.verdict, Mood.PLAIN) if found.probing == "full" else Mood.PLAIN
    yield Row("road", first, mood, within=True)
    for key, probe in found.probes.items():
        last = f"{probe.outcome or 'not sent'} {one_line(probe.detail)}".rstrip()
        reply = f"probe {key}: {last}, last reply {probe.replied_at or 'never'}"
        yield Row("road", reply, within=True)


def far_of(probe: ProbeStatus) -> dict[str, object] | None:
    """Give what the far gateway says of itself over a stream; ``None`` where it says nothing."""
    far = probe.facts.get("far")
    return far if isinstance(far, dict) and text(far, "role") in ("active", "standby", "") else None
