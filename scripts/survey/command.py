"""The command line of scripts/house."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .budgets import faults
from .drawing import draw
from .floors import read_rooms
from .numbers import numbers
from .tree import read_tree

ROOT = Path(__file__).parents[2]
PICTURE = Path("docs/house.svg")


def main(words: list[str]) -> int:
    """Do what the words say.

    :returns: 0, or 1 if a check failed.
    """
    chosen = _parser().parse_intermixed_args(words)
    rooms = read_rooms()
    trees = {str(root): read_tree(root) for root in chosen.checkouts or [ROOT]}
    if chosen.what == "draw":
        (tree,) = trees.values()
        text = draw(tree, rooms)
        if chosen.output == "-":
            sys.stdout.write(text)
        else:
            Path(chosen.output).write_text(text)
        return 0
    if chosen.what == "check":
        found = [fault for tree in trees.values() for fault in faults(tree, rooms)]
        print(json.dumps(found, indent=2) if chosen.json else "\n".join(found))
        return 1 if found else 0
    records = {root: numbers(tree, rooms) for root, tree in trees.items()}
    print(json.dumps(records, indent=2) if chosen.json else table(records))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/house",
        description="Read the product's imports; the floors are those of docs/architecture.md.",
    )
    parser.add_argument(
        "what",
        choices=("numbers", "check", "draw"),
        help="numbers: a column for each checkout; check: circles, floors and budgets, exit code "
        "1 if one is broken; draw: the picture",
    )
    parser.add_argument(
        "checkouts", nargs="*", type=Path, help="where to look (default: this checkout)"
    )
    parser.add_argument("--json", action="store_true", help="numbers and check as JSON")
    parser.add_argument(
        "-o", "--output", default=str(ROOT / PICTURE), help="file of the picture, - for stdout"
    )
    return parser


def table(records: dict[str, dict[str, Any]]) -> str:
    """Lay records side by side, one column for each checkout."""
    rows = [["", *records]]
    for key in next(iter(records.values())):
        if key == "modules_per_folder":
            folders = sorted({folder for one in records.values() for folder in one[key]})
            rows += [
                [f"  {folder}/", *(str(one[key].get(folder, "-")) for one in records.values())]
                for folder in folders
            ]
        else:
            label = key.replace("_", " ")
            rows.append([label, *(_cell(one[key]) for one in records.values())])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _cell(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, list) for one in value):
        return f"{len(value)}" + (f" (of {', '.join(str(len(g)) for g in value)})" if value else "")
    if isinstance(value, list):
        name, lines = value
        return f"{lines} ({name})"
    return str(value)
