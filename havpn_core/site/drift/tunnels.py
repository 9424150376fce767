"""Pure: whether charon has the tunnels loaded that are rendered for it.

The rendered file counts and not the one on the gateway: whoever edits that one and loads it has
both alike, and still another tunnel than the far end.
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network

from havpn_core.site.drift.connections import connections_of
from havpn_core.site.drift.difference import Difference, What
from havpn_core.site.drift.settings import Section, settings_of

ANY = "%any"
DYNAMIC = "dynamic"
LOAD = "run swanctl --load-all there"
CARRY = "carry the rendered tree over and run swanctl --load-all there"


def differing_tunnels(gateway: str, rendered: Mapping[str, str], output: str) -> list[Difference]:
    """Compare what is loaded with what is rendered.

    :param rendered: the texts of swanctl's files, by their place.
    :param output: of ``swanctl --list-conns --raw``.
    """
    try:
        loaded = connections_of(output)
    except ValueError as problem:
        text = f"the list of loaded connections cannot be read: {problem}"
        return [Difference(gateway, "tunnels", What.TUNNEL, text, "look at swanctl --list-conns")]
    found: list[Difference] = []
    for path, rendered_text in rendered.items():
        try:
            connections = settings_of(rendered_text).at("connections").sections
        except ValueError as problem:
            remedy = "correct the template"
            found.append(Difference(gateway, path, What.TUNNEL, f"as rendered: {problem}", remedy))
            continue
        for name, wanted in connections.items():
            found += _connection(gateway, name, wanted, loaded)
    return found


def _connection(
    gateway: str, name: str, wanted: Section, loaded: Mapping[str, Section]
) -> Iterator[Difference]:
    place = f"tunnel {name}"
    if name not in loaded:
        others = f" (loaded: {', '.join(sorted(loaded))})" if loaded else ""
        yield Difference(gateway, place, What.TUNNEL, f"is not loaded{others}", LOAD)
        return
    for key, (expected, seen) in _facts(wanted, loaded[name]).items():
        if expected != seen:
            text = f"{key} is {_listed(seen)} as loaded, and {_listed(expected)} as rendered"
            yield Difference(gateway, place, What.TUNNEL, text, CARRY)


def _facts(wanted: Section, loaded: Section) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Give what is compared of a connection: as it is rendered, and as it is loaded."""
    found = {}
    for key in ("local_addrs", "remote_addrs"):
        found[key] = _plain(wanted.listed(key, ANY)), _plain(loaded.listed(key, ANY))
    for side in ("local", "remote"):
        identity = _side(wanted, side).values.get("id")
        if identity is not None:
            seen = _side(loaded, side).values.get("id", "")
            found[f"{side}.id"] = frozenset({identity}), frozenset({seen})
    children = wanted.at("children").sections
    names = frozenset(children), frozenset(loaded.at("children").sections)
    found["children"] = names
    for name in sorted(names[0] & names[1]):
        near, seen_child = children[name], loaded.at("children", name)
        for key in ("local_ts", "remote_ts"):
            found[f"{name}.{key}"] = (
                _plain(near.listed(key, DYNAMIC)),
                _plain(seen_child.listed(key.replace("_", "-"), DYNAMIC)),
            )
    return found


def _side(connection: Section, side: str) -> Section:
    """Give the first authentication of a side, which charon numbers."""
    names = (side, f"{side}-1")
    return next((s for n, s in connection.sections.items() if n in names), Section())


def _plain(texts: tuple[str, ...]) -> frozenset[str]:
    """Write addresses and networks as everybody does, whatever the order."""
    return frozenset(map(_canonical, texts))


def _canonical(text: str) -> str:
    for make in (ip_address, ip_network):
        try:
            return str(make(text))
        except ValueError:
            continue
    return text


def _listed(texts: frozenset[str]) -> str:
    return ", ".join(sorted(texts)) or "nothing"
