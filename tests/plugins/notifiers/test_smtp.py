"""The notifier ``smtp`` against real mail servers, over TLS with a CA of the test's own."""

import inspect
import logging
import socket
import time
from email import message_from_bytes
from email.policy import default

import pytest
from havpn_plugins.notifiers._letters import LONGEST_SUBJECT, greeting_name, subject_of, text_of
from havpn_plugins.notifiers.smtp import Smtp, havpn_register_notifiers
from service_world import (
    EVENT,
    Mail,
    built,
    secret,
    server_tls,
    subscribed,
    talking,
    until,
)

from havpn_core import Event, HavpnError, Retry
from havpn_core.testing import options
from tests.ports import free_port

# The server's author warns of implicit TLS behind which a login is asked for.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")
TYPE = next(iter(havpn_register_notifiers()))
LOGIN = ("gateway", "s3cret-Pa55")
LOG = logging.getLogger("test.smtp")


def config(mail, ca=None, **more):
    given = {"host": "localhost", "port": mail if isinstance(mail, int) else mail.port}
    given |= {"from": "gw@example.com", "to": ["ops@example.com", "night@example.com"]}
    given |= {"collect": "300ms"}
    if ca is not None:
        given["ca_file"] = str(ca / "ca.pem")
    return given | more


@pytest.fixture
def login_file(tmp_path):
    return secret(tmp_path / "login", "\n".join(LOGIN) + "\n")


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_mail_goes_over_tls_with_a_login(ca, login_file, tls):
    with Mail(**{tls: server_tls(ca)}, login=LOGIN) as mail:
        notifier = built(TYPE, config(mail, ca, tls=tls, login_file=login_file))
        assert notifier.notify(EVENT, 10.0) is None
    assert mail.logins == [LOGIN]
    (envelope,) = mail.mails
    assert envelope.mail_from == "gw@example.com"
    assert envelope.rcpt_tos == ["ops@example.com", "night@example.com"]
    letter = message_from_bytes(envelope.content, policy=default)
    assert letter["Subject"].strip() == f"HA-VPN gw-aa, warning: {EVENT}"
    assert letter["From"] == "gw@example.com"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@example.com>")
    assert letter["Date"].datetime.tzinfo is not None
    assert f"warning {EVENT}" in letter.get_content()


def test_a_burst_is_one_mail():
    with Mail() as mail:

        async def steps(subscriber):
            for number in range(30):
                subscriber.put(Event("path", "", "", f"event {number}", node="gw-aa"))
            subscriber.put(Event("role", "", "active", "standby", "", "error", "gw-aa"))
            await until(lambda: subscriber.delivered == 31)
            subscriber.put(EVENT)
            await until(lambda: subscriber.delivered == 32)

        subscribed(TYPE, config(mail, tls="none"), LOG, steps)
    burst, single = (message_from_bytes(m.content, policy=default) for m in mail.mails)
    assert burst["Subject"].strip() == "HA-VPN gw-aa, error: role: active -> standby (+30)"
    lines = burst.get_content().splitlines()
    assert [line.split()[-1] for line in lines[:30]] == [str(number) for number in range(30)]
    assert single["Subject"].strip().startswith("HA-VPN gw-aa, warning: verdict vpn1")


def test_what_waits_for_a_server_is_one_mail_when_it_is_back():
    port = free_port(socket.SOCK_STREAM)

    async def steps(subscriber):
        subscriber.put(EVENT)
        await until(lambda: subscriber.error)
        assert subscriber.error == f"localhost:{port}: connection refused"
        for _ in range(5):
            subscriber.put(EVENT)
        with Mail(port=port) as mail:
            await until(lambda: subscriber.delivered == 6)
            assert (len(mail.mails), subscriber.failed, subscriber.error) == (1, 0, "")

    subscribed(TYPE, config(port, tls="none"), LOG, steps)


