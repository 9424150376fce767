"""What a reload says that it changed: new, changed and gone parts of a configuration."""

import pytest

from havpn_core.config.read import load
from havpn_core.daemon.building.built import Built, difference

BASE = """
[node]
name = "gw"
[path.vpn1]
[path.vpn1.probe.echo]
type = "icmp"
host = "192.0.2.6"
[notifier.log]
type = "syslog"
"""
SECOND = """
[path.vpn2]
[path.vpn2.probe.echo]
type = "icmp"
host = "192.0.2.7"
"""
RESPOND = """
[respond]
listen = ["192.0.2.2:7"]
allow = ["192.0.2.6/32"]
"""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (BASE, BASE, ""),
        (BASE, BASE + SECOND, "new: path vpn2"),
        (BASE + SECOND, BASE, "gone: path vpn2"),
        (BASE, BASE.replace("192.0.2.6", "192.0.2.9"), "changed: path vpn1"),
        (BASE, BASE + RESPOND, "new: respond"),
        (BASE + RESPOND, BASE + RESPOND.replace(":7", ":9"), "changed: respond"),
        (BASE, BASE.replace('"gw"', '"gw"\non_stop = "release"'), "changed: node"),
        (
            BASE + SECOND,
            BASE.replace("[notifier.log]", "[notifier.other]").replace("[path.vpn1]\n",
                         '[path.vpn1]\ninterval = "2s"\n') + RESPOND,
            "new: notifier.other, respond; changed: path vpn1; gone: path vpn2, notifier.log",
        ),
    ],
)  # fmt: skip
def test_the_difference_is_named(tmp_path, before, after, said):
    configs = []
    for text in (before, after):
        (tmp_path / "havpn.toml").write_text(text)
        configs.append(load(tmp_path / "havpn.toml")[0])
    assert difference(*configs, Built()) == said


def test_what_was_built_anew_has_changed_whatever_the_file_says(tmp_path):
    (tmp_path / "havpn.toml").write_text(BASE)
    config = load(tmp_path / "havpn.toml")[0]
    built = Built(paths={"vpn1": {}}, instances={"notifier.log": None})
    assert difference(config, config, built) == "changed: path vpn1, notifier.log"
