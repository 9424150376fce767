"""How a command ends: an exit status, and a sentence for whatever went wrong.

0 is fine, 1 a problem that was found, 2 wrong usage. Nothing that the surroundings do (a full disk,
a reader that has gone, a closed standard output, Ctrl-C) is a traceback.
"""

import contextlib
import errno
import io
import os
import sys
import threading
import time
from typing import NoReturn, TextIO

import click

from havpn_core.errors import ConfigError, HavpnError
from havpn_core.host.disk.trouble import why

THREADS_S = 1.0
"""How long threads of plugins may take to end after the command has."""


def perform(command: click.Command, name: str, arguments: list[str] | None = None) -> int:
    """Run a command to its end.

    :param name: how it is called, for its messages.
    :param arguments: those of the process if not given.
    :returns: the exit status.
    """
    _prepare_streams()
    status = _status(command, name, arguments)
    problem = _flushed(sys.stdout)
    if problem is not None:
        _give_up(sys.stdout)
        if problem.errno != errno.EPIPE:
            _say(name, _of_output(problem))
        status = status or 1
    if _flushed(sys.stderr) is not None:
        _give_up(sys.stderr)
    return status


def carry_out(command: click.Command, name: str, arguments: list[str] | None = None) -> NoReturn:
    """Run a command, and end the process with its status.

    The interpreter would wait for threads that plugins have left at work, without end where they
    have none. Those that were there before are the caller's.
    """
    others = set(threading.enumerate())
    status = perform(command, name, arguments)
    until = time.monotonic() + THREADS_S
    for thread in set(threading.enumerate()) - others:
        if not thread.daemon:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                os._exit(status)
    sys.exit(status)


def _status(command: click.Command, name: str, arguments: list[str] | None) -> int:
    try:
        ended = command.main(args=arguments, prog_name=name, standalone_mode=False)
    except click.ClickException as problem:
        with contextlib.suppress(OSError):
            problem.show()
        return problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say(name, "interrupted")
    except ConfigError as problem:
        for text in problem.problems:
            _say("", text)
    except HavpnError as problem:
        _say(name, str(problem))
    except BrokenPipeError:
        _give_up(sys.stdout)  # whoever read has gone, and knows
    except OSError as problem:
        _say(name, _of_file(problem))
    except SystemExit as end:
        return _code(end)
    else:
        return ended if isinstance(ended, int) else 0
    return 1


def _code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    _say("", str(end.code))
    return 1


def _of_file(problem: OSError) -> str:
    name = problem.filename
    if name is None:
        return _of_output(problem)
    shown = os.fsdecode(name) if isinstance(name, str | bytes) else f"descriptor {name}"
    return f"{shown}: {why(problem)}"


def _of_output(problem: OSError) -> str:
    return f"the output cannot be written: {why(problem)}"


def _say(name: str, text: str) -> None:
    from havpn_core.host.logs import as_error  # where nothing is wrong nobody needs it

    with contextlib.suppress(OSError):
        click.echo(as_error(f"{name}: {text}" if name else text, sys.stderr), err=True)


def _prepare_streams() -> None:
    """Make sure that there is something to write to, and that any text can be written.

    Where a descriptor is closed, the next file that is opened would become standard output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = sys.stdout or _nowhere("w")
    sys.stderr = sys.stderr or _nowhere("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name in the file system need not be UTF-8, and the terminal need not know it.
            stream.reconfigure(errors="backslashreplace")


def _nowhere(mode: str) -> TextIO:
    try:
        return open(os.devnull, mode, encoding="utf-8")  # type: ignore[return-value]  # noqa: PTH123
    except OSError:
        return io.StringIO()


def _flushed(stream: TextIO) -> OSError | None:
    """Write what is left; gives why that cannot be done."""
    try:
        stream.flush()
    except OSError as problem:
        return problem
    except ValueError:  # it is closed
        return None
    return None


def _give_up(stream: TextIO) -> None:
    """Let what cannot be written go to nowhere, or the interpreter would complain at its end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
