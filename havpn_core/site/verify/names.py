"""Pure: names of gateways, sites, lines and far ends: what hosts, files and tables can be called.

A gateway's name is its host name, its identity in IKE and its folder; a line's is that of a path.
"""

import re
from collections.abc import Iterator, Mapping

from havpn_core.site.model.model import DYNAMIC, Model
from havpn_core.site.model.problem import Problem
from havpn_core.site.verify.places import end_key

# RFC 1123 section 2.1, and the letters that RFC 952 allows.
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")
PATH = re.compile(r"[a-z][a-z0-9-]*\Z")
"""What a path, or an instance of a plugin's type, can be called."""
HOST_BYTES = 64  #: HOST_NAME_MAX of Linux
NAME_BYTES = 253  #: RFC 1035 section 2.3.4, without the length of the root
RESERVED = frozenset({"localhost", DYNAMIC, "all", "ungrouped"})
"""Names that mean something else: to resolvers, in a site file, in an inventory of Ansible."""


def problems(model: Model) -> Iterator[Problem]:
    """Give what is wrong."""
    for gateway in model.gateways.values():
        key = f"site.{gateway.site}.gateways.{gateway.name}"
        if not is_host(gateway.name, HOST_BYTES) or gateway.name.lower() in RESERVED:
            yield Problem(
                key,
                f"{gateway.name!r} is no host name",
                "write the gateway's own, of letters, digits and hyphens, such as gw-aa",
            )
    for name in model.sites:
        if not _LABEL.match(name) or name.lower() in RESERVED:
            yield Problem(
                f"site.{name}",
                f"{name!r} is no name of a site",
                "write letters, digits and hyphens, beginning with a letter or digit",
            )
    for line in model.lines.values():
        if not PATH.match(line.name) or not _LABEL.match(line.name):
            yield Problem(
                f"line.{line.name}",
                f"{line.name!r} is no name of a path",
                "write small letters, digits and hyphens, beginning with a letter",
            )
        if not line.provider.isprintable():
            yield Problem(
                f"line.{line.name}.provider",
                f"{line.provider!r} cannot be shown",
                "write it in words, on one line",
            )
    gateways = {g.name: f"site.{g.site}.gateways.{g.name}" for g in model.gateways.values()}
    yield from _alike("gateways", gateways)
    yield from _alike("sites", {name: f"site.{name}" for name in model.sites})
    yield from _paths(model)
    yield from _ends(model)


def is_host(name: str, most: int = NAME_BYTES) -> bool:
    """Whether a host can be called that, with or without its domain.

    The last label begins with a letter, and the others are not all numbers, or it would be an
    address that is miswritten.

    :param most: bytes.
    """
    labels = name.split(".")
    last = labels[-1]
    if len(name) > most or not all(map(_LABEL.match, labels)):
        return False
    if len(labels) > 2 and all(label.isdigit() for label in labels[:-1]):
        return False
    return last[0].isalpha() if len(labels) > 1 else not last.isdigit()


def _alike(what: str, names: Mapping[str, str]) -> Iterator[Problem]:
    """Find names that are one to a resolver.

    :param names: each with its key.
    """
    seen: dict[str, str] = {}
    for name, key in names.items():
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield Problem(
                key,
                f"{first} and {name} differ in capitals only, which host names do not",
                f"give the {what} names that differ",
            )


def _paths(model: Model) -> Iterator[Problem]:
    """Find names that no path can have, and paths of one gateway with the same."""
    for line in model.lines.values():
        if line.options.path and not PATH.match(line.options.path):
            yield Problem(
                f"line.{line.name}.path",
                f"{line.options.path!r} is no name of a path",
                "write small letters, digits and hyphens, beginning with a letter",
            )
    for gateway in model.gateways:
        seen: dict[str, str] = {}
        for line in model.lines_of(gateway):
            first = seen.setdefault(line.path, line.name)
            if first != line.name:
                yield Problem(
                    f"line.{line.name}" + (".path" if line.options.path else ""),
                    f"{gateway} has two paths of this name, the other by line {first}",
                    "give the line another path, or leave that of both out",
                )


def _ends(model: Model) -> Iterator[Problem]:
    for line in model.lines.values():
        for end in line.ends:
            if not end.name:
                continue
            key, name = end_key(line, end.gateway), end.name.removesuffix(".")
            if name.lower() == DYNAMIC:
                yield Problem(key, f"{end.name!r} is no name", f'write "{DYNAMIC}"')
            elif not is_host(name) or (name[0].isdigit() and "." not in name):
                yield Problem(
                    key,
                    f"{end.name!r} is neither an address nor a name of DNS",
                    f'write 192.0.2.2, gw.example.net, or "{DYNAMIC}"',
                )
            elif name.lower() == "localhost":
                yield Problem(key, f"{end.name} is the gateway itself", "write its name of DNS")
