"""``tcp``: connect, and if so configured expect a greeting or a TLS handshake."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Iterable
from typing import Annotated

import msgspec

from havpn_core import Context, NotResolved, ProbeType, Sample, hookimpl

from ._binding import LineOptions, bind, from_os_error, target

GREETING_LIMIT = 4096


class TcpOptions(LineOptions, frozen=True, kw_only=True):
    """Options of ``tcp``."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="TCP port")]
    # The length belongs to the text alone: msgspec refuses it on a union with None.
    expect: (
        Annotated[
            str, msgspec.Meta(min_length=1, description="text that the greeting must contain")
        ]
        | None
    ) = None
    tls: Annotated[bool, msgspec.Meta(description="a TLS handshake must succeed")] = False
    verify: Annotated[
        bool, msgspec.Meta(description="check the certificate; a test of life need not")
    ] = False
    server_name: Annotated[
        str | None, msgspec.Meta(description="name to send in the handshake; default: host")
    ] = None


class Tcp:
    """A probe that opens a connection each time."""

    def __init__(self, options: TcpOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._tls: ssl.SSLContext | None = None
        if options.tls:
            self._tls = ssl.create_default_context()
            if not options.verify:
                self._tls.check_hostname = False
                self._tls.verify_mode = ssl.CERT_NONE

    async def check(self, timeout_s: float) -> Sample:
        """Connect once; see :class:`havpn_core.Probe`."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(timeout_s):
                problem = await self._connect()
        except TimeoutError:
            return Sample.fail("no reply")
        except NotResolved as unknown:
            return Sample.error(str(unknown))
        except ssl.SSLError as refusal:
            return Sample.fail(f"TLS handshake failed: {refusal.reason or refusal}")
        except OSError as refusal:
            return from_os_error(refusal)
        return Sample.fail(problem) if problem else Sample.ok(loop.time() - began)

    def close(self) -> None:
        """Do nothing; no connection outlives its probe."""

    async def _connect(self) -> str:
        """Connect and give what is wrong with the far end, or nothing."""
        options = self._options
        family, address = target(self._context, options.host, options.port, options.family)
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            bind(made, options.source, options.device)
            await asyncio.get_running_loop().sock_connect(made, address)
            # Reset instead of TIME_WAIT: at ten probes a second those would pile up.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if self._tls is None and options.expect is None:
                return ""
            return await self._greeted(made)
        finally:
            made.close()

    async def _greeted(self, made: socket.socket) -> str:
        """Give what is wrong with handshake or greeting, or nothing."""
        options = self._options
        name = (options.server_name or options.host) if self._tls else None
        reader, writer = await asyncio.open_connection(
            sock=made, ssl=self._tls, server_hostname=name
        )
        try:
            if options.expect is None:
                return ""
            wanted, heard = options.expect.encode(), b""
            while wanted not in heard and len(heard) < GREETING_LIMIT:
                more = await reader.read(GREETING_LIMIT)
                if not more:
                    break
                heard += more
            return "" if wanted in heard else f"greeting {heard[:40]!r} lacks {options.expect!r}"
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                made.close()


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    """Give the type."""
    yield ProbeType("tcp", "TCP connect, greeting or TLS handshake", TcpOptions, Tcp)
