"""Nothing is wrong with a good site file, however it looks."""

import random

import pytest

from havpn_core.site.verified import verified
from tests.site.verify.variations import figure, good


def said(raw):
    return [str(problem) for problem in verified(raw).problems]


def test_the_figure_of_the_article_is_good():
    found = verified(figure())
    assert (found.problems, found.cautions) == ([], [])
    assert list(found.configs) == ["gw-aa", "gw-ab", "gw-ba", "gw-bb"]


@pytest.mark.parametrize("seed", range(200))
def test_a_good_variation_is_not_refused(seed):
    raw = good(random.Random(seed))
    assert said(raw) == [], raw


def test_the_variations_differ():
    texts = {repr(good(random.Random(seed))) for seed in range(200)}
    assert len(texts) > 190
