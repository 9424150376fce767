"""What the next run must know, and how much of a damaged state file can still be believed.

Pure: text in, memory out. Each entry is judged alone, so that one unknown word loses no other.
"""

import math
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

import msgspec

from havpn_core.host.disk.damage import Damaged, is_text, parse
from havpn_core.pair.lines.order import LINES
from havpn_core.pair.lines.score import LAST
from havpn_core.rules.hysteresis import Level
from havpn_core.rules.role import Role
from havpn_core.rules.target.record import Record

MEMORY_FILE = "state.json"

Word = TypeVar("Word", bound=Enum)


class ActionMemory(msgspec.Struct, omit_defaults=True):
    """What is remembered of an action.

    :param running: the role that was being carried out.
    :param foreign: the role that somebody else gave it.
    """

    done: Role | None = None
    running: Role | None = None
    foreign: Role | None = None


class Memory(msgspec.Struct):
    """What the next run must know; streaks are not part of it.

    :param flaps: the flap penalty of each path when this was written; it is taken over as it is,
        so a restart forgets no flap and may remember one for a little longer.
    :param forced_until: when the force ends, in seconds of the wall clock.
    :param forced_left: seconds that it had left when this was written.
    :param forced_boot: the boot in which this was written.
    :param forced_end: when the force ends, in seconds since that boot.
    :param forced_line: the line, 1 or 2, that both sites are to use, for which it is forced.
    :param aside: this gateway stands by, as its partner was ordered to use its line.
    :param withdrawn: why this gateway has withdrawn in favour of another; empty if it has not.
    :param steps: how many steps below a good one each path's line is for a cluster; 0 is left out.
    :param records: what each path's line did so far, as
        :meth:`~havpn_core.rules.target.record.Record.to_builtins` gives it; as old as it was then.
    """

    paths: dict[str, Level] = {}
    actions: dict[str, ActionMemory] = {}
    flaps: dict[str, float] = {}
    paused: bool = False
    forced: Role | None = None
    forced_until: float | None = None
    forced_left: float | None = None
    forced_boot: str | None = None
    forced_end: float | None = None
    forced_line: int | None = None
    aside: bool = False
    withdrawn: str = ""
    steps: dict[str, int] = {}
    records: dict[str, dict[str, Any]] = {}


def decode(content: bytes) -> tuple[Memory, list[str]]:
    """Read the memory; gives what is good and says what is not.

    :raises Damaged: if nothing can be believed.
    """
    found, problems = parse(content)
    if not isinstance(found, dict):
        raise Damaged("it is no JSON object")
    judge = _Judge(problems)
    memory = Memory(
        paths=judge.table(found, "paths", lambda value: _word(Level, value)),
        actions=judge.table(found, "actions", _action),
        flaps=judge.table(found, "flaps", _seconds),
        steps=judge.table(found, "steps", _step),
        records=judge.table(
            found, "records", lambda value: Record.from_builtins(value).to_builtins()
        ),
        paused=judge.one(found, "paused", _flag, False),
        aside=judge.one(found, "aside", _flag, False),
        withdrawn=judge.one(found, "withdrawn", _text, ""),
    )
    _force(judge, found, memory)
    return memory, problems


def _force(judge: "_Judge", found: dict[str, Any], memory: Memory) -> None:
    """Read the force and its end; one without the other is no order of anybody."""
    before = len(judge.problems)
    role = judge.one(found, "forced", lambda value: _word(Role, value), None)
    until = judge.one(found, "forced_until", _seconds, None)
    left = judge.one(found, "forced_left", _seconds, None)
    boot = judge.one(found, "forced_boot", _text, None)
    end = judge.one(found, "forced_end", _seconds, None)
    line = judge.one(found, "forced_line", _line, None)
    if len(judge.problems) > before:
        judge.problems.append("the force is forgotten")
    elif role is not None:
        memory.forced, memory.forced_until, memory.forced_line = role, until, line
        memory.forced_left, memory.forced_boot, memory.forced_end = left, boot, end


class _Judge:
    """Takes good values and writes down what is wrong with others."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems

    def one(self, found: dict[str, Any], key: str, read: Callable[[Any], Any], other: Any) -> Any:
        value = found.get(key)
        if value is None:
            return other
        try:
            return read(value)
        except ValueError as problem:
            self.problems.append(f"{key}: {problem}")
            return other

    def table(self, found: dict[str, Any], key: str, read: Callable[[Any], Any]) -> dict[str, Any]:
        entries = self.one(found, key, _object, {})
        good = {}
        for name, value in entries.items():
            try:
                _text(name)
                good[name] = read(value)
            except ValueError as problem:
                self.problems.append(f"{key}.{ascii(name)[1:-1][:80]}: {problem}")
        return good


def _word(words: type[Word], value: Any) -> Word:
    for word in words:
        if word.value == value:
            return word
    known = " or ".join(str(word.value) for word in words)
    raise ValueError(f"{_shown(value)} is not {known}")


def _action(value: Any) -> ActionMemory:
    entry = _object(value)
    roles = {key: entry.get(key) for key in ("done", "running", "foreign")}
    return ActionMemory(**{k: _word(Role, v) for k, v in roles.items() if v is not None})


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{_shown(value)} is no object")
    return value


def _seconds(value: Any) -> float:
    try:
        if not isinstance(value, bool) and math.isfinite(value) and value >= 0:
            return float(value)
    except (TypeError, OverflowError):
        pass
    raise ValueError(f"{_shown(value)} is no number from 0 up")


def _line(value: Any) -> int:
    if type(value) is int and value in LINES:
        return value
    raise ValueError(f"{_shown(value)} is not 1 or 2")


def _step(value: Any) -> int:
    if type(value) is int and 0 < value <= LAST:
        return value
    raise ValueError(f"{_shown(value)} is no whole number from 1 to {LAST}")


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is not true or false")
    return value


def _text(value: Any) -> str:
    if not is_text(value):
        raise ValueError(f"{_shown(value)} is no sound text")
    return str(value)


def _shown(value: Any) -> str:
    """Show a value in a few characters; what holds others may be nested too deeply to be shown."""
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else ascii(value)[:40]
