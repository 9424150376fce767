"""Mistakes are found before anything is rendered, each with its key and a remedy."""

import copy
import random

import pytest

from havpn_core.site.verified import verified
from tests.site.verify.mutations import MISTAKES
from tests.site.verify.variations import figure, good

KINDS = sorted(MISTAKES)
BASES = 4


def spoilt(kind, chance):
    """Spoil one of several good files so; the figure where the others have nothing to spoil."""
    for _ in range(20):
        raw = good(chance)
        key = MISTAKES[kind](raw, chance)
        if key is not None:
            return raw, key
    raw = figure() | {"tunnel": {}}
    return raw, MISTAKES[kind](raw, chance)


def test_there_are_many_kinds_of_mistakes():
    assert len(KINDS) >= 60


@pytest.mark.parametrize("kind", KINDS)
def test_each_mistake_is_found(kind):
    for seed in range(BASES):
        raw, key = spoilt(kind, random.Random(f"{kind} {seed}"))
        assert key is not None, kind
        found = verified(copy.deepcopy(raw)).problems
        assert [p for p in found if key in p.key], (seed, key, list(map(str, found)), raw)
        assert all(p.text and p.remedy for p in found)
