"""The notifier ``webhook`` against real servers, over TLS with a CA of the test's own."""

import inspect
import json
import logging
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from havpn_plugins.notifiers._bodies import body_of
from havpn_plugins.notifiers.webhook import Webhook, havpn_register_notifiers, seconds_of
from service_world import EVENT, Web, built, secret, server_tls, subscribed, talking, until

from havpn_core import Event, HavpnError, NotResolved, Retry
from havpn_core.daemon.state.events import as_record
from havpn_core.testing import options

TYPE = next(iter(havpn_register_notifiers()))
TOKEN = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"
LOG = logging.getLogger("test.webhook")


def test_an_event_goes_over_tls_with_the_headers_of_a_file(ca, tmp_path):
    headers = secret(tmp_path / "headers", f"# of ntfy\nAuthorization: Bearer {TOKEN}\n\n")
    with Web(server_tls(ca)) as web:
        hook = built(
            TYPE,
            {"url": web.url, "ca_file": str(ca / "ca.pem"), "headers_file": headers,
             "headers": {"X-Site": "berlin"}},
        )  # fmt: skip
        assert hook.notify(EVENT, 10.0) is None
    ((path, sent, content),) = web.requests
    assert path == "/hook"
    assert sent["Authorization"] == f"Bearer {TOKEN}"
    assert (sent["X-Site"], sent["Content-Type"]) == ("berlin", "application/json")
    assert sent["Host"] == f"localhost:{web.port}"
    assert json.loads(content) == as_record(EVENT) | {"message": str(EVENT)}


def test_only_the_wanted_events_are_posted():
    with Web() as web:
        hook = built(TYPE, {"url": web.url, "only": ["role", "verdict"], "least": "warning"})
        for kind, severity in (
            ("verdict", "warning"), ("verdict", "info"), ("pair", "error"), ("role", "error"),
        ):  # fmt: skip
            assert hook.notify(Event(kind, "", "", severity, severity=severity), 10.0) is None
    assert [(b["kind"], b["severity"]) for b in web.bodies()] == [
        ("verdict", "warning"), ("role", "error"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "with_ca", "why"),
    [("localhost", False, "name its CA in ca_file"), ("127.0.0.1", True, "certificate is refused")],
)
def test_a_certificate_that_cannot_be_verified_gets_nothing(ca, host, with_ca, why):
    with Web(server_tls(ca)) as web:
        config = {"url": f"https://{host}:{web.port}/hook"}
        hook = built(TYPE, config | ({"ca_file": str(ca / "ca.pem")} if with_ca else {}))
        again = hook.notify(EVENT, 10.0)
    assert isinstance(again, Retry)
    assert why in again.why
    assert web.requests == []


def test_what_may_pass_is_tried_again_and_the_order_is_kept(caplog):
    caplog.set_level(logging.INFO)
    replies = [(503, {}, "busy"), (429, {"Retry-After": "1"}, "")]
    with Web(replies=replies) as web:

        async def steps(subscriber):
            for number in range(3):
                subscriber.put(Event("path", "", "", str(number)))
            await until(lambda: subscriber.error)
            assert subscriber.facts().waiting == 3
            assert "503 Service Unavailable (busy)" in subscriber.facts().error
            await until(lambda: subscriber.delivered == 3)
            assert (subscriber.facts().error, subscriber.facts().failed) == (None, 0)

        subscribed(TYPE, {"url": web.url}, LOG, steps)
    assert [body["after"] for body in web.bodies()] == ["0", "0", "0", "1", "2"]
    assert "3 to be tried again" in caplog.text
    assert "delivers again" in caplog.text


def test_a_service_that_comes_up_later_gets_what_waited():
    with Web() as gone:
        pass

    async def steps(subscriber):
        subscriber.put(EVENT)
        await until(lambda: subscriber.error)
        assert subscriber.error == f"http://localhost:{gone.port}: connection refused"
        with Web(port=gone.port) as web:
            subscriber.put(EVENT)
            await until(lambda: subscriber.delivered == 2)
            assert len(web.requests) == 2

    subscribed(TYPE, {"url": gone.url}, LOG, steps)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410])
def test_what_is_refused_for_good_is_no_secret_in_the_message(status, tmp_path):
    headers = secret(tmp_path / "headers", f"Authorization: Bearer {TOKEN}\n")
    with Web() as web:
        url = secret(tmp_path / "url", f"http://localhost:{web.port}/services/T0/B0/hush?key=shh\n")
        web.replies = [(status, {"Location": "/elsewhere"}, f"bad {TOKEN} /services/T0/B0/hush")]
        hook = built(TYPE, {"url_file": url, "headers_file": headers})
        with pytest.raises(HavpnError) as caught:
            hook.notify(EVENT, 10.0)
    text = str(caught.value)
    assert f"http://localhost:{web.port} replied {status}" in text
    for word in (TOKEN, "hush", "shh", "T0/B0"):
        assert word not in text
    assert [path for path, _, _ in web.requests] == ["/services/T0/B0/hush?key=shh"]


