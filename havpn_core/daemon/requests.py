"""Requests to the running daemon: one line of JSON over a Unix socket, one line back."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from havpn_core.errors import HavpnError
from havpn_core.host import boot
from havpn_core.host.disk import files
from havpn_core.host.disk.trouble import FileTrouble, why
from havpn_core.plugging.wording import describe

SOCKET = "control.sock"
LONGEST = 4096
UNTIL = "until_s"
"""The field of a request that says when its sender gives it up."""
Reply = dict[str, Any] | msgspec.Raw
"""An object, or one that is JSON already."""
Lines = AsyncIterator[bytes]
"""Replies without end, each JSON already; an empty one only finds out whether anybody reads."""
Handle = Callable[[dict[str, Any]], Awaitable[Reply | Lines]]


async def serve(run_dir: Path, handle: Handle) -> asyncio.AbstractServer:
    """Listen in ``run_dir``; only the owner may connect.

    :raises FileTrouble: if that cannot be done there.
    """

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(10):
                line = await reader.readline()
            found = msgspec.json.decode(line, type=dict[str, Any])
            _check_time(found.pop(UNTIL, None))
            reply: Reply | Lines = await handle(found)
        except (HavpnError, ValueError, TimeoutError, msgspec.DecodeError) as problem:
            reply = {"error": str(problem)}
        except Exception as problem:  # a part of the daemon failed, and the one who waits hears it
            reply = {"error": describe(problem)}
        with contextlib.suppress(OSError):
            if isinstance(reply, AsyncIterator):
                await _write_all(reply, reader, writer)
            else:
                writer.write(_encoded(reply) + b"\n")
                await writer.drain()
        writer.close()

    files.make_folder(run_dir)
    listening = _bound(run_dir / SOCKET)
    try:
        return await asyncio.start_unix_server(serve_one, sock=listening, limit=LONGEST)
    except BaseException:
        listening.close()
        raise


def _check_time(until_s: Any) -> None:
    """Refuse what its sender has given up: a daemon that hung would act on it unexpectedly.

    :param until_s: when that is, since the boot; a sender of release 0.1 does not say it.
    :raises HavpnError: if it is over.
    """
    if isinstance(until_s, int | float) and boot.clocks().boot_s >= until_s:
        raise HavpnError("the request came too late and is not carried out: repeat it")


async def _write_all(
    lines: Lines, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Write until the lines end, or nobody reads them any more."""
    async with contextlib.aclosing(lines) as each:  # type: ignore[type-var]
        async for line in each:
            if reader.at_eof():
                return
            if line:
                writer.write(line + b"\n")
                await writer.drain()


def _bound(path: Path) -> socket.socket:
    """Make a socket that only its owner may connect to, from the first moment on.

    The mode of its file is the one that the unbound socket has; the umask, which belongs to the
    whole process, stays as it is.

    :raises FileTrouble: if it cannot be made there.
    """
    made = socket.socket(socket.AF_UNIX)
    try:
        os.fchmod(made.fileno(), 0o600)
        path.unlink(missing_ok=True)
        made.bind(str(path))
    except OSError as problem:
        made.close()
        reason = why(problem)
        if problem.errno is None:
            reason = "the path is longer than the 107 bytes of a socket: choose a shorter run_dir"
        raise FileTrouble(f"{path}: {reason}", problem.errno) from None
    return made


def _encoded(reply: Reply) -> bytes:
    try:
        return msgspec.json.encode(reply)
    except Exception as problem:
        return msgspec.json.encode({"error": f"the reply cannot be written: {describe(problem)}"})


def request(run_dir: Path, timeout_s: float = 30.0, **what: Any) -> dict[str, Any]:
    """Send a request to the daemon and give its reply.

    :raises HavpnError: if none listens, or it refuses.
    """
    with contextlib.closing(stream(run_dir, timeout_s, **what)) as replies:
        return next(replies)


def stream(
    run_dir: Path, timeout_s: float = 30.0, **what: Any
) -> Generator[dict[str, Any], None, None]:
    """Send a request to the daemon and give each of its replies, as they come.

    :param timeout_s: seconds until the first one; for further ones it is waited without end.
    :raises HavpnError: if none listens, or it refuses.
    """
    with _understood(run_dir), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(timeout_s)
        line.connect(str(run_dir / SOCKET))
        until_s = boot.clocks().boot_s + timeout_s
        line.sendall(msgspec.json.encode(what | {UNTIL: until_s}) + b"\n")
        received = line.makefile("rb")
        reply: dict[str, Any] = msgspec.json.decode(received.readline(), type=dict)
        if "error" in reply:
            raise HavpnError(reply["error"])
        yield reply
        line.settimeout(None)
        for text in received:
            yield msgspec.json.decode(text, type=dict)


@contextlib.contextmanager
def _understood(run_dir: Path) -> Iterator[None]:
    """Say what to do where a daemon cannot be reached."""
    try:
        yield
    except (FileNotFoundError, ConnectionRefusedError):
        raise HavpnError(
            f"no daemon runs with the run_dir {run_dir}: start it (systemctl start havpn), or name "
            "its file with -c"
        ) from None
    except PermissionError:
        raise HavpnError(
            f"{run_dir / SOCKET}: not permitted: run this as root, or as the daemon's user"
        ) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise HavpnError(f"no daemon replies at {run_dir / SOCKET}: {reason}") from None
