"""Each rendered file is checked by its own program, and what is not checked is named.

The programs are the real ones of this host; none of them loads anything.
"""

import contextlib
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from havpn_core.cli.sites.verify import verify
from havpn_core.site import charon
from havpn_core.site.checking import Outcome, checked, summary
from havpn_core.site.drift.whole import HAVPN
from tests.site.gateways import SITE, SWANCTL, rendered

MARK = "HAVPN_TEST_MARK"
NFT = "/etc/nftables.d/havpn.nft"
CRM, PCS = "/etc/havpn/cluster.crm", "/etc/havpn/cluster.pcs"
CLUSTER = SITE.replace("[site.a]", '[site.a]\nmode = "pacemaker"').replace(
    "[site.b]", '[site.b]\nmode = "heartbeat"'
)
WITH_PCS = f'{CLUSTER}\n[render]\ncluster = "pcs"\nconntrackd = true\n'


def of(files, gateway, path, before=None, after=None):
    """Check one file of one gateway, edited before."""
    (file,) = (each for each in files[gateway] if each.path == path)
    if before is not None:
        assert before in file.text
        file = replace(file, text=file.text.replace(before, after))
    return {each.program: each for each in checked({gateway: [file]})}


@pytest.mark.parametrize("text", [SITE, CLUSTER, WITH_PCS], ids=["pair", "crmsh", "pcs"])
def test_what_is_rendered_is_good(text):
    found = checked(rendered(text))
    assert [str(each) for each in found if each.outcome is Outcome.WRONG] == []
    good = {e.program for e in found if e.outcome is Outcome.GOOD}
    assert good >= {"havpn check", "nft", "swanctl"}


WRONG = [
    (SITE, HAVPN, ('"fast"', '"quick"'), "havpn check", "quick"),
    (SITE, HAVPN, ("[node]", "[nod]"), "havpn check", "nod: there is no such key"),
    (SITE, HAVPN, ("[node]", "[node"), "havpn check", "no valid TOML"),
    (SITE, HAVPN, ('"webhook"', '"webhuk"'), "havpn check", "webhuk"),
    (SITE, NFT, ("accept", "acept"), "nft", "acept"),
    (SITE, SWANCTL, ("connections {", "connections"), "havpn", "line 3"),
    (SITE, SWANCTL, ("secrets {", "}\nsecrets {"), "havpn", "closes a section"),
    (SITE, SWANCTL, ("local_ts = ", "local_ts = x"), "swanctl", "invalid value for: local_ts"),
    (SITE, SWANCTL, ("= trap", "= jump"), "swanctl", "invalid value for: start_action"),
    (SITE, SWANCTL, ("esp_proposals = ", "esp_proposals = foo-"), "swanctl", "esp_proposals"),
    (SITE, SWANCTL, ("version = 2", "verzion = 2"), "swanctl", "unknown option: verzion"),
    (CLUSTER, CRM, ("primitive", "primitve"), "crm", "primitve"),
    (WITH_PCS, PCS, ("resource create", "resource creat"), "pcs", "Usage: pcs"),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case[3]}: {case[2][1]}")
def test_what_is_wrong_is_found_by_its_program(case):
    text, path, edit, program, words = case
    found = of(rendered(text), "gw-aa", path, *edit)[program]
    assert found.outcome is Outcome.WRONG
    assert words in found.text
    assert "/tmp/" not in found.text


def test_what_no_program_checks_is_named():
    found = checked({"gw-ba": rendered(WITH_PCS)["gw-ba"]})
    said = {(e.path, e.program): e.text for e in found if e.outcome is Outcome.UNCHECKED}
    assert ("/etc/ha.d/ha.cf", "heartbeat") in said
    assert ("/etc/conntrackd/conntrackd.conf", "conntrackd") in said


def test_a_program_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("havpn_core.site.checking.SBIN", "")
    assert str(of(rendered(), "gw-aa", NFT)["nft"]) == (
        f"gw-aa: {NFT}: not checked by nft: it is not on this host"
    )


def test_a_program_that_needs_root_checks_nothing(monkeypatch, tmp_path):
    # A stand-in for nft as an ordinary user sees it.
    (tmp_path / "nft").write_text(
        "#!/bin/sh\necho 'Operation not permitted (you must be root)'; exit 1"
    )
    (tmp_path / "nft").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert of(rendered(), "gw-aa", NFT)["nft"].text == "it needs root"


def test_a_program_that_hangs_is_ended(monkeypatch, tmp_path):
    (tmp_path / "nft").write_text("#!/bin/sh\nexec sleep 5")
    (tmp_path / "nft").chmod(0o755)
    monkeypatch.setattr("havpn_core.site.checking.CALL_S", 0.2)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert of(rendered(), "gw-aa", NFT)["nft"].text == "it did not end within 0.2 s"


