"""Pure: what charon says of its SAs, and whether the wanted CHILD_SA is among them.

The shape of the messages is that of ``list-sa``, ``child-updown``, ``child-rekey`` and
``ike-updown`` in strongSwan's src/libcharon/plugins/vici/README.md: sections by the name of an
IKE_SA, with the CHILD_SAs in the section ``child-sas``; all values are bytes.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Message = Mapping[str, Any]

CARRYING = ("INSTALLED", "REKEYING", "REKEYED", "UPDATING")
"""States in which a CHILD_SA carries. While it is rekeyed the old one is ``REKEYING``, or
``REKEYED`` where the far end rekeys, and carries both ways until the far end deletes it. Where both
ends rekey at once the new one is not listed before that."""


@dataclass(frozen=True)
class Wanted:
    """The CHILD_SA that must be there.

    :param child: its name in the configuration of charon.
    :param connection: the name of its IKE_SA; ``None``: any.
    :param local: networks that must lie within its local selectors.
    :param remote: networks that must lie within its remote selectors.
    """

    child: str
    connection: str | None = None
    local: tuple[Network, ...] = ()
    remote: tuple[Network, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What one listing of all SAs says.

    :param ok: the wanted CHILD_SA carries.
    :param words: its state and traffic, or why it does not.
    :param facts: the same for the status.
    """

    ok: bool
    words: str
    facts: dict[str, Any] = field(default_factory=dict)


def judge(wanted: Wanted, rows: Iterable[Message]) -> Finding:
    """Look for the wanted CHILD_SA in a whole listing.

    :param rows: the ``list-sa`` messages of one listing.
    """
    rows = list(rows)
    named = [child for row in rows for child in _children(wanted, row)]
    carrying = [child for child in named if _text(child[2], "state") in CARRYING]
    lacking = ""
    for ike, ike_sa, child in sorted(carrying, key=_state_first):
        lacking = _lacking(wanted, child)
        if not lacking:
            facts = {"ike_sa": _text(ike_sa, "state"), "connection": ike, **_facts(child)}
            return Finding(True, _traffic(facts), facts | {"child_sas": len(carrying)})
    if lacking:
        return Finding(False, f"CHILD_SA {wanted.child}: {lacking}")
    return Finding(False, _absent(wanted, named, rows))


def concerns(wanted: Wanted, message: Message) -> bool:
    """Whether an event may have changed what :func:`judge` says.

    An event of an IKE_SA has no CHILD_SAs in it and concerns all of that IKE_SA's.
    """
    for _, section in _ike_sas(wanted, message):
        children = section.get("child-sas")
        if not isinstance(children, Mapping):
            return True
        for key, child in children.items():
            name = _text(child, "name") if isinstance(child, Mapping) else ""
            if wanted.child in (name, key):
                return True
    return False


def networks(texts: Sequence[str], key: str) -> tuple[Network, ...]:
    """Read networks of the options.

    :raises ValueError: naming the key, if one is none.
    """
    found = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text))
        except ValueError as problem:
            raise ValueError(f"{key}: {problem}: write a network as 10.1.0.0/16") from None
    return tuple(found)


def selected(text: str) -> list[Network]:
    """Give the networks that a selector takes whole.

    None for one that is limited to a protocol or port, such as ``10.1.0.0/16[tcp/http]``.
    """
    first, between, last = text.partition("..")
    try:
        if not between:
            return [ipaddress.ip_network(text)]
        ends = ipaddress.ip_address(first), ipaddress.ip_address(last)
        return list(ipaddress.summarize_address_range(*ends))
    except (ValueError, TypeError):
        return []


def _ike_sas(wanted: Wanted, message: Message) -> Iterator[tuple[str, Message]]:
    for name, section in message.items():
        if isinstance(section, Mapping) and wanted.connection in (None, name):
            yield name, section


def _children(wanted: Wanted, message: Message) -> Iterator[tuple[str, Message, Message]]:
    """Give each CHILD_SA of the wanted name, with the name and the section of its IKE_SA."""
    for ike, section in _ike_sas(wanted, message):
        children = section.get("child-sas")
        for child in children.values() if isinstance(children, Mapping) else ():
            if isinstance(child, Mapping) and _text(child, "name") == wanted.child:
                yield ike, section, child


def _state_first(found: tuple[str, Message, Message]) -> int:
    return CARRYING.index(_text(found[2], "state"))


def _lacking(wanted: Wanted, child: Message) -> str:
    """Say which selectors a CHILD_SA lacks; empty if none."""
    for side, needed in (("local", wanted.local), ("remote", wanted.remote)):
        has = _texts(child, f"{side}-ts")
        taken = [network for text in has for network in selected(text)]
        lacks = [str(each) for each in needed if not any(_within(each, all_) for all_ in taken)]
        if lacks:
            return f"{side} selectors {' '.join(has) or 'none'} lack {' '.join(lacks)}"
    return ""


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _absent(
    wanted: Wanted, named: Sequence[tuple[str, Message, Message]], rows: Iterable[Message]
) -> str:
    """Say why there is no CHILD_SA, as far as the listing knows."""
    if named:
        states = ", ".join(sorted({_text(child, "state") for _, _, child in named}))
        return f"CHILD_SA {wanted.child} is {states}, none is INSTALLED"
    ike_sas = [pair for row in rows for pair in _ike_sas(wanted, row)]
    if wanted.connection is None:
        return f"no CHILD_SA {wanted.child} is INSTALLED"
    states = ", ".join(sorted({_text(section, "state") for _, section in ike_sas}))
    there = f"IKE_SA {wanted.connection} is {states}" if states else "there is no IKE_SA"
    return f"no CHILD_SA {wanted.child} is INSTALLED, {there}" + (
        "" if states else f" {wanted.connection}"
    )


def _facts(child: Message) -> dict[str, Any]:
    return {
        "child_sa": _text(child, "state"),
        "bytes_in": _number(child, "bytes-in"),
        "bytes_out": _number(child, "bytes-out"),
        "idle_in_s": _number(child, "use-in"),
        "idle_out_s": _number(child, "use-out"),
        "installed_s": _number(child, "install-time"),
        "rekey_in_s": _number(child, "rekey-time"),
        "local_ts": _texts(child, "local-ts"),
        "remote_ts": _texts(child, "remote-ts"),
    }


def _traffic(facts: Mapping[str, Any]) -> str:
    """Say a CHILD_SA's state and traffic in a few words."""
    words = facts["child_sa"]
    for way in ("in", "out"):
        if (carried := facts[f"bytes_{way}"]) is not None:
            words += f", {way} {carried} bytes"
            idle = facts[f"idle_{way}_s"]
            words += f" (idle {idle} s)" if idle is not None else ""
    return str(words)


def _text(section: Message, key: str) -> str:
    value = section.get(key)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _texts(section: Message, key: str) -> list[str]:
    values = section.get(key)
    given = values if isinstance(values, list) else []
    return [value.decode("utf-8", "replace") for value in given if isinstance(value, bytes)]


def _number(section: Message, key: str) -> int | None:
    text = _text(section, key)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None
