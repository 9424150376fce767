"""What alias-arp's options accept, and what they say about the rest."""

import msgspec
import pytest
from havpn_plugins.actions._alias.netlink import FOR_EVER
from havpn_plugins.actions._alias.options import AliasArpOptions, paired

from havpn_core.config.convert import decode_hook


def options(**given):
    table = {"device": "lan", "addresses": ["10.1.255.254/16"], **given}
    return msgspec.convert(table, AliasArpOptions, dec_hook=decode_hook)


def test_defaults():
    found = options()
    assert found.refresh_s == 60.0
    assert found.lifetime_s is None
    assert found.valid_s == FOR_EVER
    assert found.conflict == "yield"
    assert not found.dad
    assert [str(i) for i in found.interfaces] == ["10.1.255.254/16"]


@pytest.mark.parametrize(
    ("written", "seconds"), [("off", None), ("5s", 5.0), (30, 30.0), ("2m", 120.0)]
)
def test_refresh(written, seconds):
    assert options(refresh=written).refresh_s == seconds


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"addresses": []}, "addresses"),
        ({"addresses": ["10.1.255.254"]}, 'prefix length, such as "10.1.255.254/24"'),
        ({"addresses": ["fe80::1%lan/64"]}, "prefix length"),
        ({"addresses": ["10.1.0.0/16"]}, "network or the broadcast"),
        ({"addresses": ["10.1.255.255/16"]}, "network or the broadcast"),
        ({"addresses": ["224.0.0.1/4"]}, "cannot be shared"),
        ({"addresses": ["::/64"]}, "cannot be shared"),
        ({"addresses": ["127.0.0.1/8"]}, "cannot be shared"),
        ({"addresses": ["somewhere"]}, 'write it as "10.1.255.254/16"'),
        ({"addresses": ["10.1.0.1/16", "10.1.0.1/24"]}, "twice"),
        ({"device": ""}, "device"),
        ({"device": "lan:0"}, "made with label"),
        ({"device": "../x"}, "no interface name"),
        ({"device": "a-name-too-long-x"}, "device"),
        ({"label": "eth0:0"}, 'write "lan:0"'),
        ({"label": "lan:0123456789ab"}, "15"),
        ({"refresh": "0s"}, 'or "off"'),
        ({"refresh": "never"}, 'or "off"'),
        ({"neighbours": ["2001:db8::1"]}, "no IPv4 address"),
        ({"lifetime": "1s"}, "at least 3s"),
        ({"lifetime": 2}, "at least 3s"),
        ({"lifetime": "soon"}, 'or "off"'),
        ({"lifetime": "200y"}, 'or "off"'),
        ({"lifetime": "99999d"}, 'or "off"'),
        ({"conflict": "fight"}, "conflict"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_by_name(given, said):
    with pytest.raises((msgspec.ValidationError, ValueError)) as problem:
        options(**given)
    assert said in str(problem.value)


def test_point_to_point_and_host_prefixes_are_fine():
    assert len(options(addresses=["10.0.0.0/31", "10.9.9.9/32", "2001:db8::/128"]).interfaces) == 3


@pytest.mark.parametrize(
    ("given", "alone_s", "paired_s"),
    [
        ({}, None, 10.0),
        ({"lifetime": "off"}, None, None),
        ({"lifetime": "30s"}, 30.0, 30.0),
        ({"lifetime": 4.5}, 4.5, 4.5),
    ],
)
def test_the_lifetime_is_ten_seconds_in_a_pair_unless_it_is_written(given, alone_s, paired_s):
    found = options(**given)
    assert found.lifetime_s == alone_s
    assert paired(found).lifetime_s == paired_s
    assert msgspec.structs.replace(paired(found), lifetime=found.lifetime) == found


def test_the_kernel_counts_whole_seconds():
    assert options(lifetime="4500ms").valid_s == 5
    assert options(lifetime="off").valid_s == FOR_EVER
