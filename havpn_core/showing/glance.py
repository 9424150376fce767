"""Pure: all of a status at one glance."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from havpn_core.daemon.state.status import ConfigStatus, FitnessStatus, Status
from havpn_core.showing.health import cover
from havpn_core.showing.pair import holder_rows, pair_rows
from havpn_core.showing.paths import path_rows
from havpn_core.showing.rows import BLANK, Mood, Row
from havpn_core.showing.words import at, moment, one_line, since, span, until


class Happened(Protocol):
    """An event of the history, as :class:`~havpn_core.daemon.state.events.Record` is one."""

    at: str
    kind: str
    subject: str
    before: str
    after: str
    severity: str
    detail: str


STATES = {"running": Mood.GOOD, "paused": Mood.WARNING}
SEVERITIES = {"warning": Mood.WARNING, "error": Mood.BAD}


def rows(status: Status, events: Sequence[Happened] = ()) -> list[Row]:
    """Show everything.

    :param events: the last ones, oldest first.
    """
    now = moment(status.written_at, status.age_s)
    parts = [[*_gateway(status, now)]]
    parts += [[*path_rows(name, path, now)] for name, path in status.paths.items()]
    if status.pair is not None:
        parts.append([*pair_rows(status.pair)])
    parts.append([*_actions(status), *_notifiers(status, now), *_respond(status)])
    parts.append([_event(each, now) for each in events])
    return [row for part in parts if part for row in (*part, BLANK)][:-1]


def _gateway(status: Status, now: datetime | None) -> Iterator[Row]:
    mood = STATES.get(status.state, Mood.BAD)
    release = f", havpn {status.version}" if status.version else ""
    written = f"as of {span(status.age_s)} ago{release}"
    yield Row(status.node, f"{status.state}; {written}", mood)
    if status.state not in STATES:
        yield Row("", "THE DAEMON DOES NOT WORK: what follows is its last word", Mood.BAD)
    yield from _role(status, now)
    yield from holder_rows(status)
    if (found := cover(status)) is not None:
        yield Row("takeover", found.text, Mood.GOOD if found.good else Mood.WARNING)
    if status.fitness is not None:
        yield from _fitness(status.fitness)
    if status.config is not None:
        yield from _config(status.config)


def _role(status: Status, now: datetime | None) -> Iterator[Row]:
    role = status.role
    wanted = role.wanted or "not decided"
    agrees = role.observed == role.wanted
    text = wanted if agrees else f"{wanted}, but in force is {role.observed or 'unknown'}"
    age = f" {since(role.since, now)}" if role.wanted else ""
    yield Row("role", f"{text}{age}".rstrip(), Mood.GOOD if agrees else Mood.WARNING)
    if role.reason:
        yield Row("why", one_line(role.reason), within=True)
    if role.forced:
        end = "permanently" if role.forced_s is None else until(role.forced_s, now)
        ends = f"to {role.forced} by an operator, {end}; havpn switch --to auto ends it"
        yield Row("forced", ends, Mood.WARNING)
    if status.state == "paused":
        ends = "by an operator: no role is carried out until havpn resume"
        yield Row("paused", ends, Mood.WARNING)


def _fitness(fitness: FitnessStatus) -> Iterator[Row]:
    """Show whether this gateway can serve; nothing where nothing is watched."""
    words = [f"carrier of {name}" for name, on in fitness.carrier.items() if on]
    words += [f"{family} forwarding" for family, on in fitness.forwarding.items() if on]
    words += ["own address"] if fitness.address else []
    if fitness.witnesses:
        replying = sum(each.replies for each in fitness.witnesses.values())
        words.append(f"{replying} of {len(fitness.witnesses)} witnesses")
    if fitness.fit is False:
        sure = " for certain" if fitness.certain else ""
        yield Row("fit", f"UNFIT{sure}: {one_line(fitness.reason)}", Mood.BAD)
    elif fitness.fit is None:
        yield from [Row("fit", "unknown")] if words else []
    else:
        yield Row("fit", ", ".join(words) or "yes", Mood.GOOD)


def _config(config: ConfigStatus) -> Iterator[Row]:
    """Show what names the configuration, and whether the file still says the same."""
    if config.differs:
        text = f"{config.digest}, but {config.file} says something else now: run havpn reload"
        yield Row("config", text, Mood.WARNING)
    else:
        yield Row("config", f"{config.digest} of {config.file}")


def _actions(status: Status) -> Iterator[Row]:
    for name, action in status.actions.items():
        said, mood = f"{action.phase}, {action.observed or 'role not known'}", Mood.GOOD
        if action.error:
            again = "" if action.retry_s is None else f"; next try in {span(action.retry_s)}"
            said, mood = f"{said}; failed: {one_line(action.error)}{again}", Mood.BAD
        elif action.phase != "settled":
            mood = Mood.WARNING
        yield Row(f"action {name}", said, mood)


def _notifiers(status: Status, now: datetime | None) -> Iterator[Row]:
    for name, notifier in status.notifiers.items():
        said, mood = f"{notifier.delivered} delivered", Mood.GOOD
        said += f", {notifier.failed} failed" if notifier.failed else ""
        said += f", {notifier.dropped} dropped" if notifier.dropped else ""
        if notifier.error:
            when = f" {since(notifier.failed_at, now)}" if notifier.failed_at else ""
            said, mood = f"{said}; failing{when}: {one_line(notifier.error)}", Mood.WARNING
        yield Row(f"notifier {name}", said, mood)


def _respond(status: Status) -> Iterator[Row]:
    if status.respond is not None and status.respond.silence:
        yield Row("respond", f"silent: {one_line(status.respond.silence)}", Mood.WARNING)


def _event(event: Happened, now: datetime | None) -> Row:
    change = " -> ".join(word for word in (event.before, event.after) if word)
    detail = f" ({event.detail})" if event.detail else ""
    said = f"{event.kind} {event.subject}".strip() + f": {change}{detail}"
    when = at(moment(event.at), now).removesuffix(" UTC")
    return Row("event", f"{when} {one_line(said)}", SEVERITIES.get(event.severity, Mood.PLAIN))
