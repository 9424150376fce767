"""Put exceptions and what else a plugin hands over into one printable line of bounded length.

Every function here is total: whatever object it gets, it returns and never raises. A value's type
is read with ``type()`` and its content with the methods of the built-in types, because those that
a subclass brings may raise, lie or never return.
"""

import re
from typing import Any

from havpn_core.errors import HavpnError
from havpn_core.plugging.redact import without_arguments

LONGEST = 500
"""Characters of a text of a plugin's that are kept."""
LONGEST_NAME = 100
CUT = "..."

_ERRNO = re.compile(r"\[Errno -?\d+\] ")
_name_of = type.__dict__["__name__"].__get__


def one_line(text: str, limit: int = LONGEST) -> str:
    """Give a text as one printable line that every file can hold.

    :param limit: the most characters of the result.
    """
    if len(text) <= limit and text.isprintable():
        return text
    # No more than that is looked at: a plugin's text may have any size.
    line = " ".join(text[: 4 * limit].split())
    line = "".join(character if character.isprintable() else "\ufffd" for character in line)
    return line if len(line) <= limit else line[: limit - len(CUT)] + CUT


def words(value: Any, limit: int = LONGEST) -> str:
    """Give a value that should be a text as one line; no code of the value's own runs.

    :param limit: the most characters of the result.
    """
    kind = type(value)
    if value is None:
        return ""
    if issubclass(kind, str):
        return one_line(str.__str__(value), limit)
    if issubclass(kind, bytes):
        start = bytes.__getitem__(value, slice(0, 4 * limit))
        return one_line(start.decode(errors="replace"), limit)
    if issubclass(kind, BaseException):
        return one_line(describe(value), limit)
    return one_line(shown(value), limit)


def describe(problem: BaseException) -> str:
    """Name an exception in one line, whatever happens to reading its text."""
    kind = type(problem)
    if issubclass(kind, SystemExit):
        status = shown(vars(SystemExit)["code"].__get__(problem))
        return f"SystemExit: it tried to end the program (status {status})"
    text = one_line(_without_arguments(problem) or _spoken(problem))
    if issubclass(kind, HavpnError) and text:
        return text
    if issubclass(kind, OSError):
        text = _ERRNO.sub("", text)
    name = type_name(kind)
    return f"{name}: {text}" if text else name


def _without_arguments(problem: BaseException) -> str | None:
    try:
        return without_arguments(problem)
    except BaseException:
        return None


def type_name(kind: type) -> str:
    """Give a class's own name."""
    return one_line(_name_of(kind), LONGEST_NAME)


def shown(value: Any) -> str:
    """Show a value in a few words, running no code of its own."""
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return repr(value)
    if issubclass(kind, int):
        number = int.__int__(value)
        bits = number.bit_length()
        return str(number) if bits <= 64 else f"a whole number of {bits} bits"
    if issubclass(kind, str):
        return repr(one_line(str.__str__(value), 60))
    name = type_name(kind)
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"


def own_text(value: Any, limit: int = LONGEST) -> str:
    """Give what ``str`` makes of a value as one line, or what it is if that fails."""
    return one_line(_spoken(value), limit) or one_line(shown(value), limit)


def _spoken(value: Any) -> str:
    """Give ``str(value)``, empty if that fails in any way."""
    try:
        return str.__str__(str(value))
    except BaseException:
        return ""
