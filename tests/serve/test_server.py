"""The server: its pages, and clients that are slow, greedy or none at all."""

import asyncio
import contextlib
import json

import pytest

from havpn_core.serve.metrics import exposition
from havpn_core.serve.replies import Replies, policy
from havpn_core.serve.server import Limits, Server
from havpn_core.serve.sources import Sources
from tests.serve.values import publish, record


@contextlib.asynccontextmanager
async def serving(folder, **limits):
    """Serve a folder; gives the server, and what asks it."""
    server = Server(Replies(Sources(folder, folder), exposition).to, Limits(**limits))
    listening = await server.listen("127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]

    async def connect():
        return await asyncio.open_connection("127.0.0.1", port)

    async def ask(path, method="GET", **fields):
        reader, writer = await connect()
        head = "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in fields.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
        async with asyncio.timeout(20):
            reply = await reader.read()
        writer.close()
        top, _, body = reply.partition(b"\r\n\r\n")
        return int(top.split()[1]), body, top.decode()

    try:
        yield server, connect, ask
    finally:
        listening.close()


def look(folder, *requests, **limits):
    """Give the replies to some requests, one after the other."""

    async def work():
        async with serving(folder, **limits) as (_, _, ask):
            return [
                await (ask(each) if isinstance(each, str) else ask(*each[:-1], **each[-1]))
                for each in requests
            ]

    return asyncio.run(work())


def test_a_working_gateway_is_shown_on_every_page(tmp_path):
    publish(tmp_path, role={"observed": "active", "wanted": "active", "forced": None})
    record(tmp_path, {"subject": "one"}, {"subject": "two"}, {"subject": "three"})
    paths = ("/metrics", "/liveness", "/active", "/status", "/history?limit=2", "/")
    found = look(tmp_path, *paths)
    assert [status for status, _, _ in found] == [200] * 6
    metrics, liveness, active, status, history, page = [body for _, body, _ in found]
    assert b"\nhavpn_active 1.0\n" in metrics
    assert (liveness, active) == (b"alive, running\n", b"active\n")
    assert json.loads(status)["node"] == "gw-aa"
    assert [event["subject"] for event in json.loads(history)] == ["two", "three"]
    assert page.startswith(b"<!doctype html>")


def test_only_an_active_gateway_gets_the_load(tmp_path):
    publish(tmp_path)
    assert look(tmp_path, "/active")[0][:2] == (503, b"standby\n")


def test_when_the_loop_stalls_nothing_is_exported(tmp_path):
    publish(tmp_path, age_s=6.0, role={"observed": "active"})
    for status, body, _ in look(tmp_path, "/metrics", "/liveness", "/active", "/status"):
        assert status == 503
        assert b"6 s old" in body and b"havpn_active" not in body


def test_a_status_that_comes_later_is_served(tmp_path):
    async def work():
        async with serving(tmp_path) as (_, _, ask):
            before = await ask("/active")
            publish(tmp_path, role={"observed": "active"})
            after = await ask("/active")
            publish(tmp_path)
            return before[0], after[0], (await ask("/active"))[0]

    assert asyncio.run(work()) == (503, 200, 503)


def test_metrics_follow_the_status(tmp_path):
    async def work():
        async with serving(tmp_path) as (_, _, ask):
            publish(tmp_path, state="paused")
            first = (await ask("/metrics"))[1]
            publish(tmp_path)
            return first, (await ask("/metrics"))[1]

    first, second = asyncio.run(work())
    assert b"havpn_paused 1.0" in first and b"havpn_paused 0.0" in second


def test_what_is_there_no_page_for_is_said(tmp_path):
    publish(tmp_path)
    requests = ("/nix", "/history?limit=0", ("/", "POST", {}), ("/", "GET", {"X": "y" * 9000}))
    (_, nix, _), *rest = found = look(tmp_path, *requests)
    assert [status for status, _, _ in found] == [404, 400, 405, 431]
    assert b"/metrics" in nix
    assert "Allow: GET, HEAD" in rest[1][2]


def test_a_head_has_no_body(tmp_path):
    publish(tmp_path)
    status, body, top = look(tmp_path, ("/liveness", "HEAD", {}))[0]
    assert (status, body) == (200, b"") and "Content-Length: 15" in top
    refused = look(tmp_path, ("/nix", "HEAD", {}), ("/", "HEAD", {"Content_Length": "3"}))
    assert [each[:2] for each in refused] == [(404, b""), (400, b"")]


def test_a_status_of_another_form_is_a_sentence_and_the_next_page_is_served(tmp_path):
    publish(tmp_path, paths=["line"], counts=7)
    found = look(tmp_path, "/metrics", "/liveness", "/status")
    assert [status for status, _, _ in found] == [500, 200, 200]
    assert found[0][1].startswith(b"the status is not understood: ")
    assert found[0][1].count(b"\n") == 1


def test_a_history_that_did_not_change_is_not_sent_again(tmp_path):
    record(tmp_path, {"subject": "one"})

    async def work():
        async with serving(tmp_path) as (_, _, ask):
            top = (await ask("/history"))[2]
            tag = next(x for x in top.split("\r\n") if x.startswith("ETag: "))[6:]
            same = await ask("/history", If_None_Match=tag)
            record(tmp_path, {"subject": "one"}, {"subject": "two"})
            return same[:2], (await ask("/history", If_None_Match=tag))[0]

    assert asyncio.run(work()) == ((304, b""), 200)


def test_a_history_goes_on_in_the_file_before_and_leaves_out_what_is_damaged(tmp_path):
    record(tmp_path, {"subject": "old"}, name="events.jsonl.1")
    record(tmp_path, {"subject": "new"})
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write("{damaged}\n\n{cut off")
    found = json.loads(look(tmp_path, "/history")[0][1])
    assert [event["subject"] for event in found] == ["old", "new"]


def test_no_history_is_an_empty_one(tmp_path):
    assert look(tmp_path, "/history")[0][:2] == (200, b"[]\n")


def test_secrets_in_addresses_are_shown_to_nobody(tmp_path):
    failed = {"delivered": 0, "failed": 1, "dropped": 0, "error": "https://u:S3C@h/S3C: 404"}
    publish(tmp_path, notifiers={"hook": failed})
    record(tmp_path, {"detail": "POST https://h/S3C?token=S3C"})
    for _, body, _ in look(tmp_path, "/status", "/history", "/metrics"):
        assert b"S3C" not in body


def test_the_page_runs_nothing_but_its_own_script(tmp_path):
    publish(tmp_path)
    top, other = look(tmp_path, "/", "/status")
    assert "default-src 'none'" in top[2] and "unsafe" not in top[2]
    assert "frame-ancestors 'none'" in other[2] and "nosniff" in other[2]
    assert policy(top[1]) in top[2]
    changed = top[1].replace(b'"use strict"', b'"use  strict"')
    assert policy(changed) != policy(top[1])


def test_clients_that_send_nothing_do_not_keep_the_next_one_out(tmp_path):
    publish(tmp_path)

    async def work():
        async with serving(tmp_path, most=4) as (server, connect, ask):
            idle = [await connect() for _ in range(12)]
            status = (await ask("/liveness"))[0]
            ended = 0
            for reader, writer in idle:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        with contextlib.suppress(ConnectionError):
                            assert await reader.read() == b""
                        ended += 1
                writer.close()
            return status, ended, server.connections

    status, ended, connections = asyncio.run(work())
    assert status == 200
    assert ended >= 8
    assert connections <= 4


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_client_that_does_not_come_to_the_point_is_left(tmp_path, sent):
    async def work():
        async with serving(tmp_path, head_s=0.3) as (server, connect, _):
            reader, writer = await connect()
            writer.write(sent)
            async with asyncio.timeout(20):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            writer.close()
            return server.connections

    assert asyncio.run(work()) == 0


def test_a_client_that_does_not_take_its_reply_is_left(tmp_path):
    record(tmp_path, *[{"detail": "x" * 20_000}] * 1000)

    async def work():
        async with serving(tmp_path, take_s=0.5) as (server, connect, _):
            _, writer = await connect()
            writer.write(b"GET /history?limit=1000 HTTP/1.1\r\n\r\n")
            while not server.connections:
                await asyncio.sleep(0.01)
            async with asyncio.timeout(20):
                while server.connections:
                    await asyncio.sleep(0.05)
            writer.close()

    asyncio.run(work())
