"""What is held on this gateway, noted in ``run_dir`` so that it can be given up in any case.

``held.json`` holds one object: the name of each instance that holds something, with its type and
the options with which an instance can be built that gives it up. ``havpn release`` reads it; any
action that owns what it holds may write it. A file that others can write is not believed, as what
it says is done with the rights of root.
"""

import re
import threading
from pathlib import Path
from typing import Any

import msgspec

from havpn_core.host.disk import files
from havpn_core.host.disk.aside import set_aside
from havpn_core.host.disk.damage import Damaged, is_text, parse, summary
from havpn_core.host.disk.trouble import FileTrouble

HELD_FILE = "held.json"
_NAME = re.compile(r"action\.[a-z][a-z0-9-]*\Z")
_writing = threading.Lock()


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one instance holds.

    :param type: its action type.
    :param options: enough to build one that gives it up, in values that JSON has.
    """

    type: str
    options: dict[str, Any]


def read_held(run_dir: Path) -> tuple[dict[str, Held], list[str]]:
    """Give what is noted, by the name of the instance.

    :returns: the entries that can be believed, and what is wrong with the others, in sentences.
    """
    file = run_dir / HELD_FILE
    try:
        content = files.read(file, owners=files.ours(), sealed=True)
        if content is None:
            return {}, []
        entries, problems = decode_held(content)
    except FileTrouble as problem:
        return {}, [str(problem)]
    except Damaged as problem:
        entries, problems = {}, [str(problem)]
    if not problems:
        return entries, []
    return entries, [
        f"{file} is damaged ({summary(problems)}): look with ip address what is still held, give "
        "it up by hand, then remove this file"
    ]


def decode_held(content: bytes) -> tuple[dict[str, Held], list[str]]:
    """Read the file's content; gives the good entries and what is wrong with the others.

    :raises Damaged: if nothing can be believed.
    """
    found, problems = parse(content)
    if not isinstance(found, dict):
        raise Damaged("it is no JSON object")
    entries = {}
    for name, entry in found.items():
        try:
            if not _NAME.match(name):
                raise ValueError("it is not the name of an action")
            entries[name] = _entry(entry)
        except (ValueError, RecursionError) as problem:
            problems.append(f"{ascii(name)[1:-1][:80]}: {problem}")
    return entries, problems


def note_held(run_dir: Path, instance: str, held: Held | None) -> None:
    """Write down what an instance holds; blocks for the disk.

    :param run_dir: as the context of the instance gives it.
    :param instance: the name of the instance, as its context gives it.
    :param held: what it holds; ``None``: nothing.
    :raises HavpnError: if it cannot be written; the text names the file and the remedy.
    """
    file = run_dir / HELD_FILE
    with _writing:
        before, problems = read_held(run_dir)
        after = {name: entry for name, entry in before.items() if name != instance}
        if held is not None:
            after[instance] = held
        if after == before and not problems:
            return
        if problems:
            set_aside(file, keep=True)
        files.sweep(file)
        files.write(file, msgspec.json.encode(after), durable=False, mode=0o600)


def _entry(entry: Any) -> Held:
    """Check an entry; what was read must be fit to be written again with those of others."""
    held = msgspec.convert(entry, Held)
    try:
        again = msgspec.json.encode(held)
    except OverflowError:
        raise ValueError("it holds a number that is too large") from None
    if not is_text(again.decode()):
        raise ValueError("it holds text that is damaged")
    return held
