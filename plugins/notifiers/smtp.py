"""``smtp``: one mail for each burst of events."""

import contextlib
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from havpn_core import (
    Context,
    Diagnosis,
    Duration,
    Event,
    HavpnError,
    NotifierType,
    NotResolved,
    Retry,
    hookimpl,
    read_secret,
    redacted,
)

from ._choice import ChoiceOptions, wanted
from ._connection import connect, ended_at, missing_files, reason_of, tls_context, tried
from ._letters import greeting_name, subject_of, text_of

if TYPE_CHECKING:
    import smtplib
    from email.message import EmailMessage

PORTS = {"starttls": 587, "implicit": 465, "none": 25}
RECONSIDER_S = 300.0
"""Pause after what only the operator can put right; a login that fails often is locked."""
NO_LOGIN = 530
"""What a server replies to a mail where it wants a login first (RFC 4954, section 6)."""
SHOWN = 200

Address = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[!-?A-~]{1,64}@[A-Za-z0-9.\-\[\]:]{1,255}\Z", examples=["ops@example.com"]
    ),
]


class SmtpOptions(ChoiceOptions, frozen=True, kw_only=True):
    """Options of ``smtp``."""

    host: Annotated[str, msgspec.Meta(min_length=1, description="the mail server")]
    sender: Annotated[Address, msgspec.Meta(description="the address that the mail comes from")] = (
        msgspec.field(name="from")
    )
    to: Annotated[
        list[Address], msgspec.Meta(min_length=1, max_length=50, description="who gets the mail")
    ]
    tls: Annotated[
        Literal["starttls", "implicit", "none"],
        msgspec.Meta(
            description="starttls on a plain connection, implicit TLS from the first byte on, or "
            "none, as to a server on this host; the certificate is verified"
        ),
    ] = "starttls"
    # The limits belong to the number alone: msgspec refuses them on a union with None.
    port: (
        Annotated[
            int,
            msgspec.Meta(ge=1, le=65535, description="TCP port; default: 587, 465, 25 as of tls"),
        ]
        | None
    ) = None
    login_file: Annotated[
        str | None,
        msgspec.Meta(description="a file of mode 600 with two lines: the user and the password"),
    ] = None
    ca_file: Annotated[
        str | None,
        msgspec.Meta(description="the CA of the server's certificate in PEM; default: the host's"),
    ] = None
    collect: Annotated[
        Duration,
        msgspec.Meta(description="how long events after a first one are gathered for one mail"),
    ] = Duration(10.0)
    retry_for: Annotated[
        Duration, msgspec.Meta(description="how long an event that was not delivered is kept")
    ] = Duration(86400.0)

    def __post_init__(self) -> None:
        if self.tls == "none" and self.login_file is not None:
            raise ValueError(
                'login_file: a password goes over TLS only: write tls = "starttls" or "implicit"'
            )


class Smtp:
    """A notifier by mail; its plain methods run in a thread, one call at a time."""

    def __init__(self, options: SmtpOptions, context: Context) -> None:
        self._options = options
        self._context = context

    def notify(self, event: Event, timeout_s: float) -> Retry | None:
        """Mail one event; see :class:`havpn_core.Notifier`."""
        return self.notify_all((event,), timeout_s)

    def notify_all(self, events: Sequence[Event], timeout_s: float) -> Retry | None:
        """Mail a burst of events; see :class:`havpn_core.Gathering`.

        :raises HavpnError: if the server refuses the mail permanently.
        """
        chosen = [event for event in events if wanted(event, self._options)]
        if not chosen:
            return None
        until_s = time.monotonic() + timeout_s
        login: list[str] = []
        try:
            login = login_of(self._options)
            self._send(mail_of(chosen, self._options), login, until_s)
        except Exception as problem:  # whatever a far end does to smtplib
            return judged(problem, self._options, login, until_s)
        return None

    def _send(self, mail: "EmailMessage", login: list[str], until_s: float) -> None:
        options = self._options
        tls = tls_context(options.ca_file) if options.tls != "none" else None
        made = connect(self._context, options.host, port_of(options), until_s)
        with ended_at(made, until_s), contextlib.ExitStack() as opened:
            opened.callback(made.close)
            if tls is not None and options.tls == "implicit":
                made = tls.wrap_socket(made, server_hostname=options.host)
                opened.callback(made.close)
            server = _greeted(made, options.host, greeting_name(self._context.node))
            opened.callback(server.close)
            if tls is not None and options.tls == "starttls":
                with _offered("STARTTLS", options):
                    server.starttls(context=tls)
            if login:
                with _offered("login", options):
                    server.login(login[0], login[1])
            left_out = server.send_message(mail, options.sender, options.to)
            for recipient, (code, reply) in left_out.items():
                text = f"{recipient} is refused: {said(code, reply, login)}"
                self._context.logger.warning("%s: %s", self._context.instance, text)
            with contextlib.suppress(Exception):  # the mail is accepted
                server.quit()

    def diagnose(self, timeout_s: float, running: bool) -> list[Diagnosis]:
        """Connect, and send nothing; see :class:`havpn_core.Diagnosing`."""
        options = self._options
        tls = partial(tls_context, options.ca_file) if options.tls == "implicit" else None
        return tried(self._context, (options.host, port_of(options)), tls, timeout_s)

    def close(self) -> None:
        """Do nothing; no connection outlives its mail."""


