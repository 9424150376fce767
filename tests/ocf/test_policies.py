"""What docs/pacemaker.md promises of each configuration, by Pacemaker's own scheduler.

Its blocks are loaded as they stand, through crmsh and through pcs, in a host of their own (both
shells look for the agent's meta-data).
"""

import functools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.ocf.conftest import PLACE

pytestmark = pytest.mark.lab
DOC = (Path(__file__).parents[2] / "docs" / "pacemaker.md").read_text()
NODES = {"gw-aa": "1", "gw-ab": "2"}
EMPTY = """<cib epoch="1" num_updates="0" admin_epoch="0" validate-with="pacemaker-3.0"
 crm_feature_set="3.16.0" have-quorum="1" dc-uuid="1">
<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="s" name="stonith-enabled" value="false"/>
</cluster_property_set></crm_config>
<nodes><node id="1" uname="gw-aa"/><node id="2" uname="gw-ab"/></nodes>
<resources/><constraints/></configuration><status/></cib>"""
COLUMNS = ("soft-auto", "soft-manual", "hard-auto", "hard-manual")
ROWS = {
    "A's line dies": [(0, 1)],
    "A's line is back": [(0, 1), (1, 1)],
    "B's line dies": [(1, 0)],
    "both lines die": [(0, 0)],
    "both are dead, B's is back": [(0, 0), (0, 1)],
    "A's attribute is not set (supervisor dead)": [(None, 1)],
}


def block(shell, name):
    return re.search(rf"```{shell} {name}\n(.*?)```", DOC, re.S)[1]


def promised(row, column):
    line = next(each for each in DOC.splitlines() if each.startswith(f"| {row} |"))
    cell = [each.strip() for each in line.strip("|").split("|")][1 + COLUMNS.index(column)]
    return {"A": "gw-aa", "B": "gw-ab", "nowhere": None}[cell]


class Cluster:
    """A configuration without daemons, in a file of the host."""

    def __init__(self, node):
        self.host = node.host
        self.host.write("/run/policy.xml", EMPTY)

    def run(self, *argv, text=None):
        env = {**PLACE, "CIB_file": "/run/policy.xml", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        return self.host.run(*argv, timeout=60, input=text, env=env).stdout

    def crmsh(self, text):
        self.host.write("/run/policy.crm", text)
        self.run("crm", "-F", "configure", "load", "update", "/run/policy.crm")

    def pcs(self, text):
        for line in text.strip().splitlines():
            self.run("sh", "-c", line.replace("pcs ", "pcs -f /run/policy.xml ", 1))

    def configure(self, shell, column):
        load = getattr(self, shell)
        first = block(shell, "soft-auto")
        if column.startswith("hard"):
            rule = [line for line in first.splitlines() if "1000" in line]
            assert len(rule) == 1
            first = first.replace(rule[0], block(shell, "hard-auto").strip())
        if column.endswith("manual"):
            default = [line for line in first.splitlines() if "stickiness=0" in line]
            first = first.replace(default[0], block(shell, "soft-manual").strip())
        load(first)
        self.run("crm_verify", "--xml-file", "/run/policy.xml")

    def attributes(self, a, b, scores=(None, None)):
        tree = ET.fromstring(self.host.read("/run/policy.xml"))
        status = tree.find("status")
        for name, value, score in zip(NODES, (a, b), scores, strict=True):
            state = next((s for s in status if s.get("uname") == name), None)
            if state is None:
                state = ET.SubElement(
                    status, "node_state", id=NODES[name], uname=name, in_ccm="true", crmd="online",
                    join="member", expected="member",
                )  # fmt: skip
            for old in state.findall("transient_attributes"):
                state.remove(old)
            holder = ET.SubElement(state, "transient_attributes", id=NODES[name])
            inner = ET.SubElement(holder, "instance_attributes", id=f"status-{NODES[name]}")
            if value is not None:
                ET.SubElement(
                    inner, "nvpair", id=f"n{NODES[name]}", name="havpn-vpn", value=str(value)
                )
            if score is not None:
                ET.SubElement(
                    inner, "nvpair", id=f"s{NODES[name]}", name="havpn-vpn-score", value=str(score)
                )
        self.host.write("/run/policy.xml", ET.tostring(tree, encoding="unicode"))

    def settle(self):
        """Let the scheduler act until it rests; gives where the address is."""
        argv = ("crm_simulate", "-x", "/run/policy.xml", "-S", "-O", "/run/policy.out")
        self.run(*argv)
        self.run("cp", "/run/policy.out", "/run/policy.xml")
        shown = ET.fromstring(
            self.run("crm_mon", "--output-as=xml", "-1", "--resource", "gateway-ip")
        )
        found = shown.findall(".//resource[@id='gateway-ip']")
        homes = {n.get("name") for r in found if r.get("active") == "true" for n in r.iter("node")}
        assert len(homes) <= 1
        return homes.pop() if homes else None


@pytest.fixture(scope="module")
def configured(the_node):
    """Give a configuration of the document, each loaded once."""

    @functools.cache
    def load(shell, column):
        cluster = Cluster(the_node)
        cluster.configure(shell, column)
        return cluster.host.read("/run/policy.xml")

    return load


def by_both_shells(columns):
    """Give each column by the one shell or the other in turn, and by the other one as more."""
    for count, column in enumerate(columns):
        for shell, turn in (("crmsh", 0), ("pcs", 1)):
            marks = [pytest.mark.more] if count % 2 != turn else []
            yield pytest.param(column, shell, marks=marks)


@pytest.mark.parametrize(("column", "shell"), list(by_both_shells(COLUMNS)))
def test_each_cell_of_the_table(the_node, configured, shell, column):
    wrong = []
    for row, history in ROWS.items():
        cluster = Cluster(the_node)
        the_node.host.write("/run/policy.xml", configured(shell, column))
        cluster.attributes(1, 1)
        assert cluster.settle() == "gw-aa"
        for a, b in history:
            cluster.attributes(a, b)
            where = cluster.settle()
        if where != promised(row, column):
            wrong.append(f"{row}: {where}, not {promised(row, column)}")
    assert not wrong