def test_metrics_are_no_fault_of_the_file_where_their_package_is_not_here(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    files = rendered(f"{SITE}\n[metrics]\n")
    found = of(files, "gw-aa", HAVPN)["havpn check"]
    assert found.outcome is Outcome.UNCHECKED
    wrong = of(files, "gw-aa", HAVPN, '"fast"', '"quick"')["havpn check"]
    assert "prometheus" not in wrong.text
    assert wrong.outcome is Outcome.WRONG


def test_certificates_are_on_the_gateways_alone():
    policy = '[tunnel]\nauth = "certificate"\nauthority = "ca.pem"\n'
    files = rendered(f"{SITE}\n{policy}")
    (text,) = (each.text for each in files["gw-aa"] if each.path == SWANCTL)
    assert "cacerts = ca.pem" in text
    assert of(files, "gw-aa", SWANCTL)["swanctl"].text == "but for its certificates"


def test_nothing_is_left_of_the_charon_that_loads_a_file(monkeypatch):
    monkeypatch.setenv(MARK, str(os.getpid()))
    run = [each.name for each in Path("/run").glob("charon*")]
    assert of(rendered(), "gw-aa", SWANCTL)["swanctl"].outcome is Outcome.GOOD
    assert [each.name for each in Path("/run").glob("charon*")] == run
    assert marked() == []
    process = subprocess.Popen(["sleep", "30"])
    assert marked() == [process.pid], "the mark is seen"
    process.kill()
    process.wait()


def marked():
    """Give the processes that were started with the mark, wherever they are."""
    found = []
    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if each.environ().get(MARK) == str(os.getpid()) and each.pid != os.getpid():
                found.append(each.pid)
    return found


def test_a_host_that_lacks_what_it_takes_refuses_no_file(monkeypatch):
    elsewhere = charon.LOAD.replace("/etc/strongswan.conf", "/etc/strongswan/none.conf")
    monkeypatch.setattr(charon, "LOAD", elsewhere)
    found = of(rendered(), "gw-aa", SWANCTL)["swanctl"]
    assert (found.outcome, found.text) == (Outcome.UNCHECKED, charon.NOT_READY)


def test_the_first_charon_that_is_there_is_taken(tmp_path):
    assert charon.find([str(tmp_path / "none"), str(tmp_path)]) == str(tmp_path)
    assert charon.find([]) is None


def test_a_charon_that_does_not_start_checks_nothing(monkeypatch, tmp_path):
    (tmp_path / "charon").write_text("#!/bin/sh\nexit 1")
    (tmp_path / "charon").chmod(0o755)
    monkeypatch.setattr(charon, "find", lambda: str(tmp_path / "charon"))
    found = of(rendered(), "gw-aa", SWANCTL)["swanctl"]
    assert (found.outcome, found.text) == (Outcome.UNCHECKED, charon.NOT_READY)
    monkeypatch.setattr(charon, "find", lambda: None)
    assert of(rendered(), "gw-aa", SWANCTL)["swanctl"].text == "charon is not on this host"
    assert charon.settings([str(tmp_path)]) == charon.CONF % ""


def test_what_is_the_same_on_several_gateways_is_one_line():
    lines = summary(checked(rendered()))
    assert f"all gateways: {NFT}: good by nft" in lines
    assert all(line.startswith("all gateways: ") for line in lines)


def test_what_was_not_checked_comes_before_what_is_good(monkeypatch):
    monkeypatch.setattr(charon, "find", lambda: None)
    assert "not checked by swanctl" in summary(checked(rendered()))[0]


def verified(tmp_path, *options):
    (tmp_path / "site.toml").write_text(SITE)
    (tmp_path / "site.toml").chmod(0o600)
    return CliRunner().invoke(verify, ["-f", str(tmp_path / "site.toml"), *options])


def test_verify_shows_what_was_checked_and_what_was_not(tmp_path):
    ended = verified(tmp_path)
    assert ended.exit_code == 0, ended.output
    assert f"all gateways: {NFT}: good by nft" in ended.output
    assert f"all gateways: {SWANCTL}: good by swanctl" in ended.output
    found = json.loads(verified(tmp_path, "--json").output)["files"]
    assert {
        "gateway": "gw-bb",
        "path": NFT,
        "program": "nft",
        "outcome": "good",
        "text": "",
    } in found


def test_verify_refuses_what_a_program_refuses(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "havpn.nft.j2").write_text("table inet havpn {\n  no rule\n}\n")
    ended = verified(tmp_path, "--templates", str(tmp_path / "own"))
    assert ended.exit_code == 1
    assert f"site.toml: gw-aa:{NFT}: nft: {NFT}:3:3" in ended.output
    assert "correct what the site file puts into it, or the template" in ended.output
    assert f"{NFT}: good" not in ended.output
    assert ended.output.endswith("site.toml: 4 problems\n")
