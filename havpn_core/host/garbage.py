"""Keep the collector of cyclic garbage from what stays without end: looking it through takes long.

A thousand paths are some hundred thousand objects, and a whole collection looks at each of them
while everything else waits, for a seventh of a second. What is there once a configuration is at
work stays: it is put aside (:func:`gc.freeze`). What comes later is collected as usual.
"""

import asyncio
import gc

SETTLES_S = (3.0, 12.0)
"""After so many seconds, and so many more, paths have their sockets, timers and records, too."""


def put_aside() -> None:
    """Collect what the start left, and put aside what is there now; before the first probes."""
    gc.collect()
    gc.freeze()


def take_back() -> None:
    """Let what was put aside be collected again, for another configuration is at work.

    That is left to the collector, which has its time: now the probes would be late for it.
    """
    gc.unfreeze()


async def settle() -> None:
    """Put aside what comes to it until the daemon has settled."""
    for pause_s in SETTLES_S:
        await asyncio.sleep(pause_s)
        gc.freeze()  # collects nothing, for that would take as long as what is avoided here
