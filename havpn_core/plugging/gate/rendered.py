"""Have renderers of plugins make their files, and take nothing from them but good ones."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from havpn_core.errors import CallFailed, Interrupted
from havpn_core.plugging.descriptors import Context, PluginType
from havpn_core.plugging.interrupt import apart, interruptible
from havpn_core.plugging.rendering import RenderedFile
from havpn_core.plugging.wording import describe, shown
from havpn_core.site.model.model import Model

MOST_FILES = 256
"""Files of one gateway that a renderer may give."""
MOST_BYTES = 1024 * 1024
"""Bytes of one of them."""
OWNER = 0o700
PLACE = "{{secret:"


def files_by(
    plugin_type: PluginType, options: Any, context: Context, model: Model
) -> Mapping[str, tuple[RenderedFile, ...]]:
    """Give the files of each gateway that a renderer makes.

    :raises CallFailed: if it raises anything, or gives anything but good files.
    :raises Interrupted: if the operator ends it.
    """
    try:
        with interruptible(), apart():
            made = plugin_type.build(options, context)
            return {
                gateway: tuple(_files(gateway, made.files(model, gateway)))
                for gateway in model.gateways
            }
    except (Interrupted, CallFailed):
        raise
    except BaseException as problem:  # it is the plugin's
        raise CallFailed(describe(problem)) from None


def _files(gateway: str, given: Any) -> Iterator[RenderedFile]:
    """Take what was given for one gateway.

    :raises CallFailed: for what is no file, or too much.
    """
    if hasattr(given, "cr_await"):
        given.close()
        raise CallFailed("its files is async; it must be a plain function")
    if not isinstance(given, Iterable) or isinstance(given, str | bytes):
        raise CallFailed(f"{gateway}: files gave {shown(given)}, which is no list of files")
    seen: set[str] = set()
    for each in given:
        file = _file(gateway, each)
        if file.path in seen:
            raise CallFailed(f"{gateway}: files gave {file.path} twice")
        seen.add(file.path)
        if len(seen) > MOST_FILES:
            raise CallFailed(f"{gateway}: files gave more than {MOST_FILES} files")
        yield file


def _file(gateway: str, given: Any) -> RenderedFile:
    """Make one again, of plain values: a subclass could say something else each time."""
    if not issubclass(type(given), RenderedFile):
        raise CallFailed(f"{gateway}: files gave {shown(given)}, which is no RenderedFile")
    path, text, comment = given.path, given.text, given.comment
    for name, value in (("path", path), ("text", text), ("comment", comment)):
        if type(value) is not str:
            raise CallFailed(f"{gateway}: the {name} of a file is {shown(value)}, and no text")
    if type(given.mode) is not int:
        raise CallFailed(f"{gateway}: {path}: its mode is {shown(given.mode)}, and no number")
    try:
        if len(text.encode()) > MOST_BYTES:
            raise CallFailed(f"{gateway}: {path}: has more than {MOST_BYTES} bytes")
    except UnicodeEncodeError:
        raise CallFailed(f"{gateway}: {path}: its text cannot be written as UTF-8") from None
    mode = given.mode & OWNER if PLACE in text else given.mode
    try:
        return RenderedFile(path, text, mode, comment)
    except ValueError as problem:
        raise CallFailed(f"{gateway}: {problem}") from None
