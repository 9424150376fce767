"""The contract of a notifier, with a real service: JSON over HTTP to a server of our own."""

import http.server
import threading

import havpn_apprise
import pytest

from havpn_core.testing import check_notifier_type, plugin_type


@pytest.fixture
def server():
    got = []

    class Post(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Post)
    listening.got = got
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield listening
    listening.shutdown()


def test_contract(server):
    check_notifier_type(
        plugin_type(havpn_apprise, "notifier", "apprise"),
        config={"urls": [f"json://127.0.0.1:{server.server_port}/"]},
        delivered=lambda: len(server.got),
        failing={"urls": ["json://127.0.0.1:1/"]},
        hostile=[{"urls": []}, {"urls": "json://x"}],
        timeout_s=10.0,
    )
    assert b"down" in server.got[0]
