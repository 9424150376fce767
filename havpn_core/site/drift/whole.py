"""Pure: compare all gateways with what is rendered for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from havpn_core.site.drift.difference import GATEWAY, Difference, Found, Trouble, Wanted, What
from havpn_core.site.drift.files import additional_files, differing_file, text_of
from havpn_core.site.drift.running import differing_status
from havpn_core.site.drift.tunnels import differing_tunnels

HAVPN = "/etc/havpn/havpn.toml"
SWANCTL = "/etc/swanctl/"
EVERYWHERE = "carry the rendered tree over to all gateways that have it"
Rendered = Mapping[str, Sequence[Wanted]]
Secrets = dict[str, dict[tuple[str, str], str]]
"""By its name, what stands for a secret at each gateway in each file."""


@dataclass(frozen=True)
class Comparison:
    """What came of it.

    :param differences: gateway by gateway, in the order of the site file.
    :param unseen: what could not be compared, and why; none of it is a difference.
    """

    differences: tuple[Difference, ...]
    unseen: tuple[str, ...]


def compare(
    rendered: Rendered, found: Mapping[str, Found], known: Mapping[str, str], remedy: str
) -> Comparison:
    """Compare what is rendered with what was found.

    :param rendered: the files of each gateway, with places for secrets.
    :param found: each gateway as it was found, and those that the site file has not.
    :param known: the secrets that are known, by their names.
    :param remedy: what makes a file again as it is rendered.
    """
    differences: list[Difference] = []
    unseen: list[str] = []
    secrets: Secrets = {}
    for gateway, files in rendered.items():
        one = found.get(gateway, Found())
        unseen += [f"{gateway}: {text}" for text in one.unseen]
        differences += [_trouble(gateway, each) for each in one.troubles]
        if all(each.place != GATEWAY for each in one.troubles):
            differences += _gateway(gateway, files, one, (remedy, secrets))
    differences += _secrets(secrets, known)
    order = list(rendered)
    differences.sort(key=lambda each: order.index(each.gateway))
    differences += [
        Difference(name, GATEWAY, What.ADDITIONAL, "is no gateway of the site file", "remove it")
        for name in found
        if name not in rendered
    ]
    return Comparison(tuple(differences), tuple(unseen))


def _trouble(gateway: str, trouble: Trouble) -> Difference:
    what = {GATEWAY: What.UNREACHABLE, "tunnels": What.TUNNEL}.get(trouble.place, What.STATUS)
    return Difference(gateway, trouble.place, what, trouble.text, trouble.remedy)


def _gateway(
    gateway: str, files: Sequence[Wanted], found: Found, beside: tuple[str, Secrets]
) -> Iterator[Difference]:
    """Compare the files, the daemon and charon of one gateway."""
    remedy, secrets = beside
    wanted = {file.path: file for file in files}
    for path, file in wanted.items():
        differences, seen = differing_file(gateway, file, found.files.get(path), remedy)
        yield from differences
        for name, values in seen.secrets.items():
            secrets.setdefault(name, {})[gateway, path] = "\n".join(values)
    yield from additional_files(gateway, wanted, found.files)
    if HAVPN in wanted and found.status is not None:
        text = text_of(found.files.get(HAVPN))
        yield from differing_status(gateway, wanted[HAVPN].text, text, found.status, remedy)
    tunnels = {path: file.text for path, file in wanted.items() if path.startswith(SWANCTL)}
    if tunnels and found.connections is not None:
        yield from differing_tunnels(gateway, tunnels, found.connections)


def _secrets(secrets: Secrets, known: Mapping[str, str]) -> Iterator[Difference]:
    """Compare the secrets with those that are known, or else among the gateways; show none."""
    for name, seen in sorted(secrets.items()):
        (first, _), value = next(iter(seen.items()))
        wanted = known.get(name, value)
        of = "the one in the folder of secrets" if name in known else f"that of {first}"
        for (gateway, path), each in seen.items():
            if each != wanted:
                text = f"its secret {name} is not {of}"
                yield Difference(gateway, path, What.SECRET, text, EVERYWHERE)
