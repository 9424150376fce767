"""The plan of a lab follows from a site file: the article's figure, and somebody's own network."""

import copy
import tomllib
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from types import SimpleNamespace

import pytest

from havpn_core.errors import ConfigError
from havpn_core.site.model.options import Mode
from havpn_core.site.reading import model_of
from havpn_core.site.rendering.havpn import tables_of
from havpn_core.site.verified import verified
from havpn_core.testing.lab.daemons.rendered import KEY, files_of
from havpn_core.testing.lab.gateways import gateway_config, pair_config
from havpn_core.testing.lab.hosts import plan, routes
from havpn_core.testing.lab.hosts.places import Direction
from havpn_core.testing.lab.hosts.planning import plan_of
from havpn_core.testing.lab.pacemaker import Clusters

OWN = Path(__file__).parent / "own_site.toml"
FILE = "/etc/havpn/havpn.toml"


@pytest.fixture
def tables():
    return tomllib.loads(OWN.read_text(encoding="utf-8"))


@pytest.fixture
def own(tables):
    return plan_of(model_of(tables))


def test_the_figure_is_what_the_article_shows():
    assert list(plan.GATEWAYS) == ["gw-aa", "gw-ab", "gw-ba", "gw-bb"]
    aa, bb = plan.GATEWAYS["gw-aa"], plan.GATEWAYS["gw-bb"]
    assert (str(aa.lan), str(aa.wan), str(aa.router)) == (
        "10.1.255.252/16", "192.0.2.2/30", "192.0.2.1/30",
    )  # fmt: skip
    assert (str(bb.wan), str(bb.router)) == ("198.51.100.6/30", "198.51.100.5/30")
    assert (aa.provider, aa.side, aa.far) == ("provider-1", Direction.A_TO_B, "gw-ba")
    assert (bb.provider, bb.side, bb.far) == ("provider-2", Direction.B_TO_A, "gw-ab")
    assert str(plan.SITE_A.end_address) == "10.1.0.10/16"
    assert str(plan.SITE_B.second_address) == "10.31.0.11/24"
    assert [str(site.shared) for site in plan.SITES.values()] == [
        "10.1.255.254/16", "10.31.0.254/24",
    ]  # fmt: skip
    assert plan.HOSTS[:4] == ("client", "server", "client-2", "server-2")
    assert not plan.FIGURE.ipv6
    assert verified(plan.TABLES).problems == []
    assert routes.gateway_routes(plan.FIGURE, "gw-aa", clear=False) == [
        "192.0.2.6 via 192.0.2.1 dev wan"
    ]


def test_every_network_of_both_sites_has_somebody_who_uses_it(own):
    flows = list(own.flows())
    for number, site in enumerate((own.near, own.far)):
        assert {flow[number].network for flow in flows} == set(site.networks)
    assert all(near.version == far.version for near, far in flows)


def test_no_address_is_given_twice(own):
    for site in own.sites.values():
        lans = [each.ip for gateway in site.gateways for each in gateway.lans]
        ends = [ip_interface(a).ip for host in (site.end_host, site.second_host)
                for a, _ in routes.end_host_addresses(site, host)]  # fmt: skip
        every = [*lans, *ends, *(vip.ip for vip in site.vips)]
        assert len(set(every)) == len(every)
    berlin = own.sites["berlin"]
    witnesses = routes.end_host_addresses(berlin, berlin.second_host)[1:]
    assert [each for each, _ in witnesses] == ["192.168.40.10/24", "192.168.40.21/24"]


def test_no_two_hosts_have_one_name(own):
    assert len(set(own.hosts)) == len(own.hosts) == 12
    assert own.near.end_host != "client", "a gateway has that name"


def test_each_gateway_has_a_way_to_all_that_the_far_site_has(own):
    for name, gateway in own.gateways.items():
        found = [each.split() for each in routes.gateway_routes(own, name, clear=True)]
        to = [ip_network(words[0]) for words in found]
        far = own.gateways[gateway.far].wan.ip
        assert ip_network(far) in to
        assert set(own.far_site(name).networks) <= set(to)
        device = {words[-1] for words in found if ip_network(words[0]).overlaps(ip_network(far))}
        assert device == {gateway.wan_device}


def test_a_next_hop_is_of_the_family_of_what_goes_there_or_is_of_the_link(own):
    for name in own.gateways:
        for ways in (routes.gateway_routes, routes.port_routes):
            for route in ways(own, name, clear=True):
                to, *words = route.split()
                if "via" not in words:
                    continue
                hop = ip_address(words[words.index("dev") - 1])
                same = hop.version == ip_network(to).version
                assert same or ("inet6" in words and hop.is_link_local), route


def test_ends_in_one_network_do_not_take_each_other_for_a_neighbour(own):
    near, far = own.gateways["gateway-berlin-west-02"], own.gateways["prater"]
    assert far.wan.ip not in near.wan.network
    assert near.router.ip not in (near.wan.ip, far.wan.ip)


