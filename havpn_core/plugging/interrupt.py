"""Tell a Ctrl-C of the operator apart from a ``KeyboardInterrupt`` that a plugin raises itself.

What a plugin raises while it is loaded is contained, whatever it is. A real SIGINT arrives in the
middle of the plugin's code as well, and there it must end the program, even if that code
suppresses what it does not know. Its output and its working directory are kept apart, too.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from havpn_core.errors import Interrupted

SLOW_S = 10.0
"""How long loading a plugin may take before it is named."""


class _Noted:
    """A handler of SIGINT that remembers that it was called."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        raise Interrupted


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """Keep the standard output and the working directory as they are in a block of a plugin's code.

    What it prints goes to standard error, not between the lines of a command, such as its JSON.
    A process that the code forked and let go on ends here: it would be a second daemon.
    """
    process = os.getpid()
    try:
        here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # it is gone, or may not be entered
        here = None
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if os.getpid() != process:
            os._exit(0)
        if here is not None:
            with contextlib.suppress(OSError):
                os.fchdir(here)
            os.close(here)


@contextlib.contextmanager
def named(plugin: str) -> Iterator[None]:
    """Say on standard error which plugin's code a block runs, if that takes long.

    A start that hangs in an import is otherwise ended by the service manager without a reason.
    """
    timer = threading.Timer(SLOW_S, _complain, (plugin, SLOW_S))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _complain(plugin: str, after_s: float) -> None:
    with contextlib.suppress(OSError, ValueError):
        print(
            f"{plugin} has been loading for {after_s:g} s: if its import never ends, remove it "
            "from plugins.enable",
            file=sys.stderr,
            flush=True,
        )


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT end a block that runs code of a plugin.

    Where somebody else takes care of SIGINT already, as the daemon's loop does, and in other
    threads than the main one, which get no signals, nothing changes.

    :raises Interrupted: at the end of the block, if SIGINT came, whatever happened to the block.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    noted = _Noted()
    signal.signal(signal.SIGINT, noted)
    try:
        yield
    finally:
        # Also where the block set a handler of its own: Ctrl-C belongs to the operator.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if noted.came:
            raise Interrupted
