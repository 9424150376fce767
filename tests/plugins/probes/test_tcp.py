import asyncio
import contextlib
import ssl
import subprocess
from pathlib import Path

import pytest
from havpn_plugins.probes import tcp
from probe_world import built, descriptors, run

from havpn_core import Outcome
from tests.ports import free_port

[TYPE] = tcp.havpn_register_probes()
SOCK_STREAM = 1


@contextlib.asynccontextmanager
async def service(banner=b"", tls=None, host="127.0.0.1", linger=False):
    """Serve a banner, in two pieces, and close or hold the connection."""
    peers = []

    async def serve(reader, writer):
        peers.append(writer.get_extra_info("peername"))
        writer.write(banner[:3])
        with contextlib.suppress(OSError):
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(banner[3:])
            await writer.drain()
            if linger:
                await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], peers
    finally:
        server.close()
        await asyncio.sleep(0.05)


def checked(world, timeout_s=5, serve=None, **options):
    async def scenario():
        async with (
            service(**(serve or {})) as (port, _),
            built(TYPE, world, host="127.0.0.1", port=port, **options) as probe,
        ):
            return await probe.check(timeout_s)

    return run(scenario())


def test_an_accepted_connection_is_ok(world):
    sample = checked(world)
    assert sample.outcome is Outcome.OK
    assert 0 < sample.latency_s < 5


def test_a_refused_connection_is_a_fail(world):
    async def scenario():
        async with built(TYPE, world, host="127.0.0.1", port=free_port(SOCK_STREAM)) as probe:
            return await probe.check(5)

    sample = run(scenario())
    assert sample.outcome is Outcome.FAIL
    assert "refused" in sample.detail


def test_a_banner_in_pieces_is_found(world):
    serve = {"banner": b"220 mail.example ESMTP\r\n", "linger": True}
    assert checked(world, serve=serve, expect="example ESMTP").outcome is Outcome.OK


def test_a_wrong_banner_is_a_fail_that_quotes_it(world):
    sample = checked(world, serve={"banner": b"554 go away"}, expect="220")
    assert sample.outcome is Outcome.FAIL
    assert "554 go away" in sample.detail


def test_a_banner_that_does_not_come_is_a_fail_at_the_deadline(world):
    sample = checked(world, 0.3, serve={"linger": True}, expect="220")
    assert sample.outcome is Outcome.FAIL


def test_an_endless_banner_without_the_text_is_a_fail(world):
    sample = checked(world, serve={"banner": b"x" * 200_000}, expect="220")
    assert sample.outcome is Outcome.FAIL


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", "key", "-out", "crt", "-days", "1", "-subj", "/CN=far.example"],
        cwd=folder, check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(folder, "crt"), Path(folder, "key"))
    return context


def test_a_handshake_is_ok_with_any_certificate(world, certificate):
    assert checked(world, serve={"tls": certificate}, tls=True).outcome is Outcome.OK


def test_a_certificate_that_nobody_signed_is_a_fail_when_verified(world, certificate):
    sample = checked(world, serve={"tls": certificate}, tls=True, verify=True)
    assert sample.outcome is Outcome.FAIL
    assert "CERTIFICATE_VERIFY_FAILED" in sample.detail.upper().replace(" ", "_")


def test_a_service_without_tls_fails_the_handshake_and_is_no_error(world):
    sample = checked(world, serve={"banner": b"220 plain text"}, tls=True)
    assert sample.outcome is Outcome.FAIL


def test_a_handshake_that_hangs_ends_at_the_deadline(world):
    sample = checked(world, 0.3, serve={"linger": True}, tls=True)
    assert sample.outcome is Outcome.FAIL


def test_a_banner_inside_tls_is_found(world, certificate):
    serve = {"tls": certificate, "banner": b"220 secret", "linger": True}
    assert checked(world, serve=serve, tls=True, expect="secret").outcome is Outcome.OK


def test_the_server_name_asked_for_is_sent(world, certificate):
    names = []
    certificate.sni_callback = lambda _, name, __: names.append(name)
    checked(world, serve={"tls": certificate}, tls=True, server_name="far.example")
    certificate.sni_callback = None
    assert names == ["far.example"]


@pytest.mark.parametrize(
    "options", [{"device": "nosuchdev0"}, {"source": "192.0.2.77"}], ids=["device", "source"]
)
def test_a_missing_device_or_source_is_a_fail(world, options):
    assert checked(world, **options).outcome is Outcome.FAIL


def test_the_source_asked_for_is_the_source(world):
    async def scenario():
        async with (
            service() as (port, peers),
            built(TYPE, world, host="127.0.0.1", port=port, source="127.9.9.9") as probe,
        ):
            sample = await probe.check(5)
            await asyncio.sleep(0.05)
            return sample, [peer[0] for peer in peers]

    sample, sources = run(scenario())
    assert (sample.outcome, sources) == (Outcome.OK, ["127.9.9.9"])


def test_a_name_without_address_is_an_error(world):
    world.names["far.example"] = None

    async def scenario():
        async with built(TYPE, world, host="far.example", port=1) as probe:
            return await probe.check(5)

    assert run(scenario()).outcome is Outcome.ERROR


@pytest.mark.parametrize("options", [{}, {"expect": "220"}, {"tls": True}], ids=str)
def test_no_descriptor_and_no_time_wait_is_left(world, options):
    """Whether the check came to its end or to its deadline."""

    async def scenario():
        async with service(linger=True) as (port, _):
            before = descriptors()
            async with built(TYPE, world, host="127.0.0.1", port=port, **options) as probe:
                for _ in range(10):
                    await probe.check(0.1)
                await asyncio.sleep(0.2)  # for the service to notice
                return port, before, descriptors()

    port, before, after = run(scenario())
    assert after == before
    assert waiting(port) == 0


def waiting(port):
    """Count connections to a port that are in TIME_WAIT (06)."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(1 for line in lines if f":{port:04X}" in line[19:34] and line.split()[3] == "06")
