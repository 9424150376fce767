"""What is written as TOML is read as the same."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.site.rendering.toml import toml_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = TEXTS | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False)
INLINE = st.recursive(
    PLAIN, lambda each: st.lists(each, max_size=3) | st.dictionaries(TEXTS, each, max_size=3)
)
TABLES = st.dictionaries(TEXTS, INLINE | st.dates() | st.times(), max_size=5)


@given(TABLES)
def test_every_table_survives(tables):
    assert tomllib.loads(toml_of(tables)) == tables


def test_tables_stand_in_their_order_and_empty_ones_are_there():
    text = toml_of({"b": {"x": 1, "c": {}, "a": {"y": "é"}}, "a key": {"z": [{"k": True}]}})
    assert text == ('[b]\nx = 1\n\n[b.c]\n\n[b.a]\ny = "é"\n\n["a key"]\nz = [{ k = true }]\n')


def test_what_toml_has_no_word_for():
    with pytest.raises(ValueError, match="None cannot be written as TOML"):
        toml_of({"a": None})