def test_the_end_sends_what_was_being_gathered():
    with Mail() as mail:

        async def steps(subscriber):
            subscriber.put(EVENT)
            subscriber.put(EVENT)

        ended = subscribed(TYPE, config(mail, tls="none", collect="1h"), LOG, steps)
        assert (ended.delivered, len(mail.mails)) == (2, 1)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_that_cannot_be_verified_gets_nothing(ca, login_file, tls):
    with Mail(**{tls: server_tls(ca)}, login=LOGIN) as mail:
        for more, why in (
            ({}, "name its CA in ca_file"),
            ({"host": "127.0.0.1", "ca_file": str(ca / "ca.pem")}, "certificate is refused"),
        ):
            notifier = built(TYPE, config(mail, None, tls=tls, login_file=login_file, **more))
            assert why in notifier.notify(EVENT, 10.0).why
    assert (mail.logins, mail.mails) == ([], [])


def test_without_starttls_nothing_goes_in_the_clear(ca, login_file):
    with Mail() as mail:
        notifier = built(TYPE, config(mail, ca, login_file=login_file))
        again = notifier.notify(EVENT, 10.0)
    assert again.why == f"localhost:{mail.port}: it offers no STARTTLS: look into tls and port"
    assert (mail.logins, mail.mails) == ([], [])


def scripted(replies):
    """Give what speaks as a mail server that replies to each verb as it says."""

    def talk(made):
        def say(verb, usual):
            made.sendall(f"{replies.get(verb, usual)}\r\n".encode())

        say("greeting", "220 ready")
        for line in made.makefile("rb"):
            verb = line[:4].decode().strip().upper()
            say(verb, {"EHLO": "250-test\r\n250 STARTTLS"}.get(verb, "250 taken"))

    return talk


@pytest.mark.parametrize(
    ("tls", "replies", "why", "after_s"),
    [
        ("none", {"greeting": "554 closed"},
         "it takes no mail: look into host, port and tls (554 closed)", 300),
        ("none", {"greeting": "421 busy"}, "it takes no mail for now (421 busy)", 0),
        ("none", {"greeting": "hello"}, "this is no mail server: look into host and port", 300),
        ("none", {"EHLO": "500 no", "HELO": "502 no"},
         "it takes no mail: look into host, port and tls (502 no)", 300),
        ("starttls", {"STAR": "454 later"}, "it takes no mail for now (454 later)", 0),
        ("starttls", {"STAR": "502 never"},
         "it takes no mail: look into host, port and tls (502 never)", 300),
        ("none", {"MAIL": "530 who"}, "it wants a login first: look into login_file (530 who)",
         300),
    ],
)  # fmt: skip
def test_what_is_refused_before_a_mail_is_never_final(ca, tls, replies, why, after_s):
    with talking(scripted(replies)) as port:
        again = built(TYPE, config(port, ca, tls=tls)).notify(EVENT, 10.0)
    assert again == Retry(f"localhost:{port}: {why}", after_s)


@pytest.mark.parametrize("offer", [b"250 test\r\n", b"250-test\r\n250 AUTH GSSAPI\r\n"])
def test_a_server_that_offers_no_login_is_named(ca, login_file, offer):
    def talk(made):
        made.sendall(b"220 ready\r\n")
        for reply in (b"250-test\r\n250 STARTTLS\r\n", b"220 go\r\n", offer):
            assert made.recv(1000)
            made.sendall(reply)
            if reply.startswith(b"220"):
                made = server_tls(ca).wrap_socket(made, server_side=True)
        made.recv(1000)

    with talking(talk) as port:
        made = config(port, ca, login_file=login_file)
        again = built(TYPE, made).notify(EVENT, 10.0)
    assert again == Retry(f"localhost:{port}: it offers no login: look into tls and port", 300)


def test_a_refused_login_is_tried_again_later_and_the_password_is_in_no_message(ca, tmp_path):
    file = secret(tmp_path / "login", "gateway\nwr0ng-Pa55\n")
    with Mail(starttls=server_tls(ca), login=LOGIN) as mail:
        again = built(TYPE, config(mail, ca, login_file=file)).notify(EVENT, 10.0)
    assert mail.logins[0] == ("gateway", "wr0ng-Pa55")
    assert "look into login_file (535 " in again.why
    assert "wr0ng" not in again.why
    assert again.after_s == 300
    assert mail.mails == []


