"""Serve the replies over HTTP/1.1 to clients of any kind, slow and greedy ones included.

It runs in a process of its own (:mod:`~havpn_core.serve.child`), so that nothing here, not even
Python's lock, can delay a probe. Each connection carries one request, and has a limited time for
its head and for taking the reply. When there are too many, the oldest has had its time and gives
way: slow clients, however many, do not keep the next one out.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from havpn_core.serve.replies import Reply, refusal
from havpn_core.serve.request import LARGEST, BadRequest, Request, parse

MOST = 512
"""Connections at a time."""
HEAD_S = 5.0
"""What a client may take to send its request."""
TAKE_S = 10.0
"""What a client may take for the reply."""
BACKLOG = 512

Answer = Callable[[Request], Awaitable[Reply]]


@dataclass
class Limits:
    """What clients may take.

    :param most: connections at a time.
    :param head_s: seconds until the request must be there.
    :param take_s: seconds until the reply must be taken.
    """

    most: int = MOST
    head_s: float = HEAD_S
    take_s: float = TAKE_S


@dataclass
class Server:
    """Connections and what happens to them.

    :param reply: gives the reply to a request.
    """

    reply: Answer
    limits: Limits = field(default_factory=Limits)
    _open: "dict[asyncio.Task[None], asyncio.StreamWriter]" = field(default_factory=dict)

    async def listen(self, host: str, port: int) -> asyncio.AbstractServer:
        """Listen at an address.

        :raises OSError: if that is not to be had.
        """
        return await asyncio.start_server(self._accept, host, port, limit=LARGEST, backlog=BACKLOG)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._open)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        while len(self._open) >= self.limits.most:
            oldest = next(iter(self._open))
            self._open.pop(oldest).transport.abort()
            oldest.cancel()
        self._open[task] = writer
        try:
            await self._serve(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # it went away, or took too long: nobody is left to reply to
        finally:
            self._open.pop(task, None)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)  # drained means: the kernel has all of it
        head = b""
        try:
            async with asyncio.timeout(self.limits.head_s):
                head = await reader.readuntil(b"\r\n\r\n")
            reply = await self.reply(parse(head[:-2]))
        except asyncio.LimitOverrunError:
            reply = refusal(BadRequest(431, f"a head has up to {LARGEST} bytes"))
        except BadRequest as problem:
            reply = refusal(problem)
        async with asyncio.timeout(self.limits.take_s):
            writer.write(reply.encode(body=not head.startswith(b"HEAD ")))
            await writer.drain()
            writer.write_eof()
            # Closing at once would reset what the client has not read yet, if it sent more.
            with contextlib.suppress(ConnectionError):
                while await reader.read(LARGEST):
                    pass
