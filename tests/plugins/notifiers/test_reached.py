"""What ``havpn doctor`` finds of a service of a notifier: it is reached, and gets nothing."""

import socket
import time

import pytest
from havpn_plugins.notifiers import smtp, webhook
from service_world import Mail, Web, built, server_tls, talking

from havpn_core import Diagnosing, Level
from havpn_core.plugging.protocols import able
from tests.ports import free_port

[WEBHOOK] = webhook.havpn_register_notifiers()
[SMTP] = smtp.havpn_register_notifiers()
ADDRESSES = {"from": "gw@example.com", "to": ["ops@example.com"]}


def found(kind, config, timeout_s=5.0):
    made = built(kind, config)
    assert able(made, Diagnosing)
    (only,) = made.diagnose(timeout_s, True)
    assert bool(only.remedy) == (only.level is Level.FAILED)
    return only


def test_a_web_service_is_reached_and_gets_no_request(ca):
    with Web(tls=server_tls(ca)) as web:
        good = found(WEBHOOK, {"url": web.url, "ca_file": str(ca / "ca.pem")})
        bad = found(WEBHOOK, {"url": web.url})
    assert good.level is Level.OK and "certificate is verified" in good.text
    assert bad.level is Level.FAILED and "its certificate is refused" in bad.text
    assert web.requests == []


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
def test_a_mail_server_is_reached_and_gets_no_mail(ca, tls):
    given = {"implicit": server_tls(ca)} if tls == "implicit" else {}
    with Mail(**given) as mail:
        config = {"host": "localhost", "port": mail.port, "tls": tls, **ADDRESSES}
        good = found(SMTP, config | {"ca_file": str(ca / "ca.pem")})
    assert good.level is Level.OK
    assert ("verified" in good.text) == (tls == "implicit")
    assert (mail.mails, mail.logins) == ([], [])


def test_what_is_not_reached_is_said_in_time():
    port = free_port(socket.SOCK_STREAM)
    closed = found(SMTP, {"host": "localhost", "port": port, **ADDRESSES})
    assert closed.text == f"localhost, port {port}: connection refused"
    with talking(lambda made: time.sleep(10)) as port:
        began = time.monotonic()
        silent = found(WEBHOOK, {"url": f"https://localhost:{port}/secret"}, 0.5)
        assert time.monotonic() - began < 5
    assert silent.text == f"localhost, port {port}: no reply in time"


def test_of_a_file_that_is_missing_the_core_says_it(tmp_path):
    assert built(WEBHOOK, {"url_file": str(tmp_path / "gone")}).diagnose(1.0, False) == []
