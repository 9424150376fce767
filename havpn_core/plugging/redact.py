"""Pure: keep what stands on a command line out of what anybody may read.

The configuration is its owner's alone, the log, the history and the status are not. A command
line carries passwords, tokens and addresses with a secret in them, and a program often prints
what it was given. So a program is named without its arguments, and what it printed is shown
without them.
"""

import functools
import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Any

MARK = "***"
"""What stands in place of text that is kept back."""

SHORTEST = 3
"""Characters of the shortest text that is kept back; shorter ones are in every sentence."""
ANYWHERE = 4
"""Characters from which a text is kept back within a longer word, too."""
CUT, LONGEST_CUT = 5, 256
"""Characters of a private text's beginning that are known again where the output is cut off."""
PLAIN = 12
"""A plain word of a script up to this many letters is no secret by itself."""

_VALUE = re.compile(r"""[=:]["']?([^\s"'`;&|@/]+)""")
_HEADER = re.compile(r"^[A-Za-z][A-Za-z-]*:\s+(.+)$", re.DOTALL)
_JOINED = re.compile(r"^-[A-Za-z](.+)$", re.DOTALL)
_SECRET_WORD = r"(?:token|pass\w*|pwd|secret|\w*key|auth\w*|bearer|basic|digest|credential\w*|pin)"
_FOLLOWS = re.compile(
    rf"""(?:(?<!\S)--?[A-Za-z][\w-]*|\b{_SECRET_WORD}:?)\s+["']?([^\s"'`;&|]+)""", re.IGNORECASE
)
_PIECES = re.compile(r"""[\s"'`;&|<>(){}$=,?@/\\]+""")
_PLAIN_WORD = re.compile(r"[^A-Za-z0-9]*(?:[A-Z]?[a-z]+|[A-Z]+)(?:[-.:][a-z]+)*[^A-Za-z0-9]*")


def program_of(argv: Sequence[str]) -> str:
    """Give the program of a command line, without its folder and without any argument.

    Only the first word counts: who writes a whole command line as one text, which no shell
    reads, still puts a secret in there.
    """
    return path_of(argv).rstrip("/").rpartition("/")[2] or "command"


def path_of(argv: Sequence[str]) -> str:
    """Give the program of a command line as it is written, without any argument."""
    words = argv[0].split() if argv else []
    # NAME=VALUE before a program is a shell's way and may be a password.
    return words[0] if words and "=" not in words[0] else "command"


def without_arguments(problem: BaseException) -> str | None:
    """Put an error of :mod:`subprocess`, whose text has the whole command line, into words.

    :returns: ``None`` for any other exception.
    """
    import subprocess  # loaded with asyncio where anything can fail

    if not isinstance(problem, subprocess.TimeoutExpired | subprocess.CalledProcessError):
        return None
    argv: Any = problem.cmd
    first = argv[0] if isinstance(argv, list | tuple) and argv else argv
    program = program_of(
        [first.decode(errors="replace") if isinstance(first, bytes) else str(first)]
    )
    if isinstance(problem, subprocess.TimeoutExpired):
        return f"{program} did not end within {problem.timeout} s"
    return f"{program} ended with status {problem.returncode}"


def redacted(text: str, private: Iterable[str]) -> str:
    """Give a text without what must not be shown.

    :param private: arguments, values of parameters and of environment variables. Parts of them
        are kept back as well: the value of ``--token=VALUE``, the password of an address.
    """
    words = _words(tuple(private))
    lowered = text.lower()
    # Of a long script's thousands of words hardly one is in the text: look before comparing.
    there = [word for word in words if word in text or word.lower() in lowered]
    if there:
        alternatives = (
            re.escape(word) if len(word) >= ANYWHERE else rf"(?<!\w){re.escape(word)}(?!\w)"
            for word in there
        )
        text = re.sub("|".join(alternatives), MARK, text, flags=re.IGNORECASE)
    return _without_a_beginning(text, words)


def _without_a_beginning(text: str, words: Sequence[str]) -> str:
    """Take away a private text's beginning that the end of the output cut off."""
    for word in words:
        at = text.rfind(word[:CUT], max(0, len(text) - LONGEST_CUT))
        if at >= 0 and len(word) > CUT and word.startswith(text[at:]):
            return text[:at] + MARK
    return text


@functools.lru_cache(maxsize=256)
def _words(private: tuple[str, ...]) -> tuple[str, ...]:
    """Give everything that must not be shown, the longest first."""
    found = {form for text in private for word in words_of(text) for form in _forms(word)}
    return tuple(sorted(found, key=lambda word: (-len(word), word)))


def words_of(argument: str) -> set[str]:
    """Give an argument and the parts of it that are a secret by themselves.

    An address of the network is none. The words of a script (an argument with white space) are
    none either, unless they look like a secret or stand where one stands.
    """
    found = {argument, argument.strip(), *_VALUE.findall(argument), *_FOLLOWS.findall(argument)}
    for whole in (_HEADER.match(argument), _JOINED.match(argument)):
        if whole:
            found |= {whole[1], *whole[1].split()[-1:]}
    for line in argument.splitlines():
        found.add(line.strip())
    found |= {piece for piece in _PIECES.split(argument) if not _is_plain(piece)}
    name, _, value = argument.partition("=")
    if value and not any(c.isspace() for c in name):
        found.add(value)
    return {word for word in found if len(word) >= SHORTEST and not _is_address(word)}


def _is_plain(piece: str) -> bool:
    if len(piece) < ANYWHERE:
        return True
    return len(piece) <= PLAIN and _PLAIN_WORD.fullmatch(piece) is not None


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_interface(word.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return not word.isdigit()


def _forms(word: str) -> set[str]:
    """Give the ways in which programs write a text."""
    # Imported here: most commands never show what a program printed.
    import base64
    import json
    from urllib.parse import quote, unquote

    encoded = word.encode(errors="replace")
    forms = {
        word,
        repr(word)[1:-1],
        json.dumps(word)[1:-1],
        word.replace("'", "'\\''"),
        " ".join(word.split()),
        quote(encoded, safe=""),
        quote(encoded),
        unquote(word),
    }
    if len(word) >= 2 * ANYWHERE:
        forms.add(base64.b64encode(encoded).decode().rstrip("="))
    return {form for form in forms if len(form) >= SHORTEST}
