"""FRR's configuration of each gateway."""

import pytest

from benchmarks.compare.frr import bgp_config
from havpn_core.testing.lab.hosts import plan


def config(name, *, bfd=True, inside=False):
    return bgp_config(name, bfd=bfd, inside=inside)


@pytest.mark.parametrize("name", plan.GATEWAYS)
def test_each_session_is_configured_at_both_ends(name):
    text, gateway = config(name), plan.GATEWAYS[name]
    number = "65001" if plan.site_name(name) == "a" else "65002"
    other = "65002" if number == "65001" else "65001"
    assert f"router bgp {number}\n" in text
    assert f" neighbor {plan.GATEWAYS[gateway.far].wan.ip} remote-as {other}\n" in text
    assert f" neighbor {plan.GATEWAYS[gateway.far].wan.ip} update-source {gateway.wan.ip}\n" in text
    partner = plan.GATEWAYS[plan.partner_of(name)].lan.ip
    assert f" neighbor {partner} remote-as {number}\n" in text
    assert f"  network {plan.site_of(name).shared.network}\n" in text
    assert "\n\n" not in text


def test_one_end_of_each_session_waits_for_the_other():
    passive = {name: config(name).count(" passive\n") for name in plan.GATEWAYS}
    assert passive == {"gw-aa": 0, "gw-ab": 1, "gw-ba": 1, "gw-bb": 2}


def test_line_1_is_preferred_at_both_sites():
    preferred = {name for name in plan.GATEWAYS if "local-preference 200" in config(name)}
    assert preferred == {"gw-aa", "gw-ba"}


def test_without_bfd_nothing_of_it_is_configured():
    assert config("gw-aa").count(" bfd profile watch\n") == 2
    assert "bfd" not in config("gw-aa", bfd=False)


def test_inside_the_tunnel_the_session_is_between_addresses_of_the_lans():
    text = config("gw-aa", inside=True)
    near, far = plan.GATEWAYS["gw-aa"], plan.GATEWAYS["gw-ba"]
    assert f" neighbor {far.lan.ip} update-source {near.lan.ip}\n" in text
    assert str(far.wan.ip) not in text
