"""Pure: the head of a request of HTTP/1, as far as a server of a few pages needs it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

LARGEST = 8192
"""Bytes of the largest head that is taken."""
LARGEST_LIMIT = 1000
"""Events that are given at once at the most."""

_LINE = re.compile(r"([A-Z]+) (/[!-~]*) HTTP/1\.[01]")
_FIELD = re.compile(r"([!#-'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")


class BadRequest(ValueError):
    """A request that gets no page; its text is a sentence for the client.

    :ivar status: of the reply.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Request:
    """A request.

    :param method: ``GET`` or ``HEAD``.
    :param fields: those of the head by their names in small letters.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def limit(self) -> int:
        """How many events are wanted.

        :raises BadRequest: if it is no number from 1 to 1000.
        """
        text = self.query.get("limit", "100")
        if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= LARGEST_LIMIT:
            raise BadRequest(400, f"limit: write a number from 1 to {LARGEST_LIMIT}")
        return int(text)


def parse(head: bytes) -> Request:
    """Read a head, which ends with an empty line.

    :raises BadRequest: if it is none, or is none for us.
    """
    lines = head.decode("latin-1").split("\r\n")
    found = _LINE.fullmatch(lines[0])
    if found is None:
        raise BadRequest(400, "this is no request of HTTP/1")
    method, target = found.groups()
    if method not in ("GET", "HEAD"):
        raise BadRequest(405, "only GET and HEAD are served")
    path, _, query = target.partition("?")
    fields = {}
    for line in filter(None, lines[1:]):
        pair = _FIELD.fullmatch(line)
        if pair is None:
            raise BadRequest(400, "a field of the head is malformed")
        fields[pair[1].lower()] = pair[2].strip()
    if fields.get("content-length", "0") != "0" or "transfer-encoding" in fields:
        raise BadRequest(400, "a request has no body here")
    return Request(method, path, dict(parse_qsl(query[:1000], max_num_fields=None)), fields)
