"""The pages of the documentation and the blocks that they show."""

import re
import shlex
import textwrap
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).parents[2]
DOCS = REPO / "docs"
FENCE = re.compile(r"^[ \t]*```([^\n]*)\n(.*?)^[ \t]*```[ \t]*$", re.S | re.M)
"""A block, also one within a list."""


class Block(NamedTuple):
    page: str
    language: str
    text: str


def pages():
    """Give every page of the site that is written by hand or made, but for the changelog."""
    outside = [REPO / "README.md", REPO / "CONTRIBUTING.md"]
    return sorted([*outside, *DOCS.rglob("*.md"), *(REPO / "examples").rglob("*.md")])


def name(page):
    return str(page.relative_to(REPO))


def blocks(language=None):
    found = []
    for page in pages():
        for title, text in FENCE.findall(page.read_text()):
            word = title.partition(" ")[0]
            if language in (None, word):
                found.append(Block(name(page), word, textwrap.dedent(text)))
    return found


def command_lines(text):
    """Give the single commands of a shell block: no pipes, comments or continued lines."""
    joined = text.replace("\\\n", " ")
    joined = re.sub(r"([|&])\n\s*", r"\1 ", joined)
    for line in joined.splitlines():
        yield from _commands(line)


def _commands(line):
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    argv, skip = [], False
    for word in lexer:
        if set(word) <= set("|&;") and word:
            if argv:
                yield argv
            argv = []
        elif set(word) <= set("<>"):
            skip = True
        elif skip:
            skip = False
        else:
            argv.append(word)
    if argv:
        yield argv
