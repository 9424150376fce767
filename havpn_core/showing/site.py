"""Pure: the four gateways of two sites, as one of them knows them."""

from collections.abc import Iterator

import msgspec

from havpn_core.daemon.state.path_status import ProbeStatus
from havpn_core.daemon.state.status import SCHEMA, Status
from havpn_core.showing.pair import partner_troubles, silence
from havpn_core.showing.paths import far_of
from havpn_core.showing.rows import BLANK, Mood, Row
from havpn_core.showing.words import number, span, text

FRESH_S = 3.0
"""What a far gateway said of itself counts for so many seconds."""
UNKNOWN = "unknown"
FAR = "far"


class Member(msgspec.Struct, kw_only=True):
    """What is known of one gateway.

    :param place: ``this``, ``partner``, ``far`` or ``partner's far``.
    :param name: of the node here, of the path for a far gateway; else empty.
    :param node: its own name, as it says it; empty where that is not known.
    :param role: ``active`` or ``standby``; ``None``: not known.
    :param fit: whether it can serve, its lines aside; ``None``: not known.
    :param line: what it believes of its line, such as ``up`` or ``down``; ``None``: not known.
    :param remarks: what is wrong with it.
    :param known_by: how this is known, or why it is not.
    :param age_s: how old that is, in seconds; ``None`` where nothing is known.
    """

    place: str
    name: str = ""
    node: str = ""
    role: str | None = None
    fit: bool | None = None
    line: str | None = None
    remarks: list[str] = []
    known_by: str
    age_s: float | None = None


class Site(msgspec.Struct, kw_only=True):
    """The object of ``havpn status --site --json``."""

    schema: int = SCHEMA
    node: str
    state: str
    gateways: list[Member]


def site(status: Status) -> Site:
    """Give what a gateway knows of all four."""
    older_s = 0.0 if status.works else status.age_s  # than when it was written
    others = [_partner(status), *_far(status, older_s), _far_of_partner(status)]
    for each in others:
        if each.place != FAR and each.age_s is not None:
            each.age_s += older_s
    members = [_this(status), *others]
    return Site(node=status.node, state=status.state, gateways=members)


def _this(status: Status) -> Member:
    verdicts = dict.fromkeys(path.verdict for path in status.paths.values())
    fitness, remarks = status.fitness, []
    remarks += [f"forced to {status.role.forced}"] if status.role.forced else []
    remarks += [] if status.state == "running" else [status.state]
    return Member(
        place="this",
        name=status.node,
        node=status.node,
        role=status.role.observed,
        fit=None if fitness is None else fitness.fit,
        line="/".join(verdicts) or None,
        remarks=remarks,
        known_by="its daemon",
        age_s=status.age_s,
    )


def _partner(status: Status) -> Member:
    pair = status.pair
    if pair is None:
        return Member(place="partner", known_by="no [pair]: nothing is exchanged with it")
    partner = pair.partner
    if partner is None:
        return Member(place="partner", known_by=f"links: {silence(pair)}", age_s=pair.heard_s)
    return Member(
        place="partner",
        node=partner.name or "",
        role=partner.role,
        fit=partner.fit,
        line=partner.path,
        remarks=partner_troubles(partner),
        known_by="links",
        age_s=pair.heard_s,
    )


def _far(status: Status, older_s: float) -> Iterator[Member]:
    for name, path in status.paths.items():
        probes = [*path.probes.values()]
        found = [member for probe in probes if (member := _by_stream(name, probe, older_s))]
        if found:
            yield min(found, key=lambda each: (each.role is None, each.age_s or 0.0))
        else:
            yield Member(place=FAR, name=name, known_by="no probe of type stream says it")


def _by_stream(name: str, probe: ProbeStatus, older_s: float) -> Member | None:
    if "far" not in probe.facts:
        return None
    far, age_s = far_of(probe), None
    if far is not None and (said_s := number(far, "age_s")) is not None:
        age_s = said_s + older_s
    if far is None or age_s is None or age_s > FRESH_S:
        heard = "nothing heard yet" if age_s is None else f"silent for {span(age_s)}"
        return Member(place=FAR, name=name, known_by=f"stream: {heard}", age_s=age_s)
    fit = far.get("fit")
    return Member(
        place=FAR,
        name=name,
        node=text(far, "name"),
        role=text(far, "role") or None,
        fit=fit if isinstance(fit, bool) else None,
        line=text(far, "verdict") or None,
        remarks=_held(maintenance=far.get("maintenance") is True, paused=far.get("paused") is True),
        known_by="stream",
        age_s=age_s,
    )


def _far_of_partner(status: Status) -> Member:
    pair = status.pair
    partner = pair.partner if pair else None
    if pair is None or partner is None or partner.far is None:
        why = "the partner does not say it" if partner else "only the partner could say it"
        return Member(place="partner's far", known_by=why)
    far = partner.far
    return Member(
        place="partner's far",
        node=far.name or "",
        role=far.role,
        fit=far.fit,
        line=far.verdict,
        remarks=_held(maintenance=far.maintenance, paused=far.paused),
        known_by="the partner's stream",
        age_s=pair.heard_s,
    )


def _held(*, maintenance: bool, paused: bool) -> list[str]:
    return ["in maintenance"] * maintenance + ["paused"] * paused


def site_rows(found: Site) -> list[Row]:
    """Show the four gateways."""
    rows = [Row(found.node, f"what this gateway knows of all four ({found.state})"), BLANK]
    for each in found.gateways:
        rows.append(Row(_label(each), _words(each), _mood(each)))
    return rows


def _label(member: Member) -> str:
    match member.place:
        case "this":
            return "this one"
        case "far":
            place = f"far of {member.name}"
        case _:
            place = member.place
    return f"{place} {member.node}".rstrip()


def _mood(member: Member) -> Mood:
    if member.role is None or member.remarks or member.fit is False:
        return Mood.WARNING
    return Mood.GOOD if member.line in ("up", "failing", None) else Mood.WARNING


def _words(member: Member) -> str:
    age = "" if member.age_s is None or member.role is None else f", {span(member.age_s)} ago"
    if member.role is None and member.fit is None and member.line is None:
        return f"{UNKNOWN} ({member.known_by})"
    fit = {True: "fit", False: "UNFIT", None: "fitness unknown"}[member.fit]
    words = [member.role or "role unknown", f"path {member.line or UNKNOWN}", fit, *member.remarks]
    return f"{', '.join(words)} ({member.known_by}{age})"
