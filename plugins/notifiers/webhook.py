"""``webhook``: each event as JSON to an HTTP service."""

import contextlib
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec

from havpn_core import (
    Context,
    Diagnosis,
    Duration,
    Event,
    HavpnError,
    NotifierType,
    Retry,
    hookimpl,
    read_secret,
    redacted,
)

from ._bodies import Format, body_of, problem_of
from ._choice import ChoiceOptions, wanted
from ._connection import connect, ended_at, missing_files, reason_of, tls_context, tried
from ._target import Target, headers_of, merged, passes, problem_of_open_headers, target_of

RECONSIDER_S = 60.0
"""Pause after what only the operator can put right."""
OWN_HEADERS = {"Content-Type": "application/json", "User-Agent": "havpn", "Connection": "close"}
"""What is sent along where the options say nothing else."""
REPLY_BYTES = 4096
SHOWN = 200
"""Characters of a reply that are shown."""


class WebhookOptions(ChoiceOptions, frozen=True, kw_only=True):
    """Options of ``webhook``."""

    url: Annotated[
        str | None, msgspec.Meta(description="where events go by POST, such as https://host/path")
    ] = None
    url_file: Annotated[
        str | None,
        msgspec.Meta(description="a file of mode 600 with the address, where it holds a secret"),
    ] = None
    format: Annotated[Format, msgspec.Meta(description="what the body looks like")] = "event"
    body: Annotated[
        dict[str, Any],
        msgspec.Meta(
            description="fields that are added to the body, or replace those of the format; texts "
            "may have {message}, {node}, {kind}, {subject}, {before}, {after}, {severity}, "
            "{detail}, {at}"
        ),
    ] = msgspec.field(default_factory=dict)
    headers: Annotated[
        dict[str, str], msgspec.Meta(description="headers that are sent along, without secrets")
    ] = msgspec.field(default_factory=dict)
    headers_file: Annotated[
        str | None,
        msgspec.Meta(
            description="a file of mode 600 with secret headers, a line each, such as "
            "Authorization: Bearer TOKEN"
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        msgspec.Meta(description="the CA of the service's certificate in PEM; default: the host's"),
    ] = None
    retry_for: Annotated[
        Duration, msgspec.Meta(description="how long an event that was not delivered is kept")
    ] = Duration(3600.0)

    def __post_init__(self) -> None:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("url, url_file: write one of the two")
        if self.url is not None:
            try:
                target_of(self.url, secrets=self.headers_file is not None)
            except ValueError as problem:
                raise ValueError(f"url: {problem}") from None
        if wrong := problem_of_open_headers(self.headers):
            raise ValueError(f"headers: {wrong}")
        if wrong := problem_of(self.body):
            raise ValueError(wrong)
        if self.format == "ntfy" and not isinstance(self.body.get("topic"), str):
            raise ValueError('body: format = "ntfy" needs a topic: write body = { topic = "..." }')
        if self.format == "own" and not self.body:
            raise ValueError('body: write the fields that format = "own" is to send')


class Webhook:
    """A notifier over HTTP; its plain methods run in a thread, one call at a time."""

    def __init__(self, options: WebhookOptions, context: Context) -> None:
        self._options = options
        self._context = context

    def notify(self, event: Event, timeout_s: float) -> Retry | None:
        """Post the event; see :class:`havpn_core.Notifier`.

        :raises HavpnError: if the service refuses it permanently.
        """
        if not wanted(event, self._options):
            return None
        until_s = time.monotonic() + timeout_s
        try:
            target, headers = addressed(self._options)
        except HavpnError as problem:
            return Retry(str(problem), RECONSIDER_S)
        values = body_of(event, self._options.format, self._options.body)
        content = msgspec.json.encode(values)
        private = [target.resource, *headers.values()]
        headers = merged(OWN_HEADERS, headers)
        try:
            status, after_s, said = self._post(target, headers, content, until_s)
        except Exception as problem:  # whatever a far end does to http.client
            return Retry(f"{target.origin}: {reason_of(problem, until_s)}")
        if 200 <= status < 300:
            return None
        text = f"{target.origin} replied {_phrase(status)}{remedy(status)}"
        if said:
            text += f" ({redacted(said, private)[:SHOWN]})"
        if passes(status):
            return Retry(text, after_s)
        raise HavpnError(text)

    def _post(
        self, target: Target, headers: dict[str, str], content: bytes, until_s: float
    ) -> tuple[int, float, str]:
        """Send it; gives status, the seconds of ``Retry-After`` and the reply's beginning."""
        import http.client

        made = connect(self._context, target.host, target.port, until_s)
        connection = http.client.HTTPConnection(target.host, target.port)
        with ended_at(made, until_s):
            connection.sock = made
            try:
                if target.secure:
                    tls = tls_context(self._options.ca_file)
                    connection.sock = tls.wrap_socket(made, server_hostname=target.host)
                connection.request("POST", target.resource, content, headers)
                reply = connection.getresponse()
                if time.monotonic() >= until_s:
                    raise TimeoutError  # its headers ended because the connection was cut
                said = b""
                with contextlib.suppress(Exception):  # the status is known, and all that counts
                    said = reply.read(REPLY_BYTES)
                return (
                    reply.status,
                    seconds_of(reply.getheader("Retry-After")),
                    said.decode(errors="replace"),
                )
            finally:
                connection.close()

    def diagnose(self, timeout_s: float, running: bool) -> list[Diagnosis]:
        """Connect, and send nothing; see :class:`havpn_core.Diagnosing`."""
        try:
            target, _ = addressed(self._options)
        except HavpnError:
            return []  # `missing` says it
        tls = partial(tls_context, self._options.ca_file) if target.secure else None
        return tried(self._context, (target.host, target.port), tls, timeout_s)

    def close(self) -> None:
        """Do nothing; no connection outlives its event."""


def addressed(options: WebhookOptions) -> tuple[Target, dict[str, str]]:
    """Read address and headers, from their files where they are secret.

    :raises HavpnError: naming the option and the file, without any of their content.
    """
    headers = dict(options.headers)
    try:
        if options.headers_file is not None:
            headers = merged(headers, headers_of(read_secret(Path(options.headers_file))))
    except ValueError as problem:
        raise HavpnError(f"headers_file: {options.headers_file}: {problem}") from None
    except HavpnError as problem:
        raise HavpnError(f"headers_file: {problem}") from None
    secrets = options.headers_file is not None or options.url_file is not None
    if options.url_file is None:
        return target_of(options.url or "", secrets=secrets), headers
    try:
        return target_of(read_secret(Path(options.url_file))[0], secrets=secrets), headers
    except ValueError as problem:
        raise HavpnError(f"url_file: {options.url_file}: {problem}") from None
    except HavpnError as problem:
        raise HavpnError(f"url_file: {problem}") from None


def _phrase(status: int) -> str:
    import http

    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def remedy(status: int) -> str:
    """Say what the operator may do about a refusal; empty where nothing general helps."""
    if 300 <= status < 400:
        return ": write the address that it redirects to"
    if status in (401, 403):
        return ": look into headers_file and url_file"
    if status == 404:
        return ": look into the address"
    return ""


def seconds_of(after: str | None) -> float:
    """Read ``Retry-After``: seconds, or a date (RFC 9110, section 10.2.3); 0 for anything else."""
    from email.utils import parsedate_to_datetime

    if after is None:
        return 0.0
    if after.strip().isdecimal():
        return float(min(int(after.strip()[:9]), 10**6))
    try:
        return max(0.0, parsedate_to_datetime(after).timestamp() - time.time())
    except ValueError:
        return 0.0


def missing(options: WebhookOptions) -> list[str]:
    """Say what is wrong with the files that the options name."""
    return missing_files(options.ca_file, lambda: addressed(options))


@hookimpl
def havpn_register_notifiers() -> Iterable[NotifierType]:
    """Give the type."""
    yield NotifierType(
        "webhook",
        "JSON to an HTTP service: ntfy, Slack, Alertmanager and others",
        WebhookOptions,
        Webhook,
        missing=missing,
        retry_s=lambda options: options.retry_for,
    )
