"""Whatever stands in a site file, it is read to its end, and mistakes do not hide each other."""

import copy
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from havpn_core.site.verified import verified
from tests.site.verify.mutations import MISTAKES
from tests.site.verify.variations import figure, good

CALM = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TEXTS = st.sampled_from(
    ["", "x", " ", "\0", "é" * 40, "10.1.0.1", "10.1.0.0/16", "2001:db8::/32", "fe80::1%eth0",
     "dynamic", "auto", "1/100h", "10ms", "..", "gw-aa", "192.0.2.2"]
)  # fmt: skip
SCALARS = st.one_of(
    TEXTS, st.integers(-2, 70000), st.booleans(), st.just(10**400), st.floats(), st.text(max_size=9)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TEXTS | st.sampled_from(["type", "host", "path", "lan"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


def places(table, way=()):
    """Give the way to each key."""
    for key, value in table.items():
        yield (*way, key)
        if isinstance(value, dict):
            yield from places(value, (*way, key))


@settings(CALM, max_examples=60)
@given(st.integers(0, 10_000), st.lists(st.tuples(st.integers(0), VALUES), min_size=1, max_size=3))
def test_no_file_is_a_traceback(seed, changes):
    raw = good(random.Random(seed))
    raw.setdefault("havpn", {"path": {"vpn1": {"fall": 3}}, "pair": {"link": {"lan": {}}}})
    for number, value in changes:
        ways = list(places(raw))
        way = ways[number % len(ways)]
        table = raw
        for part in way[:-1]:
            table = table[part]
        table[way[-1]] = copy.deepcopy(value)
    found = verified(raw)
    assert all(problem.key and problem.text and problem.remedy for problem in found.problems)
    assert found.problems or len(found.configs) == len(found.model.gateways)


@settings(CALM, max_examples=40)
@given(st.integers(0, 10_000), st.lists(st.sampled_from(sorted(MISTAKES)), min_size=2, max_size=3))
def test_several_mistakes_make_no_good_file(seed, kinds):
    chance = random.Random(seed)
    raw = figure() | {"tunnel": {}}
    for kind in kinds:
        try:
            MISTAKES[kind](raw, chance)
        except (LookupError, TypeError, ValueError, AttributeError, StopIteration):
            continue  # what the one before has spoilt cannot be spoilt again
    if raw != figure() | {"tunnel": {}}:
        assert verified(raw).problems
