"""Pure: where a webhook goes, what it sends along, and what a reply means."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

LOCAL = {"localhost", "127.0.0.1", "::1"}
SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-api-key"}
OURS = {"content-length", "host", "connection", "transfer-encoding"}
PASSING = {408, 425, 429}
"""Refusals that may be over later (RFC 9110, RFC 8470, RFC 6585); so are all from 500 on."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e]*\Z")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook goes.

    :param resource: path and query, which may hold a secret.
    """

    secure: bool
    host: str
    port: int
    resource: str

    @property
    def origin(self) -> str:
        """Scheme, host and port alone, to be shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.secure else 80
        port = "" if self.port == usual else f":{self.port}"
        return f"{'https' if self.secure else 'http'}://{host}{port}"


def target_of(url: str, *, secrets: bool) -> Target:
    """Read an address.

    :param secrets: whether secrets go along, which plain HTTP does not keep but on this host.
    :raises ValueError: with what is wrong, without quoting the address.
    """
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write an address as https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "a user and password in an address are shown to many: write an Authorization header "
            "into headers_file"
        )
    secure = parts.scheme == "https"
    if secrets and not secure and parts.hostname not in LOCAL:
        raise ValueError("secrets go over https only: write an address that begins with https://")
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, parts.hostname, parts.port or (443 if secure else 80), resource)


def _split(url: str) -> SplitResult:
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("an address has neither blanks nor letters beyond ASCII: encode them")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("write an address as https://host:443/path") from None
    return parts


def headers_of(lines: Iterable[str]) -> dict[str, str]:
    """Read the lines of a file of headers.

    :raises ValueError: with the number of the line that is none, without quoting it.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, colon, value = line.partition(":")
        if not colon or problem_of_header(name, value.strip()):
            raise ValueError(
                f"line {number} is no header: write a line such as Authorization: Bearer TOKEN"
            )
        found = merged(found, {name: value.strip()})
    return found


def merged(below: Mapping[str, str], above: Mapping[str, str]) -> dict[str, str]:
    """Give headers of two origins, each once: a name has no case (RFC 9110, section 5.1).

    :param above: those that replace others of their name.
    """
    given = {name.lower() for name in above}
    kept = {name: value for name, value in below.items() if name.lower() not in given}
    return {**kept, **above}


def problem_of_header(name: str, value: str) -> str | None:
    """Say what is wrong with a header; ``None`` if nothing is."""
    if not _TOKEN.match(name):
        return f"{name!r} is no name of a header"
    if name.lower() in OURS:
        return f"{name} is set by itself: leave it out"
    if not _VALUE.match(value):
        return f"the value of {name} is not of printable ASCII characters"
    return None


def problem_of_open_headers(headers: Mapping[str, str]) -> str | None:
    """Say what is wrong with headers that stand in the configuration; ``None`` if nothing is."""
    for name, value in headers.items():
        if name.lower() in SECRET_HEADERS:
            return (
                f"{name} is a secret: write it into a file of mode 600, and name that headers_file"
            )
        if problem := problem_of_header(name, value):
            return problem
    return None


def passes(status: int) -> bool:
    """Whether a refusal may be over later."""
    return status in PASSING or status >= 500
