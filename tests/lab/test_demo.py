"""`havpn demo` as a user without sbin on the PATH has it."""

import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest


@pytest.mark.lab
def test_the_demo_shows_a_failover(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root: THE DEMO WAS NOT SHOWN")
    ended = subprocess.run(
        [sys.executable, "-m", "havpn_core", "demo", "-o", str(tmp_path / "demo.svg")],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "every byte intact and in order" in ended.stdout
    assert "\u25b6 10.1.255.254/16" in ended.stdout
    text = "".join(ElementTree.parse(tmp_path / "demo.svg").getroot().itertext())
    for word in ("cut", "heal", "down", "has the shared address", "gw-ab has address A"):
        assert word in text
