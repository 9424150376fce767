"""``tcp``: connect, and where asked expect a greeting or a TLS handshake."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from havpn_core import Context, NotResolved, ProbeType, Sample, hookimpl

from ._binding import bind, from_os_error, target

GREETING_LIMIT = 4096


class TcpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``tcp``."""

    host: Annotated[str, msgspec.Meta(min_length=1, description="far gateway, name or address")]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="TCP port")]
    expect: Annotated[
        str | None, msgspec.Meta(min_length=1, description="text that the greeting must contain")
    ] = None
    tls: Annotated[bool, msgspec.Meta(description="a TLS handshake must succeed")] = False
    verify: Annotated[
        bool, msgspec.Meta(description="check the certificate; a test of life need not")
    ] = False
    server_name: Annotated[
        str | None, msgspec.Meta(description="name to ask for in the handshake; default: host")
    ] = None
    source: Annotated[str | None, msgspec.Meta(description="address to ask from")] = None
    device: Annotated[str | None, msgspec.Meta(description="interface to ask through")] = None
    family: Annotated[
        Literal["any", "ipv4", "ipv6"], msgspec.Meta(description="address family")
    ] = "any"


class Tcp:
    """A probe that opens a connection for every question."""

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
        """Connect once."""
        import asyncio
        import ssl

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
        started_at = self._context.clock()
        sock = await self._connect(address)
        sample = Sample.ok(self._context.clock() - started_at)
        if self._tls is None and not self._expect:
            sock.close()
            return sample
        problem = await self._listen(sock)
        return Sample.fail(problem) if problem else sample

    async def _connect(self, address: str) -> socket.socket:
        import asyncio

        options = self._options
        family, peer = locate(address, options.port, options.device)
        with contextlib.ExitStack() as stack:
            sock = stack.enter_context(bound_socket(options, family, socket.SOCK_STREAM))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            try:
                await asyncio.get_running_loop().sock_connect(sock, peer)
            except PermissionError as error:
                # A router that forbids IPv6 traffic (RFC 4443, code 1) reads EACCES here, like
                # our own lack of permission; EHOSTUNREACH is what IPv4 makes of the same.
                if family == socket.AF_INET6 and error.errno == errno.EACCES:
                    raise OSError(errno.EHOSTUNREACH, "prohibited on the way") from None
                raise
            stack.pop_all()
        return sock

    async def _listen(self, sock: socket.socket) -> str:
        """Shake hands, look for the banner, and reset the connection; say what was wrong."""
        import asyncio

        name = (self._options.server_name or self._options.host) if self._tls else None
        reader, writer = await asyncio.open_connection(
            sock=sock, ssl=self._tls, server_hostname=name
        )
        heard = b""
        try:
            while self._expect not in heard:
                more = await reader.read(BANNER_LIMIT - len(heard))
                if not more:
                    return f"expected {self._options.expect!r}, got {heard[:60]!r}"
                heard += more
            return ""
        finally:
            writer.transport.abort()


def _tls_context(verify: bool) -> "ssl.SSLContext":
    import ssl  # heavy, and only for those who ask for it

    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    """Give the type."""
    yield ProbeType("tcp", "TCP connect, greeting or TLS handshake", TcpOptions, Tcp)
