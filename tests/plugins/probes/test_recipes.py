"""What docs/tunnel.md recommends for other IPsec daemons than strongSwan."""

import os
import time
from pathlib import Path

import pytest
from probe_world import Surroundings, built, run

from havpn_core import Outcome
from havpn_core.plugging.registry import Registry

REPO = Path(__file__).parents[3]
SCRIPT = REPO / "examples" / "libreswan-sa"
EXEC = Registry.load().get("probe", "exec")
OLD = (
    "006 #4: \"{0}\", type=ESP, add_time=1480687195, inBytes=1228, outBytes=67, id='@far'\n"
    '006 #7: "other", username=x, type=ESP, add_time=1480687195, inBytes=1, outBytes=6\n'
)
NEW = "#2: \"{0}\", type=ESP, add_time=148068, inBytes=84, outBytes=0, maxBytes=2^63B, id='@far'\n"
INSTANCE = "#2: \"{0}\"[1] 192.0.2.6, type=ESP, add_time=148, inBytes=84, outBytes=0, id='@far'\n"


def checked(folder, monkeypatch, ipsec, connection="lans", *, seconds="2"):
    """Run the probe with an ``ipsec`` command that does what a shell script says."""
    stub = folder / "ipsec"
    stub.write_text(f"#!/bin/sh\n[ \"$*\" = 'whack --trafficstatus' ] || exit 9\n{ipsec}\n")
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    async def once():
        command = [str(SCRIPT), connection, seconds]
        async with built(EXEC, Surroundings(), command=command) as probe:
            return await probe.check(5.0)

    return run(once())


def printed(folder, text):
    (folder / "output").write_text(text)
    return f"cat '{folder}/output'"


@pytest.mark.parametrize("form", [OLD, NEW, INSTANCE])
@pytest.mark.parametrize("name", ["lans", "lans/1x2", "a.b", "a[1]"])
def test_libreswan_with_an_sa(tmp_path, monkeypatch, form, name):
    wanted = name.partition("/")[0]
    sample = checked(tmp_path, monkeypatch, printed(tmp_path, form.format(name)), wanted)
    assert sample.outcome is Outcome.OK
    assert "type=ESP" in sample.detail
    assert "inBytes=" in sample.detail


@pytest.mark.parametrize("name", ["lan", "xlans", "lans2", "LANS", "l.ns", "/"])
def test_libreswan_with_an_sa_of_others(tmp_path, monkeypatch, name):
    for form in (OLD, NEW, INSTANCE):
        text = printed(tmp_path, form.format("lans"))
        sample = checked(tmp_path, monkeypatch, text, name)
        assert (sample.outcome, sample.detail) == (Outcome.FAIL, "no IPsec SA of the connection")


def test_libreswan_without_an_sa(tmp_path, monkeypatch):
    assert checked(tmp_path, monkeypatch, "true").outcome is Outcome.FAIL


@pytest.mark.parametrize("ipsec", ["echo 'no pluto' >&2; exit 33", "exec sleep 60"])
def test_libreswan_that_cannot_be_asked(tmp_path, monkeypatch, ipsec):
    began = time.monotonic()
    sample = checked(tmp_path, monkeypatch, ipsec, seconds="0.3")
    assert (sample.outcome, sample.detail) == (Outcome.ERROR, "pluto does not reply")
    assert time.monotonic() - began < 3


def test_the_page_names_what_there_is():
    page = (REPO / "docs" / "tunnel.md").read_text()
    assert "../examples/libreswan-sa" in page
    assert (REPO / "examples" / "havpn-wireguard").is_dir()
    assert "../examples/havpn-wireguard" in page
