"""What a page of the docs has an operator type and write, in its order, for each gateway."""

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(sh|toml|nft|crmsh|pcs)( [a-z-]+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block.

    :param kind: ``sh``, ``toml`` and so on.
    :param name: what stands behind the kind; empty if nothing does.
    """

    kind: str
    name: str
    text: str

    @property
    def lines(self) -> list[str]:
        """The commands of a block of a shell."""
        return self.text.replace("\\\n", " ").splitlines()


def blocks(page: str) -> list[Block]:
    """Give all blocks of a page, in their order."""
    found = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    return [Block(kind, name.strip(), text) for kind, name, text in found]


def only(page: str, kind: str, name: str = "") -> Block:
    """Give the one block of that kind and name."""
    (found,) = [each for each in blocks(page) if (each.kind, each.name) == (kind, name)]
    return found


def values() -> dict[str, list[str]]:
    """Give the rows of the quick start's table, by gateway: what differs from one to the other."""
    text = (DOCS / "quickstart.md").read_text(encoding="utf-8")
    table = re.search(r"^\| \| (gw-aa.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    assert table is not None
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in
            table[1].splitlines()]  # fmt: skip
    names, *rest = rows
    columns = [row[1:] for row in rest if not row[0].startswith("---")]
    return {name: [row[n] for row in columns] for n, name in enumerate(names)}


def meant_for(gateway: str, text: str) -> str:
    """Give a text about gw-aa as it is for another gateway, by the table of the quick start."""
    table = values()
    swap = dict(zip(table["gw-aa"], table[gateway], strict=True))
    longest = sorted(map(re.escape, swap), key=len, reverse=True)
    return re.sub(rf"(?<![\d.])(?:{'|'.join(longest)})(?!\d)", lambda found: swap[found[0]], text)