def test_an_end_without_an_address_gets_one_that_nobody_has(tables):
    ends = tables["line"]["dsl"]["ends"]
    ends["prater"] = "dynamic"
    ends["gateway-berlin-west-02"] = "west.example"
    found = plan_of(model_of(tables))
    dynamic, named = found.gateways["prater"].wan.ip, found.gateways["gateway-berlin-west-02"]
    assert routes.known_names(found) == f"{named.wan.ip} west.example\n"
    assert dynamic != named.wan.ip
    networks = [network for site in found.sites.values() for network in site.networks]
    assert not any(dynamic in network for network in networks)


def test_what_is_no_network_of_two_sites_is_refused_with_a_remedy(tables):
    three = copy.deepcopy(tables)
    three["site"]["linz"] = {
        "networks": ["10.9.0.0/24"],
        "vips": ["10.9.0.1"],
        "gateways": {"linz-1": "10.9.0.2", "linz-2": "10.9.0.3"},
    }
    with pytest.raises(ConfigError, match="built of two sites, and not of 3: leave two"):
        plan_of(model_of(three))
    full = copy.deepcopy(tables)
    full["site"]["wien"] |= {"networks": ["10.77.0.0/30", "2001:db8:a:77::/64"]}
    with pytest.raises(ConfigError, match=r"site\.wien\.networks: no address of 10\.77\.0\.0/30"):
        plan_of(model_of(full))
    del tables["line"]["dsl"]
    with pytest.raises(ConfigError, match="built of two lines, and not of 1"):
        plan_of(model_of(tables))


def changed(before, after, where=()):
    """Give the places where tables differ, as far in as tables go."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            yield from changed(before.get(key), after.get(key), (*where, key))
    elif before != after:
        yield ".".join(where)


@pytest.mark.parametrize("name", list(plan.GATEWAYS))
def test_a_pair_in_the_lab_runs_what_is_rendered_but_for_its_pace(name):
    rendered = tomllib.loads(files_of(plan.FIGURE)[name][FILE])
    run = tomllib.loads(pair_config(name, stream=True))
    assert set(changed(rendered, run)) == {
        "path.line.rise", "path.line.damping", "respond.listen", "respond.allow", "notifier",
    }  # fmt: skip


def test_what_a_test_adds_lies_over_what_is_rendered():
    text = pair_config(
        "gw-aa",
        dead="1s",
        pair="better_line = false",
        action='lifetime = "3s"',
        more="[metrics]\n",
        around=lambda name: f'[lan]\nwitnesses = ["{name}"]\n',
        tunnel=False,
    )
    tables = tomllib.loads(text)
    assert tables["pair"] | {"dead": "1s", "better_line": False} == tables["pair"]
    assert tables["action"]["gateway"]["lifetime"] == "3s"
    assert tables["action"]["gateway"]["addresses"] == ["10.1.255.254/16"]
    assert tables["lan"] == {"device": "lan", "address": "10.1.255.252", "witnesses": ["gw-aa"]}
    assert "metrics" in tables
    assert list(tables["path"]["line"]["probe"]) == ["line"]
    heart = tomllib.loads(gateway_config("gw-bb", path='carrier = ["wan", "lan"]'))
    assert heart["path"]["line"]["carrier"] == ["wan", "lan"]
    assert heart["action"]["gateway"] == {"type": "heartbeat"}
    assert "pair" not in heart


def test_a_cluster_in_the_lab_runs_what_is_rendered_but_for_its_pace():
    rendered = files_of(plan.FIGURE, Mode.PACEMAKER)["gw-ba"]
    clusters = Clusters(SimpleNamespace(plan=plan.FIGURE), monitor="1s", params="binary=/x")
    block = rendered["/etc/havpn/cluster.crm"].replace("\\\n", " ").split()
    run = clusters.block("b").split()
    assert [word for word in run if word not in block] == ["binary=/x", "interval=1s"]
    assert [word for word in block[block.index("primitive"):] if word not in run] == [
        "interval=5s"
    ]  # fmt: skip
    own = tomllib.loads(clusters.config("gw-ba"))
    assert set(changed(tomllib.loads(rendered[FILE]), own)) == {
        "path.vpn.rise", "path.vpn.damping", "path.vpn.probe.line.type",
        "path.vpn.probe.line.device", "path.vpn.probe.line.source",
        "path.vpn.probe.line.key_file", "respond.listen", "respond.allow", "notifier",
    }  # fmt: skip
    other = Clusters(SimpleNamespace(plan=plan.FIGURE), watch="\nclone {node2} {far2}\n")
    assert other.block("b").endswith("clone gw-bb 198.51.100.2\n")
    assert "havpn" not in other.block("b")


def test_both_ends_have_the_same_secrets(own):
    texts = [text for each in files_of(own).values() for text in each.values()]
    assert not any("{{secret" in text for text in texts)
    assert sum(KEY in text for text in texts) >= 4 * 3
    assert tables_of(own.model, "prater") == tomllib.loads(files_of(own)["prater"][FILE])
