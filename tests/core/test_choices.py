"""A word that an option may not have: the error lists those that it may."""

from enum import Enum
from typing import Annotated, Literal

import msgspec
import pytest

from havpn_core.config.choices import choices, listed, suggestion
from havpn_core.config.convert import struct_of
from havpn_core.errors import ConfigError


class Way(Enum):
    AUTO = "auto"
    DELAY = "delay"


Word = Literal["line", "tunnel"]


class Options(msgspec.Struct, kw_only=True):
    way: Way = Way.AUTO
    maybe: Annotated[Word | None, msgspec.Meta(description="...")] = None
    many: list[Word] = []
    count: int = 1


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (Way, ("auto", "delay")),
        (Word, ("line", "tunnel")),
        (Annotated[Word | None, msgspec.Meta(description="text")], ("line", "tunnel")),
        (list[Word], ("line", "tunnel")),
        (dict[str, Way], ("auto", "delay")),
        (str, ()),
        (list[int], ()),
    ],
)
def test_the_words_that_a_type_allows(hint, words):
    assert choices(hint) == words


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"way": "autto"}, "x.way: 'autto' is none of \"auto\", \"delay\", did you mean 'auto'?"),
        (
            {"way": 3},
            'x.way: Expected a text, got a whole number: write one of "auto", "delay"',
        ),
        ({"maybe": "qqq"}, 'x.maybe: \'qqq\' is none of "line", "tunnel"'),
        ({"many": ["line", "q"]}, 'x.many: \'q\' is none of "line", "tunnel" (at [1])'),
        ({"many": 3}, "x.many: Expected a list, got a whole number"),
        ({"count": "q"}, "x.count: Expected a whole number, got a text"),
    ],
)
def test_an_error_lists_them(table, problem):
    with pytest.raises(ConfigError) as found:
        struct_of(Options, "x", table)
    assert found.value.problems == [problem]


def test_a_complaint_about_something_else_stays():
    assert listed("Expected a whole number", int) == "Expected a whole number"
    assert listed("something else", Way) == "something else"


def test_no_word_is_suggested_that_is_not_near():
    assert suggestion("qqq", ["auto"]) == ""
    assert suggestion("autoo", ["auto"]) == ", did you mean 'auto'?"


Mail = Annotated[str, msgspec.Meta(pattern=r"\A.+@.+\Z", examples=["ops@example.com"])]


class Forms(msgspec.Struct, kw_only=True):
    one: Annotated[Mail, msgspec.Meta(description="...")] = msgspec.UNSET
    many: list[Mail] = []
    tag: Annotated[str, msgspec.Meta(pattern=r"\A[a-z]+\Z")] = "havpn"
    bare: Annotated[str, msgspec.Meta(pattern=r"\A\d'\Z")] | None = None


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"one": "x"}, 'x.one: write a text such as "ops@example.com"'),
        ({"many": ["a@b", "x"]}, 'x.many: write a text such as "ops@example.com" (at [1])'),
        ({"tag": "7"}, 'x.tag: write a text such as "havpn"'),
        ({"bare": "7"}, r"x.bare: write a text of the form \A\d'\Z"),
    ],
)
def test_a_text_of_a_wrong_form_gets_an_example(table, problem):
    with pytest.raises(ConfigError) as caught:
        struct_of(Forms, "x", table)
    assert caught.value.problems == [problem]