def test_a_header_is_sent_once_whatever_the_case_of_its_name(tmp_path):
    file = secret(tmp_path / "headers", "x-team: night\nX-Kind: b\n")
    open_ones = {"content-type": "text/plain", "X-Team": "day", "USER-AGENT": "gw"}
    with Web() as web:
        hook = built(TYPE, {"url": web.url, "headers": open_ones, "headers_file": file})
        assert hook.notify(EVENT, 10.0) is None
    found = [(name.lower(), value) for name, value in web.requests[0][1].items()]
    for header in (("content-type", "text/plain"), ("x-team", "night"), ("user-agent", "gw"),
                   ("x-kind", "b"), ("connection", "close")):  # fmt: skip
        assert [each for each in found if each[0] == header[0]] == [header]


def test_what_is_no_secret_is_left_in_the_message():
    replies = [(404, {}, "no topic havpn for application/json")]
    with Web(replies=replies) as web, pytest.raises(HavpnError) as caught:
        built(TYPE, {"url": web.url}).notify(EVENT, 10.0)
    assert "(no topic havpn for application/json)" in str(caught.value)


@pytest.mark.parametrize(
    "reply", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + 70000 * b"a", b"\x15\x03\x01\0\2\2F"]
)
def test_what_is_no_http_is_said_in_words(reply):
    def talk(made):
        made.sendall(reply)
        made.shutdown(socket.SHUT_WR)
        while made.recv(4096):  # an end with something unread would be a reset
            pass

    with talking(talk) as port:
        again = built(TYPE, {"url": f"http://127.0.0.1:{port}/"}).notify(EVENT, 5.0)
    why = "its reply is no HTTP: look into the address"
    assert again == Retry(f"http://127.0.0.1:{port}: {why}")


def test_a_far_end_that_drips_is_over_at_the_deadline():
    def talk(made):
        made.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            made.sendall(b"X-Wait: a\r\n")
            time.sleep(0.1)

    with talking(talk) as port:
        hook = built(TYPE, {"url": f"http://127.0.0.1:{port}/"})
        began = time.monotonic()
        again = hook.notify(EVENT, 0.7)
        assert time.monotonic() - began < 5  # http.client alone would go on for 100 headers
    assert again == Retry(f"http://127.0.0.1:{port}: no reply in time")


@pytest.mark.parametrize("reply", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 999999 X\r\n\r\n"])
def test_nonsense_is_tried_again(reply):
    with talking(lambda made: made.sendall(reply)) as port:
        again = built(TYPE, {"url": f"http://127.0.0.1:{port}/"}).notify(EVENT, 5.0)
    assert isinstance(again, Retry)
    assert again.why.startswith(f"http://127.0.0.1:{port}: ")


def test_a_name_that_is_resolved_later_is_waited_for():
    asked = []

    def resolve(host, family):
        asked.append(host)
        if len(asked) < 5:
            raise NotResolved(f"{host}: not resolved yet")
        return "127.0.0.1"

    with Web() as web:
        url = f"http://hooks.invalid:{web.port}/"
        assert built(TYPE, {"url": url}, resolve=resolve).notify(EVENT, 10.0) is None
    ((_, sent, _),) = web.requests
    assert sent["Host"] == f"hooks.invalid:{web.port}"


def test_a_name_that_is_not_resolved_is_named():
    def resolve(host, family):
        raise NotResolved(f"{host}: name not resolved: no such name")

    again = built(TYPE, {"url": "https://hooks.invalid/"}, resolve=resolve).notify(EVENT, 0.2)
    assert again == Retry("https://hooks.invalid: hooks.invalid: name not resolved: no such name")


def test_nothing_of_it_runs_on_the_loop():
    assert not inspect.iscoroutinefunction(Webhook.notify)
    assert not inspect.iscoroutinefunction(Webhook.close)


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("Authorization: x\n", 0o644, "chmod 600"),
        ("Authorization x\n", 0o600, "line 1 is no header"),
        ("A: 1\nHost: other\n", 0o600, "line 2 is no header"),
        ("# nothing\n", 0o600, "it is empty"),
        (None, 0o600, "there is no such file"),
    ],
)
def test_a_bad_file_of_secrets_is_named_and_waited_for(tmp_path, text, mode, why):
    file = tmp_path / "headers"
    if text is not None:
        secret(file, text, mode)
    config = {"url": "https://localhost:1/", "headers_file": str(file)}
    again = built(TYPE, config).notify(EVENT, 5.0)
    assert why in again.why
    assert f"headers_file: {file}" in again.why
    (said,) = TYPE.missing(options(TYPE, config))
    assert said == again.why
    secret(file, "Authorization: x\n")
    assert TYPE.missing(options(TYPE, config)) == []