def mail_of(events: Sequence[Event], options: SmtpOptions) -> "EmailMessage":
    """Write the mail."""
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import format_datetime, localtime, make_msgid

    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = options.sender, ", ".join(options.to)
    mail["Subject"] = subject_of(events)
    mail["Date"] = format_datetime(localtime())
    mail["Message-ID"] = make_msgid(domain=options.sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody is to reply by machine
    mail.set_content(text_of(events))
    return mail


def _greeted(made: socket.socket, host: str, own_name: str) -> "smtplib.SMTP":
    """Speak SMTP over a connection that is there.

    :param host: what the certificate must name after STARTTLS.
    """
    import smtplib

    class Server(smtplib.SMTP):
        # smtplib's own way to be given a socket, as SMTP_SSL and LMTP do it.
        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            return made

    return Server(host, 25, local_hostname=own_name)


@contextlib.contextmanager
def _offered(what: str, options: SmtpOptions) -> Iterator[None]:
    """Say what a server lacks where smtplib finds nothing to begin with.

    :raises HavpnError: for that; a reply of the server and an end of its connection pass.
    """
    import smtplib

    try:
        yield
    except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
        raise
    except smtplib.SMTPException:
        who = f"{options.host}:{port_of(options)}"
        raise HavpnError(f"{who}: it offers no {what}: look into tls and port") from None


def port_of(options: SmtpOptions) -> int:
    """Give the port."""
    return options.port or PORTS[options.tls]


def login_of(options: SmtpOptions) -> list[str]:
    """Read user and password; an empty list where there is none.

    :raises HavpnError: naming option and file, without any of its content.
    """
    if options.login_file is None:
        return []
    try:
        lines = read_secret(Path(options.login_file))
    except HavpnError as problem:
        raise HavpnError(f"login_file: {problem}") from None
    if len(lines) != 2:
        raise HavpnError(
            f"login_file: {options.login_file}: write two lines: the user and the password"
        )
    if not all(line.isascii() for line in lines):
        raise HavpnError(f"login_file: {options.login_file}: write ASCII characters only")
    return lines


def judged(problem: Exception, options: SmtpOptions, login: list[str], until_s: float) -> Retry:
    """Say what is to be tried again, and when.

    :raises HavpnError: for what the server refuses permanently.
    """
    import smtplib

    who = f"{options.host}:{port_of(options)}"
    if isinstance(problem, HavpnError) and not isinstance(problem, NotResolved):
        return Retry(str(problem), RECONSIDER_S)
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return _refused(who, list(problem.recipients.values()), login)
    if not isinstance(problem, smtplib.SMTPResponseException):
        return Retry(f"{who}: {reason_of(problem, until_s)}")
    code, reply = problem.smtp_code, problem.smtp_error
    if isinstance(problem, smtplib.SMTPSenderRefused | smtplib.SMTPDataError) and code != NO_LOGIN:
        return _refused(who, [(code, reply)], login)
    refusal = isinstance(problem, smtplib.SMTPAuthenticationError) or code == NO_LOGIN
    return _not_begun(who, code, said(code, reply, login), login=refusal)


def _not_begun(who: str, code: int, text: str, *, login: bool) -> Retry:
    """Say what a refusal before any mail needs; it says nothing of this one, and never is final.

    :param login: whether it is the login that is refused, or missing.
    """
    if not 100 <= code < 600:
        return Retry(f"{who}: this is no mail server: look into host and port", RECONSIDER_S)
    what = "the login is refused" if login else "it takes no mail"
    if code < 500:
        return Retry(f"{who}: {what} for now ({text})", RECONSIDER_S if login else 0.0)
    where = "login_file" if login else "host, port and tls"
    what = "it wants a login first" if code == NO_LOGIN else what
    return Retry(f"{who}: {what}: look into {where} ({text})", RECONSIDER_S)


def _refused(who: str, replies: list[tuple[int, Any]], login: list[str]) -> Retry:
    """Whether it may pass (4yz of RFC 5321, section 4.2.1); a final refusal is 5yz."""
    texts = dict.fromkeys(said(code, reply, login) for code, reply in replies)
    text = f"{who} refused the mail: {'; '.join(texts)}"
    if all(500 <= code < 600 for code, _ in replies):
        raise HavpnError(text)
    return Retry(text)


def said(code: int, reply: Any, private: list[str]) -> str:
    """Give a server's reply as the log and the status may have it."""
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)
    return f"{code} {redacted(text, private)[:SHOWN]}".strip()


def missing(options: SmtpOptions) -> list[str]:
    """Say what is wrong with the files that the options name."""
    return missing_files(options.ca_file, lambda: login_of(options))


@hookimpl
def havpn_register_notifiers() -> Iterable[NotifierType]:
    """Give the type."""
    yield NotifierType(
        "smtp",
        "One mail for each burst of events",
        SmtpOptions,
        Smtp,
        missing=missing,
        gather_s=lambda options: options.collect,
        retry_s=lambda options: options.retry_for,
    )
