"""The contract of a renderer, and what the message says."""

import havpn_motd

from havpn_core.testing import check_renderer_type, options, plugin_type
from havpn_core.testing.rendered import sites

TYPE = plugin_type(havpn_motd, "renderer", "motd")


def test_contract():
    check_renderer_type(
        TYPE, config={"contact": "noc@example.com"}, hostile=[{"path": "motd"}, {"contact": 1}]
    )


def test_partner_and_lines_are_named():
    model = next(iter(sites()))
    [file] = TYPE.build(options(TYPE, {"contact": "noc"}), None).files(model, "gw-aa")
    assert file.path == "/etc/motd.d/havpn"
    assert "partner: gw-ab\n" in file.text
    assert "line vpn1-b (vpn1-b): to gw-ba\n" in file.text
    assert file.text.endswith("contact: noc\n")
