"""Which reply a request gets."""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import msgspec

from havpn_core.plugging.wording import describe
from havpn_core.serve.document import Stalled, active
from havpn_core.serve.request import BadRequest, Request
from havpn_core.serve.sources import Mark, Sources

PLAIN, JSON = "text/plain; charset=utf-8", "application/json"
COMMON = {
    "Cache-Control": "no-cache",
    "Connection": "close",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
PAGE = "page.html"
_INLINE = re.compile(rb"<(script|style)>(.*?)</\1>", re.S)


@dataclass(frozen=True)
class Reply:
    """A reply.

    :param fields: of its head, beside those that every reply has.
    """

    status: int
    body: bytes
    media_type: str = PLAIN
    fields: dict[str, str] = field(default_factory=dict)

    def encode(self, *, body: bool = True) -> bytes:
        """Write it as it goes over the wire.

        :param body: ``False`` for the reply to ``HEAD``.
        """
        fields = COMMON | {
            "Content-Type": self.media_type,
            "Content-Length": str(len(self.body)),
            **self.fields,
        }
        head = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return head.encode("latin-1") + b"\r\n" + (self.body if body else b"")


class Replies:
    """Makes the replies of one gateway.

    :param exposition: writes the metrics of a status for what a client accepts, with their type.
    """

    def __init__(
        self, sources: Sources, exposition: Callable[[dict[str, Any], str], tuple[bytes, str]]
    ) -> None:
        self._sources, self._exposition = sources, exposition
        self._metrics: dict[str, tuple[Mark, Reply]] = {}
        text = (files("havpn_core.serve") / PAGE).read_bytes()
        self._page = Reply(
            200, text, "text/html; charset=utf-8", {"Content-Security-Policy": policy(text)}
        )
        self._routes: dict[str, Callable[[Request], Awaitable[Reply]]] = {
            "/": self._show_page,
            "/metrics": self._show_metrics,
            "/liveness": self._show_liveness,
            "/active": self._show_active,
            "/status": self._show_status,
            "/history": self._show_history,
        }

    async def to(self, request: Request) -> Reply:
        """Give the reply to a request; one that cannot be served gets a sentence that says why."""
        route = self._routes.get(request.path)
        if route is None:
            return Reply(404, _sentence(f"there is no such page: {', '.join(self._routes)}"))
        try:
            return await route(request)
        except Stalled as problem:
            return Reply(503, _sentence(str(problem)))
        except BadRequest as problem:
            return refusal(problem)
        except Exception as problem:  # a status of another release; the next page may do
            return Reply(500, _sentence(f"the status is not understood: {describe(problem)}"))

    async def _show_page(self, request: Request) -> Reply:
        return self._page

    async def _show_metrics(self, request: Request) -> Reply:
        mark, document = self._sources.document()
        accept = request.fields.get("accept", "")
        known, reply = self._metrics.get(accept, ((), None))
        if reply is None or known != mark:
            reply = Reply(200, *self._exposition(document, accept))
            if len(self._metrics) >= 8:
                self._metrics.clear()
            self._metrics[accept] = mark, reply
        return reply

    async def _show_liveness(self, request: Request) -> Reply:
        _, document = self._sources.document()
        return Reply(200, _sentence(f"alive, {document['state']}"))

    async def _show_active(self, request: Request) -> Reply:
        serves, word = active(self._sources.document()[1])
        return Reply(200 if serves else 503, _sentence(word))

    async def _show_status(self, request: Request) -> Reply:
        return Reply(200, msgspec.json.encode(self._sources.document()[1]), JSON)

    async def _show_history(self, request: Request) -> Reply:
        mark, lines = await self._sources.history(request.limit)
        tag = f'"{"-".join(map(str, mark))}-{request.limit}"'
        if request.fields.get("if-none-match") == tag:
            return Reply(304, b"", JSON, {"ETag": tag})
        return Reply(200, b"[" + b",\n".join(lines) + b"]\n", JSON, {"ETag": tag})


def refusal(problem: BadRequest) -> Reply:
    """Give the reply to a request that is none."""
    allow = {"Allow": "GET, HEAD"} if problem.status == 405 else {}
    return Reply(problem.status, _sentence(str(problem)), PLAIN, allow)


def policy(page: bytes) -> str:
    """Give the policy under which nothing runs but the page's own script and styles."""
    hashes: dict[bytes, list[str]] = {b"script": [], b"style": []}
    for kind, text in _INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    return (
        f"default-src 'none'; script-src {' '.join(hashes[b'script'])}; "
        f"style-src {' '.join(hashes[b'style'])}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _sentence(text: str) -> bytes:
    return text.encode(errors="replace") + b"\n"
