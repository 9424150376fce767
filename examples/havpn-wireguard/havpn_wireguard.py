"""The probe ``wireguard``: the age of a peer's last handshake.

A WireGuard peer with traffic or ``PersistentKeepalive`` shakes hands every two minutes and gives a
session up after three (WireGuard whitepaper, section 6.1), so a handshake older than 180 s is a
dead tunnel. That is slow: write it with ``watches = "tunnel"`` and put a faster probe of the line
beside it.
"""

import time
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from havpn_core import CommandTimeout, Context, Duration, ProbeType, Sample, hookimpl, run_command


class Options(Struct, frozen=True, kw_only=True):
    """Options of ``wireguard``."""

    interface: Annotated[str, Meta(min_length=1, max_length=15, description="as wg0")]
    peer: Annotated[
        str, Meta(pattern="^[A-Za-z0-9+/]{43}=$", description="public key of the far gateway")
    ]
    max_age: Annotated[Duration, Meta(description="age of a handshake that is too old")] = Duration(
        180.0
    )
    command: Annotated[str, Meta(min_length=1, description="the wg command")] = "wg"


class WireGuard:
    """Runs ``wg``, which reads the kernel's state; nothing is sent over the line."""

    def __init__(self, options: Options, context: Context) -> None:
        self._options = options

    async def check(self, timeout_s: float) -> Sample:
        """Look once; see :class:`havpn_core.Probe`."""
        argv = (self._options.command, "show", self._options.interface, "latest-handshakes")
        try:
            # Its arguments are no secret, so an error may name the interface.
            ended = await run_command(argv, timeout_s, private=())
        except CommandTimeout as problem:
            return Sample.error(str(problem))
        except OSError as problem:
            return Sample.error(f"{argv[0]}: {problem.strerror}")
        if ended.status != 0:
            return Sample.fail(ended.said or f"wg ended with status {ended.status}")
        return self._judge(ended.output)

    def _judge(self, output: str) -> Sample:
        for line in output.splitlines():
            peer, _, when = line.partition("\t")
            if peer == self._options.peer:
                if when.strip() == "0":
                    return Sample.fail("no handshake yet")
                age = time.time() - int(when)
                words = f"last handshake {age:.0f} s ago"
                return Sample.ok() if age <= self._options.max_age else Sample.fail(words)
        return Sample.error(f"{self._options.interface} has no such peer: correct the option peer")

    def close(self) -> None:
        """Do nothing; nothing stays open."""


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    """Give the type."""
    yield ProbeType("wireguard", "Age of a WireGuard peer's last handshake", Options, WireGuard)
