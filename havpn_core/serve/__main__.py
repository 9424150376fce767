"""The process that serves HTTP; the daemon starts it and ends it by closing its standard input."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import msgspec

from havpn_core.host.capabilities import give_up_at_exec, give_up_capabilities, is_filtered
from havpn_core.host.disk.trouble import why
from havpn_core.serve.metrics import exposition
from havpn_core.serve.options import parse_endpoint
from havpn_core.serve.replies import Replies
from havpn_core.serve.server import Server
from havpn_core.serve.sources import Sources

NICE = 10
"""Probing comes first on a busy host."""
KILLED_FIRST = b"500"
"""Of two processes of ours, the kernel that is out of memory ends this one."""
AGAIN_S = 1.0
KEPT = ("CAP_NET_BIND_SERVICE",)
STEPPED_BACK = "--stepped-back"


def say(text: str, *, bad: bool) -> None:
    """Hand the daemon a sentence."""
    sys.stdout.buffer.write(msgspec.json.encode({"text": text, "bad": bad}) + b"\n")
    sys.stdout.buffer.flush()


def step_back() -> None:
    """Take less than the daemon: a lower priority, and no rights but for low ports.

    A service manager's filter of system calls may end who calls for that. Then the priority stays,
    and the rights end with the program that this process turns into once more.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_bytes(KILLED_FIRST)
    if is_filtered():
        give_up_at_exec(but=KEPT)
        os.execv(sys.executable, [*sys.orig_argv, STEPPED_BACK])
    os.nice(NICE)
    try:
        give_up_capabilities(but=KEPT)
    except OSError as problem:
        say(f"metrics: its process keeps the daemon's rights: {why(problem)}", bad=True)


async def keep_listening(server: Server, endpoint: str) -> None:
    """Listen at an address as soon as it is to be had."""
    complained = ""
    while True:
        try:
            listening = await server.listen(*parse_endpoint(endpoint))
        except OSError as problem:
            reason = f"metrics: listen: {endpoint}: {why(problem)}"
            if reason != complained:
                complained = reason
                say(f"{reason}; it is tried again every {AGAIN_S:g} s", bad=True)
            await asyncio.sleep(AGAIN_S)
            continue
        if complained:
            say(f"metrics: listens at {endpoint}", bad=False)
        await listening.serve_forever()


async def serve(run_dir: Path, state_dir: Path, endpoints: list[str]) -> None:
    """Serve until the daemon closes our standard input."""
    server = Server(Replies(Sources(run_dir, state_dir), exposition).to)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, ended.set)
    listening = [asyncio.create_task(keep_listening(server, each)) for each in endpoints]
    over = asyncio.create_task(ended.wait())
    done, _ = await asyncio.wait([over, *listening], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


def main() -> None:
    """Take the arguments, and serve."""
    parser = argparse.ArgumentParser(prog="havpn-serve", description=__doc__)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("listen", nargs="+", help="as 127.0.0.1:9713")
    parser.add_argument(STEPPED_BACK, action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they are meant for the daemon, which ends us
    if not arguments.stepped_back:
        step_back()
    asyncio.run(serve(arguments.run_dir, arguments.state_dir, arguments.listen))
    os._exit(0)  # a thread may wait for a disk that hangs


if __name__ == "__main__":
    main()
