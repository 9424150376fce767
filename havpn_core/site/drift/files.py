"""Pure: the files of one gateway, as they are rendered and as they were found."""

from collections.abc import Iterator, Mapping

from havpn_core.site.drift.difference import Difference, FoundFile, Wanted, What
from havpn_core.site.drift.places import PLACE, Replaced, replaced
from havpn_core.site.drift.texts import count, differing_lines
from havpn_core.site.rendering.digest import digest_of_text, mark_of, unmarked

OTHERS, OWNER_RUNS = 0o007, 0o100


def text_of(found: FoundFile | None) -> str | None:
    """Give the text of a file; ``None``: there is none, or it is no text."""
    try:
        return None if found is None or found.content is None else found.content.decode()
    except UnicodeDecodeError:
        return None


def differing_file(
    gateway: str, file: Wanted, found: FoundFile | None, remedy: str
) -> tuple[list[Difference], Replaced]:
    """Compare one file; gives the secrets that it has, too.

    :param found: ``None``: it is not there.
    :param remedy: what makes it again as it is rendered.
    """
    nothing = Replaced([])
    if found is None:
        return [Difference(gateway, file.path, What.MISSING, "is not there", remedy)], nothing
    if found.content is None:
        said, connect = f"cannot be read: {found.trouble}", "look as a user who may read it"
        return [Difference(gateway, file.path, What.UNREADABLE, said, connect)], nothing
    differences = list(_rights(gateway, file, found))
    text = text_of(found)
    if text is None:
        said = "is no text"
        return [*differences, Difference(gateway, file.path, What.CHANGED, said, remedy)], nothing
    seen = replaced(unmarked(file.text), unmarked(text))
    wanted = unmarked(file.text).split("\n")
    if seen.lines != wanted:
        private = not file.mode & OTHERS or not found.mode & OTHERS
        toml = file.path.endswith(".toml")
        lines = differing_lines(wanted, seen.lines, private=private, tables=toml)
        said = f"{_lines(count(lines))}: {_origin(file, text)}"
        differences.append(Difference(gateway, file.path, What.CHANGED, said, remedy, lines))
    return differences, seen


def additional_files(
    gateway: str, wanted: Mapping[str, Wanted], found: Mapping[str, FoundFile]
) -> Iterator[Difference]:
    """Name the files with the mark of HA-VPN that nothing is rendered into."""
    for path in sorted(found.keys() - wanted.keys()):
        text = text_of(found[path])
        if text is not None and mark_of(text) is not None:
            said = "was rendered once, and is not any more"
            remedy = "remove it there, and reload what reads it"
            yield Difference(gateway, path, What.ADDITIONAL, said, remedy)


def _rights(gateway: str, file: Wanted, found: FoundFile) -> Iterator[Difference]:
    place, mode = file.path, f"{found.mode & 0o7777:o}"
    if not file.mode & OTHERS and found.mode & OTHERS:
        said = f"mode {mode} lets everybody have it"
        remedy = f"run chmod {file.mode:o} {place} there, and make its secrets again"
        yield Difference(gateway, place, What.READABLE, said, remedy)
    if file.mode & OWNER_RUNS and not found.mode & OWNER_RUNS:
        said, remedy = f"mode {mode} lets nobody run it", f"run chmod {file.mode:o} {place} there"
        yield Difference(gateway, place, What.READABLE, said, remedy)


def _lines(number: int) -> str:
    if number == 0:
        return "the lines are in another order"
    return "1 line differs" if number == 1 else f"{number} lines differ"


def _origin(file: Wanted, found: str) -> str:
    """Say how it came about, as far as the mark of the file knows."""
    mark = mark_of(found)
    if mark is None:
        return "it has no mark of HA-VPN"
    if mark.digest == digest_of_text(file.text):
        return "it was edited by hand"
    if not PLACE.search(file.text) and mark.digest == digest_of_text(found):
        return "it was rendered from another site file"
    return "it was rendered from another site file, or edited by hand"
