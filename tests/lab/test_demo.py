"""`havpn demo` as a user without sbin on the PATH has it: the figure, and a site of one's own."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

OWN = Path(__file__).parents[1] / "testing" / "own_site.toml"
pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(170),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: THE DEMO WAS NOT SHOWN"),
]


def shown(tmp_path, *options):
    """Run the demo; gives what it printed, and the words of its timeline."""
    ended = subprocess.run(
        [sys.executable, "-m", "havpn_core", "demo", "-o", str(tmp_path / "demo.svg"), *options],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", "COLUMNS": "160"},
        capture_output=True, text=True, check=False, timeout=160,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "every byte intact and in order" in ended.stdout
    return ended.stdout, "".join(ElementTree.parse(tmp_path / "demo.svg").getroot().itertext())


def test_the_demo_shows_a_failover(tmp_path):
    said, drawn = shown(tmp_path)
    assert "\u25b6 10.1.255.254/16" in said
    for word in ("cut", "heal", "down", "has the shared address", "gw-ab has address A"):
        assert word in drawn


def outage_s(said):
    """Give the longest outage of any network's users at the cut, in seconds."""
    (line,) = (each for each in said.splitlines() if each.startswith("client's outage at the cut"))
    return float(line.split()[-2])


def test_a_site_of_ones_own_is_rehearsed_with_all_its_networks(tmp_path):
    said, drawn = shown(tmp_path, "-f", str(OWN))
    assert "in place of /dev/ttyS1" in said
    assert "Stadtwerke & S\u00f6hne" in said
    assert 0 < outage_s(said) < 1.5
    for network in ("192.168.40.0/24", "2001:db8:b:40::/64", "172.20.0.0/22"):
        assert f"{network} to far" in drawn
    for word in ("cut", "heal", "lost", "verdict of fw-berlin-east"):
        assert word in drawn
    for address in ("192.168.40.1", "2001:db8:b:40::1"):
        assert f"gateway-berlin-west-02 has {address}" in drawn


@pytest.mark.parametrize("mode", ["heartbeat", "pacemaker"])
def test_a_cluster_of_ones_own_is_rehearsed_by_itself(tmp_path, mode):
    text = OWN.read_text(encoding="utf-8").replace(
        "[site.wien]\n", f'[site.wien]\nmode = "{mode}"\n'
    )
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    said, _ = shown(tmp_path, "-f", str(tmp_path / "site.toml"))
    assert "PAIR" not in said
    assert 0 < outage_s(said) < 15
