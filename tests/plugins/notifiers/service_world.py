"""Services that notifiers speak to, as real servers on loopback, and a CA of their own."""

import asyncio
import contextlib
import json
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from havpn_core import Event
from havpn_core.plugging.gate.calls import Caller
from havpn_core.testing import context, options
from tests.ports import free_port

EVENT = Event("verdict", "vpn1", "failing", "down", "no reply in 7 probes", "warning", "gw-aa")


def make_ca(folder):
    """Make a CA and a certificate for localhost that it signed."""
    config = folder / "openssl.cnf"
    config.write_text("[req]\ndistinguished_name = dn\n[dn]\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    head = ["openssl", "req", "-x509", "-config", str(config), *key]
    usage = ["-addext", "keyUsage=critical,keyCertSign"]
    _run(*head, *usage, "-addext", "basicConstraints=critical,CA:true", "-subj", "/CN=test CA",
         "-keyout", folder / "ca.key", "-out", folder / "ca.pem")  # fmt: skip
    _run(*head, "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=CA:false",
         "-keyout", folder / "server.key", "-out", folder / "server.pem")  # fmt: skip
    return folder


def _run(*argv):
    subprocess.run([str(each) for each in argv], check=True, capture_output=True, timeout=30)


def server_tls(folder):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "server.pem", folder / "server.key")
    return made


def secret(file, text, mode=0o600):
    file.write_text(text)
    file.chmod(mode)
    return str(file)


class Web:
    """An HTTP server that takes what is posted.

    :param replies: status, headers and body of the replies in turn; then 200 for ever.
    """

    def __init__(self, tls=None, replies=(), port=0):
        self.requests = []
        self.replies = list(replies)
        world = self

        class Taker(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self):
                content = self.rfile.read(int(self.headers["Content-Length"]))
                world.requests.append((self.path, dict(self.headers), content))
                status, headers, body = world.replies.pop(0) if world.replies else (200, {}, "")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *words):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *words):  # a client that refuses the certificate
                pass

            def finish_request(self, request, address):
                if tls is not None:
                    request.settimeout(10)
                    request = tls.wrap_socket(request, server_side=True)
                super().finish_request(request, address)

        self.server = Server(("127.0.0.1", port), Taker)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}/hook"

    def bodies(self):
        return [json.loads(content) for _, _, content in self.requests]

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *problem):
        self.server.shutdown()
        self.server.server_close()


class Mail:
    """A mail server that keeps what it gets.

    :param replies: what it replies to the mails in turn; then it accepts all.
    :param login: user and password without which it takes nothing.
    """

    def __init__(self, *, starttls=None, implicit=None, replies=(), login=None, port=None):
        self.mails, self.logins, self.replies = [], [], list(replies)
        self.port = port or free_port(socket.SOCK_STREAM)
        more = {}
        if login is not None:
            more = {"auth_required": True, "authenticator": self._judge, "auth_require_tls": True}
        if implicit is not None:
            more |= {"ssl_context": implicit, "auth_require_tls": False}
        self.login = login
        self.controller = Controller(
            self, hostname="127.0.0.1", port=self.port, tls_context=starttls, ident="test", **more
        )

    def _judge(self, server, session, envelope, mechanism, data):
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1] == self.login, handled=False)

    async def handle_DATA(self, server, session, envelope):
        reply = self.replies.pop(0) if self.replies else "250 taken"
        if reply.startswith("2"):
            self.mails.append(envelope)
        return reply

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *problem):
        self.controller.stop()


@contextlib.contextmanager
def talking(talk):
    """A TCP server on loopback; ``talk(connection)`` has each connection. Gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    made, _ = server.accept()
                    threading.Thread(target=one, args=(made,), daemon=True).start()

        def one(made):
            with made, contextlib.suppress(OSError):
                talk(made)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def built(kind, config, **more):
    return kind.build(options(kind, config), context("notifier.mine", node="gw-aa", **more))


def subscribed(kind, config, log, steps):
    """Run a notifier as the daemon does, while ``steps(subscriber)`` hands events over."""
    from havpn_core.daemon.state.events import Subscriber

    async def run():
        made = options(kind, config)
        caller = Caller(built(kind, config), "mine")
        subscriber = Subscriber(
            "notifier.mine", caller, 5.0,
            gather_s=kind.gather_s(made), retry_s=kind.retry_s(made),
        )  # fmt: skip
        work = asyncio.create_task(subscriber.deliver(log))
        try:
            await steps(subscriber)
        finally:
            await subscriber.end(2.0)
            await asyncio.wait_for(work, 10)
        return subscriber

    return asyncio.run(run())


async def until(true, limit_s=20.0):
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
