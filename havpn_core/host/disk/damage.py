"""Pure: read as much of a damaged file as can still be believed, and say what cannot."""

import json
from typing import Any

MANY = 3
"""So many damaged entries are named; more are counted."""


class Damaged(ValueError):
    """Nothing of a file can be believed."""


def parse(content: bytes) -> tuple[Any, list[str]]:
    """Read JSON as far as it can be read; gives it and what is wrong with it.

    :raises Damaged: if nothing can be read.
    """
    problems = []
    try:
        text = content.decode()
    except UnicodeDecodeError as problem:
        problems.append(f"byte {problem.start} is no UTF-8")
        text = content.decode(errors="replace")
    try:
        return json.loads(text), problems
    except json.JSONDecodeError as problem:
        what = "it is empty" if not text.strip() else f"no JSON at line {problem.lineno}"
        raise Damaged(f"{what}, column {problem.colno}" if text.strip() else what) from None
    except (ValueError, RecursionError):
        raise Damaged("no JSON of ours: a number or its nesting is too large") from None


def is_text(value: Any) -> bool:
    """Whether it is text that can be written down again and was not damaged."""
    if not isinstance(value, str) or "\N{REPLACEMENT CHARACTER}" in value:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)


def summary(problems: list[str]) -> str:
    """Name the first few problems and count the others."""
    more = len(problems) - MANY
    return "; ".join([*problems[:MANY], *([f"{more} more"] if more > 0 else [])])