def test_what_is_wrong_with_ca_file_is_said(tmp_path, ca):
    config = {"url": "https://localhost:1/", "ca_file": str(tmp_path / "none.pem")}
    assert TYPE.missing(options(TYPE, config)) == [
        f"ca_file: {tmp_path / 'none.pem'}: no such file or directory"
    ]
    config["ca_file"] = secret(tmp_path / "bad.pem", "nothing")
    assert "holds no certificate" in TYPE.missing(options(TYPE, config))[0]
    config["ca_file"] = str(ca / "ca.pem")
    assert TYPE.missing(options(TYPE, config)) == []


def test_an_address_in_a_file_that_sends_secrets_in_the_clear_is_refused(tmp_path):
    url = secret(tmp_path / "url", "http://hooks.example/T0\n")
    again = built(TYPE, {"url_file": url}).notify(EVENT, 5.0)
    assert again.why == (
        f"url_file: {url}: secrets go over https only: write an address that begins with https://"
    )


def test_retry_after_is_seconds_or_a_date():
    assert seconds_of("120") == 120
    assert seconds_of(None) == seconds_of("soon") == seconds_of("-5") == 0
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 80 < seconds_of(date) <= 100
    assert seconds_of("9" * 400) == 10**6


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({}, "url, url_file: write one of the two"),
        ({"url": "https://a/", "url_file": "/a"}, "write one of the two"),
        ({"url": "ftp://a/"}, "url: write an address as https://host/path"),
        ({"url": "https:///x"}, "url: write an address as"),
        ({"url": "https://a:0x/"}, "url: write an address as"),
        ({"url": "https://a/b c"}, "url: an address has neither blanks"),
        ({"url": "https://u:p@a/"}, "url: a user and password"),
        ({"url": "http://a/", "headers_file": "/x"}, "url: secrets go over https only"),
        ({"url": "https://a/", "headers": {"Authorization": "x"}}, "headers: Authorization is a"),
        ({"url": "https://a/", "headers": {"A b": "x"}}, "headers: 'A b' is no name"),
        ({"url": "https://a/", "headers": {"A": "x\r\nB: y"}}, "headers: the value of A"),
        ({"url": "https://a/", "headers": {"Host": "x"}}, "headers: Host is set by itself"),
        ({"url": "https://a/", "body": {"a": {"b": ["{nod}"]}}}, "body.a.b[0]: {nod} is not known"),
        ({"url": "https://a/", "body": {"a": "{node!r}"}}, "body.a: {node} is not known"),
        ({"url": "https://a/", "body": {"a": "{node.x}"}}, "body.a: {node.x} is not known"),
        ({"url": "https://a/", "body": {"a": "}"}}, "body.a: a brace stands alone"),
        ({"url": "https://a/", "body": {"a": object()}}, "body.a: write a text"),
        ({"url": "https://a/", "format": "own"}, 'body: write the fields that format = "own"'),
        ({"url": "https://a/", "format": "ntfy"}, 'body: format = "ntfy" needs a topic'),
        ({"url": "https://a/", "format": "xml"}, "format"),
    ],
)
def test_bad_options_are_named(config, why):
    with pytest.raises(HavpnError) as caught:
        options(TYPE, config)
    assert why in str(caught.value)


def test_a_body_of_ones_own_cannot_be_broken_by_an_event():
    event = Event("path", "", "", 'a"b\n{node}', "\\", "error", "gw-aa")
    body = {"content": "{node} {{}} {after}{detail}", "deep": [{"n": 1, "s": "{severity}"}]}
    assert body_of(event, "own", body) == {
        "content": 'gw-aa {} a"b\n{node}\\',
        "deep": [{"n": 1, "s": "error"}],
    }


def test_fields_are_merged_table_by_table():
    body = body_of(EVENT, "alertmanager", {"labels": {"site": "berlin", "kind": "line"}})
    assert body[0]["labels"] == {
        "alertname": "HAVPN", "instance": "gw-aa", "kind": "line", "subject": "vpn1",
        "site": "berlin",
    }  # fmt: skip


def test_an_alert_is_ended_by_the_event_of_its_recovery():
    at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    down = Event("verdict", "vpn1", "failing", "down", "", "warning", "gw-aa", at)
    up = Event("verdict", "vpn1", "recovering", "up", "", "info", "gw-aa", at)
    ((lost,), (back,)) = (body_of(each, "alertmanager", {}) for each in (down, up))
    assert lost["labels"] == back["labels"]
    assert lost["endsAt"] == "2026-03-02T12:00:00+00:00"
    assert back["endsAt"] == back["startsAt"] == "2026-03-01T12:00:00+00:00"
