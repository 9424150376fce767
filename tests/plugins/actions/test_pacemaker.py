"""The action ``pacemaker`` where no cluster runs; see tests/lab/test_pacemaker.py for one."""

import asyncio
import logging
import time

import msgspec
import pytest
from havpn_plugins.actions._pacemaker_partner import nodes_of, turn_of, values_of
from havpn_plugins.actions.pacemaker import PacemakerOptions, build, missing

from havpn_core import ActionError, Advising, Context, Ranking, Role
from havpn_core.plugging.protocols import able


def made(**options):
    context = Context(
        instance="action.cluster",
        node="gw",
        logger=logging.getLogger("test"),
        clock=time.monotonic,
        resolve=lambda host, family: host,
        network_changes=lambda: 0,
    )
    return build(PacemakerOptions(**options), context)


@pytest.mark.parametrize("mode", ["attribute", "health", "standby"])
def test_without_a_cluster_it_says_so_and_knows_nothing(mode):
    action = made(mode=mode)
    with pytest.raises(ActionError, match=r"Pacemaker does not run|status"):
        asyncio.run(action.apply(Role.ACTIVE, 20))
    assert asyncio.run(action.observe()) is None


def test_values_that_do_not_differ():
    with pytest.raises(msgspec.ValidationError, match="two values that differ"):
        msgspec.convert({"up_value": 1, "down_value": 1}, PacemakerOptions)


def test_what_is_not_installed_is_said(monkeypatch):
    assert missing(PacemakerOptions()) == []
    monkeypatch.setenv("PATH", "/nowhere")
    assert missing(PacemakerOptions()) == ["command attrd_updater is not there"]


@pytest.mark.parametrize("mode", ["attribute", "health", "standby"])
def test_without_a_cluster_nothing_is_known_of_the_partner(mode):
    action = made(mode=mode)
    assert asyncio.run(action.partner_serves(20)) is None
    assert action.turn() is None


@pytest.mark.parametrize(("mode", "advises"), [("attribute", 1), ("health", 1), ("standby", 0)])
def test_only_a_node_in_standby_surely_gives_its_addresses_up(mode, advises):
    """A rule on an attribute, or a health strategy, may keep them where no other node is better."""
    assert able(made(mode=mode), Advising) == bool(advises)
    assert not advises or made(mode=mode).advises() is True


ALL = """name="havpn-vpn" host="gw-aa" value="1"
name="havpn-vpn" host="gw-ab" value="0"
name="havpn-vpn" host="gw-ac"
"""


def test_the_values_of_all_nodes():
    assert values_of(ALL) == {"gw-aa": "1", "gw-ab": "0"}
    assert values_of("") == values_of("Could not query value") == {}


@pytest.mark.parametrize(
    ("own", "text", "role"),
    [
        ("gw-aa", ALL, Role.ACTIVE),
        ("gw-ab", ALL, Role.STANDBY),
        ("gw-ac", ALL, None),
        ("gw-ad", 'name="havpn" host="gw-aa" value="1"', None),
        ("gw-aa", 'name="havpn" host="gw-aa" value="0"', Role.STANDBY),
        ("", 'name="havpn" host="gw-aa" value="0"', Role.STANDBY),
        ("", 'name="havpn" value="1"', Role.ACTIVE),
        ("gw-aa", 'name="havpn" value="1"', Role.ACTIVE),
        ("", ALL, None),
        ("gw-aa", 'name="havpn" host="gw-aa" value="strange"', None),
        ("gw-aa", "", None),
    ],
)
def test_the_role_is_that_of_the_own_node(tmp_path, monkeypatch, own, text, role):
    for name, said in (("crm_node", own), ("attrd_updater", text)):
        (tmp_path / "said").mkdir(exist_ok=True)
        (tmp_path / "said" / name).write_text(said)
        script = tmp_path / name
        script.write_text(f"#!/bin/sh\nexec cat {tmp_path}/said/{name}\n")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert asyncio.run(made().observe()) is role


STATES = """<nodes>
<node name="gw-aa" id="1" online="true" standby="false" maintenance="false" pending="false"/>
<node name="gw-ab" id="2" online="true" standby="true" maintenance="false"/>
<node name="gw-ac" id="3" online="false" standby="false"/>
<node name="gw-ad" id="4" online="true" standby="false" maintenance="true"/>
<node name="gw-ae" id="5" online="true" unclean="true"/>
<node name="gw-af" id="6" online="true" pending="true"/>
<node name="gw-ag" id="7" online="true" shutdown="true"/>
<node name="gw-ah" id="8" online="true" standby_onfail="true"/>
</nodes>
<node_attributes><node name="gw-aa"><attribute name="havpn-vpn" value="1"/></node></node_attributes>
"""


def test_the_nodes_that_may_have_resources():
    assert [name for name, may in nodes_of(STATES).items() if may] == ["gw-aa"]
    assert len(nodes_of(STATES)) == 8


@pytest.mark.parametrize(
    ("own", "serving", "preferred", "expected"),
    [
        ("gw-aa", ["gw-ab"], "", 0),
        ("gw-ab", ["gw-aa"], "", 1),
        ("gw-ab", ["gw-aa"], "gw-ab", 0),
        ("gw-aa", ["gw-ab"], "gw-ab", 1),
        ("gw-ab", ["gw-aa", "gw-ab", "gw-ac"], "", 1),
        ("gw-ac", ["gw-aa", "gw-ab"], "gw-ab", 2),
        ("gw-aa", ["gw-aa"], "gw-ab", 0),
    ],
)
def test_whose_turn_it_is(own, serving, preferred, expected):
    assert turn_of(own, serving, preferred) == expected


@pytest.mark.parametrize(("mode", "ranks"), [("attribute", 1), ("health", 0), ("standby", 0)])
def test_only_an_attribute_has_a_score_beside_it(mode, ranks):
    assert able(made(mode=mode), Ranking) == bool(ranks)


def test_the_score_is_written_beside_the_attribute(tmp_path, monkeypatch):
    script = tmp_path / "attrd_updater"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{tmp_path}/said\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    action = made(attribute="havpn-vpn", dampen=2)
    assert action.facts() == {"score": None}
    asyncio.run(action.rank(120, 5))
    asyncio.run(action.apply(Role.STANDBY, 5))
    assert (tmp_path / "said").read_text().splitlines() == [
        "-n havpn-vpn-score -B 120 -d 2",
        "-n havpn-vpn -B 0 -d 2",
    ]
    assert action.facts() == {"score": 120}
    script.write_text("#!/bin/sh\nexit 102\n")
    with pytest.raises(ActionError, match="Pacemaker does not run"):
        asyncio.run(action.rank(60, 5))
    assert action.facts() == {"score": 120}