def test_what_is_refused_for_now_is_tried_again_and_for_good_is_not():
    with Mail(replies=["451 grey", "550 spam"]) as mail:
        notifier = built(TYPE, config(mail, tls="none"))
        said = f"localhost:{mail.port} refused the mail"
        assert notifier.notify(EVENT, 10.0) == Retry(f"{said}: 451 grey")
        with pytest.raises(HavpnError, match=f"{said}: 550 spam"):
            notifier.notify(EVENT, 10.0)
        assert notifier.notify(EVENT, 10.0) is None
    assert len(mail.mails) == 1


def test_a_server_that_drips_is_over_at_the_deadline():
    def talk(made):
        while True:
            made.sendall(b"220-wait\r\n")
            time.sleep(0.1)

    with talking(talk) as port:
        began = time.monotonic()
        again = built(TYPE, config(port, tls="none")).notify(EVENT, 0.7)
        assert time.monotonic() - began < 5
    assert again == Retry(f"localhost:{port}: no reply in time")


def test_nothing_of_it_runs_on_the_loop():
    for method in (Smtp.notify, Smtp.notify_all, Smtp.close):
        assert not inspect.iscoroutinefunction(method)


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("a\nb\n", 0o640, "chmod 600"),
        ("only-one\n", 0o600, "write two lines"),
        ("a\nb\nc\n", 0o600, "write two lines"),
        ("user\npässword\n", 0o600, "ASCII characters only"),
    ],
)
def test_a_bad_login_file_is_named_and_waited_for(tmp_path, text, mode, why):
    file = secret(tmp_path / "login", text, mode)
    given = config(1, login_file=file)
    again = built(TYPE, given).notify(EVENT, 5.0)
    assert again.why.startswith(f"login_file: {file}: ")
    assert why in again.why
    assert TYPE.missing(options(TYPE, given)) == [again.why]
    secret(tmp_path / "login", "# user, password\na\nb\n")
    assert TYPE.missing(options(TYPE, given)) == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"to": []}, "to"),
        ({"to": ["ops"]}, "to"),
        ({"to": ["ops@example.com\r\nBcc: x@example.com"]}, "to"),
        ({"from": "Gateway <gw@example.com>"}, "from"),
        ({"host": ""}, "host"),
        ({"port": 0}, "port"),
        ({"tls": "maybe"}, "tls"),
        ({"tls": "none", "login_file": "/x"}, "login_file: a password goes over TLS only"),
        ({"collect": "0s"}, "collect"),
    ],
)
def test_bad_options_are_named(change, key):
    with pytest.raises(HavpnError, match=key):
        options(TYPE, config(25) | change)


def test_only_the_wanted_events_are_in_a_mail():
    with Mail() as mail:
        notifier = built(TYPE, config(mail, tls="none", least="error"))
        assert notifier.notify_all([EVENT, EVENT], 10.0) is None
        assert mail.mails == []
        grave = Event("pair", "", "", "conflict", "", "error", "gw-aa")
        assert notifier.notify_all([EVENT, grave], 10.0) is None
    letter = message_from_bytes(mail.mails[0].content, policy=default)
    assert letter["Subject"].strip() == "HA-VPN gw-aa, error: pair: conflict"
    assert "verdict" not in letter.get_content()


def test_a_subject_names_the_gravest_and_keeps_its_length_and_line():
    first = Event("path", "a", "", "x", "", "error", "gw")
    last = Event("path", "b\r\nBcc: x", "", "y" * 500, "\ud800", "error", "gw")
    assert subject_of([first, EVENT]) == "HA-VPN gw, error: path a: x (+1)"
    subject = subject_of([first, last, EVENT])
    assert subject.startswith("HA-VPN gw, error: path b  Bcc: x: yyy")
    assert subject.endswith("... (+2)")
    assert len(subject) == LONGEST_SUBJECT
    text = text_of([first, last])
    assert max(map(len, text.splitlines())) <= 998
    text.encode()


@pytest.mark.parametrize(
    ("node", "name"), [("gw-aa.example.com", "gw-aa.example.com"), ("büro 1", "localhost")]
)
def test_the_greeting_has_a_name_that_a_server_takes(node, name):
    assert greeting_name(node) == name
