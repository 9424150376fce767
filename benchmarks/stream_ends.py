"""The far ends of many streams in one process of its own, without a daemon.

    python -m benchmarks.stream_ends COUNT PORT KEY_FILE

End number n has the address that :func:`address` gives and sends to 127.0.0.1, from whose one
socket all of them hear.
"""

import asyncio
import contextlib
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from havpn_plugins.probes import stream

from havpn_core.host.context import context
from havpn_core.testing import options

NEAR = "127.0.0.1"


def address(number: int) -> str:
    """Give the address of a far end, on loopback."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def free_port() -> int:
    """Give a UDP port that nobody has on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind((NEAR, 0))
        port: int = made.getsockname()[1]
        return port


@contextlib.contextmanager
def far_ends(count: int, port: int, folder: Path) -> Iterator[Path]:
    """Run so many far ends; give the file with the key of all of them."""
    key = folder / "line.key"
    key.touch(0o600)
    key.write_text(secrets.token_hex(32) + "\n")
    words = [sys.executable, "-m", "benchmarks.stream_ends", str(count), str(port), str(key)]
    ends = subprocess.Popen(words)
    try:
        yield key
    finally:
        ends.terminate()
        ends.wait(10)


async def serve(count: int, port: int, key: str) -> None:
    """Be the far ends, until the process is ended."""
    [kind] = stream.havpn_register_probes()
    for number in range(count):
        table = {"host": NEAR, "source": address(number), "port": port, "key_file": key}
        given = options(kind, table | {"interval": "10ms"})
        probe = kind.build(given, context(f"far-{number}", node="bench", run_dir="/run"))
        probe.tell_arrivals(lambda sample, lost: None)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
