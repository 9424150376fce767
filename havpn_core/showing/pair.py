"""Pure: what a status shows of the partner, the links to it, and who has the shared address."""

from collections.abc import Iterator

from havpn_core.daemon.state.pair_status import (
    LinkStatus,
    LossStatus,
    PairStatus,
    PartnerStatus,
)
from havpn_core.daemon.state.status import Status
from havpn_core.showing.rows import Mood, Row
from havpn_core.showing.words import number, one_line, share, span, text

LAN = "broadcast"
"""The link over the LAN of the address, which is at work in need only."""
RECENT_S = 60.0
"""A rival that was last heard longer ago is none any more."""
HOLDERS = {
    "here": (Mood.GOOD, "this gateway has it"),
    "partner": (Mood.GOOD, "the partner has it"),
    "both": (Mood.BAD, "BOTH gateways have it"),
    "nobody": (Mood.BAD, "NOBODY has it"),
    "elsewhere": (Mood.WARNING, "a host on the LAN has it, and the partner is silent"),
    None: (Mood.PLAIN, "unknown: it is not here, and the other gateway says nothing"),
}


def holder_rows(status: Status) -> Iterator[Row]:
    """Show who has the shared address, and a rival that claims it now."""
    facts = [action.facts for action in status.actions.values()]
    known = [each for found in facts if isinstance(each := found.get("addresses"), list)]
    addresses = ", ".join(one_line(str(one)) for each in known for one in each)
    mood, words = HOLDERS.get(status.holder, HOLDERS[None])
    if status.holder is None and status.role.observed is None:
        words = "unknown: what is in force here is not known"
    yield Row("VIP", f"{addresses}: {words}" if addresses else words, mood)
    for found in facts:
        age_s = number(found, "rival_s")
        if age_s is not None and age_s < RECENT_S:
            claim = f"{one_line(text(found, 'rival'))} claims it, too ({span(age_s)} ago)"
            yield Row("", claim, Mood.BAD, within=True)


def pair_rows(pair: PairStatus) -> Iterator[Row]:
    """Show the pair."""
    partner = pair.partner
    if partner is None:
        yield Row("partner", silence(pair), Mood.BAD)
    else:
        said = partner_words(partner)
        name = f"{partner.name}: " if partner.name else ""
        yield Row("partner", name + ", ".join(said), partner_mood(partner))
    ours, theirs = pair.loss, partner.loss if partner else None
    if ours is not None or theirs is not None:
        lost = f"line here {_loss(ours)}, the partner's {_loss(theirs)}"
        if pair.moved_for_loss_s is not None:
            lost += f"; the role moved for that {span(pair.moved_for_loss_s)} ago"
        yield Row("loss", lost, within=True)
    for name, link in pair.links.items():
        yield _link(name, link)
    yield from (Row("trouble", one, Mood.WARNING, within=True) for one in pair.troubles)


def silence(pair: PairStatus) -> str:
    """Say for how long the partner is silent."""
    if pair.heard_s is None:
        return "never heard"
    after = f" (dead after {span(pair.dead_s)})" if pair.dead_s else ""
    return f"silent for {span(pair.heard_s)}{after}"


def partner_words(partner: PartnerStatus) -> list[str]:
    """Say how the partner stands."""
    words = [partner.role or "its role changes or is not known"]
    words.append(f"path {partner.path or 'unknown'}")
    words.append({True: "fit", False: "UNFIT", None: "fitness unknown"}[partner.fit])
    words += partner_troubles(partner)
    words += [] if partner.priority is None else [f"priority {partner.priority}"]
    return words


def partner_troubles(partner: PartnerStatus) -> list[str]:
    """Say what keeps the partner from taking over, its path and fitness aside."""
    words = {
        "in maintenance": partner.maintenance,
        "forced to active": partner.forced,
        "paused": partner.paused,
        "it could not take the role": partner.failed,
        "it stops": partner.stopping,
        "it does not hear this gateway": not partner.hears,
        "its far responder is missing": partner.refused,
        "its road is down": partner.road is False,
        "its line is grey": partner.grey,
    }
    return [word for word, holds in words.items() if holds]


def partner_mood(partner: PartnerStatus) -> Mood:
    """Say how much the partner wants to be seen."""
    sound = partner.path == "up" and partner.fit is not False and not partner_troubles(partner)
    return Mood.GOOD if sound else Mood.WARNING


def dead_links(pair: PairStatus) -> list[str]:
    """Name the links that bring nothing."""
    return [name for name, link in pair.links.items() if not link.alive and name != LAN]


def _link(name: str, link: LinkStatus) -> Row:
    label = f"link {name}"
    age = "never heard" if link.heard_s is None else f"last heard {span(link.heard_s)} ago"
    problem = one_line(text(link.facts, "error"))
    said = f"{age}: {problem}" if problem and not link.alive else age
    if name == LAN:
        sends = link.facts.get("sends") is True
        return Row(label, f"{'at work' if sends else 'stands by'}; {age}", within=True)
    return Row(label, said, Mood.GOOD if link.alive else Mood.BAD, within=True)


def _loss(loss: LossStatus | None) -> str:
    if loss is None:
        return "loses an unknown share"
    return f"loses {share(loss.share)} ({share(loss.at_least)} to {share(loss.at_most)})"
