"""The probe ``tcp``: a connection that the far end must accept."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Iterator
from typing import Annotated

import msgspec

from havpn_core import Context, NotResolved, ProbeType, Sample, hookimpl
from havpn_plugins.probes._target import Target, bound_socket, locate, plain, sample_of

BANNER_LIMIT = 4096
"""Bytes of a banner that are searched."""


class TcpOptions(Target, frozen=True, kw_only=True):
    """Options of ``tcp``."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="TCP port to connect to")]
    expect: Annotated[
        str,
        msgspec.Meta(
            description="text that the first 4096 bytes received must contain, as UTF-8; "
            "empty: accepting the connection is enough"
        ),
    ] = ""
    tls: Annotated[bool, msgspec.Meta(description="whether a TLS handshake must complete")] = False
    server_name: Annotated[
        str, msgspec.Meta(description="name to ask for in the TLS handshake; empty: the host")
    ] = ""
    verify: Annotated[
        bool,
        msgspec.Meta(
            description="whether the TLS certificate must be valid; off, as an expired "
            "certificate says nothing about whether the line is alive"
        ),
    ] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.tls and (self.server_name or self.verify):
            raise ValueError("server_name and verify need tls = true")


class Tcp:
    """Connects, perhaps listens for a banner, and resets the connection.

    The reset (SO_LINGER with 0 s) is on purpose: thousands of probes an hour would otherwise
    each leave a TIME_WAIT behind on this host.
    """

    def __init__(self, options: TcpOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._expect = options.expect.encode()
        self._tls = _tls_context(options.verify) if options.tls else None

    async def check(self, timeout_s: float) -> Sample:
        """Connect once."""
        options = self._options
        try:
            address = self._context.resolve(options.host, options.resolve_to)
        except NotResolved as error:
            return Sample.error(str(error))
        try:
            async with asyncio.timeout(timeout_s):
                return await self._converse(address)
        except TimeoutError as error:
            # The kernel's own ETIMEDOUT has a number, a deadline passed has none.
            return Sample.fail(plain(error) if error.errno else f"no answer within {timeout_s:g} s")
        except ssl.SSLError as error:  # before OSError: its numbers are not errno's
            return Sample.fail(f"TLS: {error.reason or error}")
        except OSError as error:
            return sample_of(error)

    async def close(self) -> None:
        """Nothing outlives a check."""

    async def _converse(self, address: str) -> Sample:
        options = self._options
        family, peer = locate(address, options.port, options.device)
        with bound_socket(options, family, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            started_at = self._context.clock()
            try:
                await asyncio.get_running_loop().sock_connect(sock, peer)
            except PermissionError as error:
                # IPv6 says EACCES when a router on the way forbids it (RFC 4443, code 1).
                return sample_of(error)
            took_s = self._context.clock() - started_at
            if self._tls is None and not self._expect:
                return Sample.ok(took_s)
            return await self._listen(sock.dup(), took_s)

    async def _listen(self, sock: socket.socket, took_s: float) -> Sample:
        name = (self._options.server_name or self._options.host) if self._tls else None
        try:
            reader, writer = await asyncio.open_connection(
                sock=sock, ssl=self._tls, server_hostname=name
            )
        finally:
            pass
        try:
            if not self._expect:
                return Sample.ok(took_s)
            heard = b""
            while self._expect not in heard:
                more = await reader.read(BANNER_LIMIT - len(heard))
                heard += more
                if not more:
                    return Sample.fail(f"expected {self._options.expect!r}, got {heard[:60]!r}")
            return Sample.ok(took_s)
        finally:
            writer.transport.abort()


def _tls_context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@hookimpl
def havpn_register_probes() -> Iterator[ProbeType]:
    """Supply ``tcp``."""
    yield ProbeType("tcp", "Connects to a TCP port, with TLS if asked", TcpOptions, Tcp)
