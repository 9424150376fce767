"""What docs/pacemaker.md promises of a rule on the score, by Pacemaker's own scheduler."""

import pytest

from havpn_core.pair.lines.score import GOOD, LEAST
from tests.ocf.test_policies import DOC, Cluster, block, by_both_shells

pytestmark = pytest.mark.lab
COLUMNS = ("score-auto", "score-manual")
UP, A_DEAD, B_DEAD, DEAD = (1, 1), (0, 1), (1, 0), (0, 0)
ROWS = {
    "A loses 20 % each way (80)": [(UP, 80, GOOD)],
    "A is four steps below (120)": [(UP, 120, GOOD)],
    "A is three steps below (140)": [(UP, 140, GOOD)],
    "both lose as much (80)": [(UP, 80, 80)],
    "B is on the lowest step (60)": [(UP, GOOD, LEAST)],
    "A was four steps below, is good again": [(UP, 120, GOOD), (UP, GOOD, GOOD)],
    "A was four steps below, is two below": [(UP, 120, GOOD), (UP, 160, GOOD)],
    "A was four steps below, then B is four below": [(UP, 120, GOOD), (UP, GOOD, 120)],
    "A is on the lowest step, B's line dies": [(UP, GOOD, GOOD), (B_DEAD, LEAST, 0)],
    "A was four steps below, then B's line dies": [(UP, 120, GOOD), (B_DEAD, 120, 0)],
    "both lines die, after A was on the lowest step": [(UP, LEAST, GOOD), (DEAD, 0, 0)],
    "only B has a score": [(UP, None, GOOD)],
    "neither has a score": [(UP, None, None)],
}


def promised(row, column):
    line = next(each for each in DOC.splitlines() if each.startswith(f"| {row} |"))
    cell = [each.strip() for each in line.strip("|").split("|")][1 + COLUMNS.index(column)]
    return {"A": "gw-aa", "B": "gw-ab"}[cell]


def configure(cluster, shell, column):
    """Load the soft rules with failback, and what is to be added or written in their place."""
    first, added = block(shell, "soft-auto"), block(shell, column)
    kept = [line for line in first.splitlines() if "stickiness" not in line]
    if "prefer" in added:
        kept = [line for line in kept if "prefer" not in line]
    getattr(cluster, shell)("\n".join(kept) + "\n" + added)
    cluster.run("crm_verify", "--xml-file", "/run/policy.xml")
    return cluster.host.read("/run/policy.xml")


@pytest.mark.parametrize(("column", "shell"), list(by_both_shells(COLUMNS)))
def test_each_cell_of_the_table(the_node, shell, column):
    configured, wrong = configure(Cluster(the_node), shell, column), []
    for row, history in ROWS.items():
        cluster = Cluster(the_node)
        the_node.host.write("/run/policy.xml", configured)
        cluster.attributes(1, 1, (GOOD, GOOD))
        assert cluster.settle() == "gw-aa"
        for (a, b), *scores in history:
            cluster.attributes(a, b, scores)
            where = cluster.settle()
        if where != promised(row, column):
            wrong.append(f"{row}: {where}, not {promised(row, column)}")
    assert not wrong
