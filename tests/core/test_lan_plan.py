"""What of the LAN is watched follows from [lan], or from the actions that own addresses."""

from ipaddress import ip_address

import pytest

from havpn_core.config.lan import LanPlan, plan_of
from havpn_core.config.read import load
from havpn_core.errors import ConfigError

PATH = """
[node]
name = "gw"
[path.vpn1]
[path.vpn1.probe.echo]
type = "udp-echo"
host = "192.0.2.1"
"""
ALIAS = """
[action.gateway]
type = "alias-arp"
device = "lan"
addresses = ["10.1.255.254/16", "2001:db8::fe/64"]
"""
SECOND = """
[action.second]
type = "alias-arp"
device = "dmz"
addresses = ["10.2.255.254/16"]
"""
EXEC = '[action.other]\ntype = "exec"\nactive = ["true"]\nstandby = ["true"]\n'


def config(folder, text):
    file = folder / "havpn.toml"
    file.write_text(PATH + text)
    file.chmod(0o600)
    return load(file)[0]


SHARED = tuple(map(ip_address, ("10.1.255.254", "2001:db8::fe")))


def test_an_old_file_watches_carrier_and_forwarding_of_what_it_owns(tmp_path):
    plan = plan_of(config(tmp_path, ALIAS))
    assert plan == LanPlan(("lan",), ("IPv4", "IPv6"), shared=SHARED)
    assert not plan.probes
    two = plan_of(config(tmp_path, ALIAS + SECOND))
    assert two.devices == ("lan", "dmz")


def test_an_old_file_without_owned_addresses_watches_nothing(tmp_path):
    assert plan_of(config(tmp_path, EXEC)) == LanPlan()
    assert plan_of(config(tmp_path, "")) == LanPlan()


def test_forwarding_of_the_families_that_are_shared_only(tmp_path):
    assert plan_of(config(tmp_path, SECOND)).families == ("IPv4",)
    off = plan_of(config(tmp_path, ALIAS + "[lan]\nforwarding = false\n"))
    assert off.families == ()
    assert off.devices == ("lan",)


def test_the_table_says_what_else_is_watched(tmp_path):
    plan = plan_of(
        config(
            tmp_path,
            ALIAS + '[lan]\naddress = "10.1.255.252/16"\nrequire = 2\n'
            'witnesses = ["10.1.0.10", "10.1.0.11", "10.1.0.10"]\n',
        )
    )
    assert plan.address == ip_address("10.1.255.252")
    assert plan.witnesses == (ip_address("10.1.0.10"), ip_address("10.1.0.11"))
    assert (plan.require, plan.auto, plan.probes) == (2, False, True)


def test_found_witnesses_and_a_device_of_its_own(tmp_path):
    plan = plan_of(config(tmp_path, EXEC + '[lan]\ndevice = "lan"\nwitnesses = "auto"\n'))
    assert plan == LanPlan(("lan",), ("IPv4",), auto=True)
    assert plan.probes


def test_the_families_follow_from_the_own_address_where_nothing_is_shared(tmp_path):
    text = '[lan]\ndevice = "lan"\naddress = "2001:db8::1"\n'
    assert plan_of(config(tmp_path, EXEC + text)).families == ("IPv6",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (EXEC + '[lan]\nwitnesses = "auto"\n', 'lan.device: .* write as device = "lan"'),
        (EXEC + '[lan]\naddress = "10.1.0.1"\n', "lan.device: "),
        (ALIAS + '[lan]\nwitnesses = ["10.1.255.254"]\n', "lan.witnesses: 10.1.255.254 is shared"),
        (
            ALIAS + '[lan]\naddress = "10.1.0.1"\nwitnesses = ["10.1.0.1"]\n',
            "lan.witnesses: 10.1.0.1 is this gateway's own",
        ),
        (ALIAS + '[lan]\naddress = "10.1.255.254"\n', "lan.address: 10.1.255.254 is shared"),
        (ALIAS + '[lan]\naddress = "gateway"\n', "address: 'gateway' is no address"),
        (ALIAS + '[lan]\nwitnesses = ["10.1.0.10"]\nrequire = 2\n', "can never reply"),
    ],
)
def test_what_is_impossible_is_refused_with_its_key(tmp_path, text, why):
    with pytest.raises(ConfigError, match=why):
        config(tmp_path, text)
