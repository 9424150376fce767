"""The words of events and options are enumerations, and plain texts all the same."""

import json

import msgspec
import pytest

from havpn_core import Event, EventKind, Severity
from havpn_core.config.convert import struct_of
from havpn_core.config.describe import options_of
from havpn_core.config.options import GiveUpOn, NodeOptions, OnStop
from havpn_core.daemon.state.events import as_record
from havpn_core.errors import ConfigError
from havpn_core.plugging.gate.coercion import as_event
from havpn_core.plugging.sources.record import PluginStatus, Record


def events():
    of_words = Event(EventKind.VERDICT, "vpn1", "up", "down", severity=Severity.WARNING)
    return of_words, Event("verdict", "vpn1", "up", "down", severity="warning", at=of_words.at)


def test_an_event_of_words_and_one_of_texts_are_the_same_everywhere():
    one, other = events()
    assert one == other
    assert str(one) == str(other) == "verdict vpn1: up -> down"
    assert f"{one.kind}/{one.severity:>8}" == "verdict/ warning"
    assert {"warning": 1}[one.severity] == {Severity.WARNING: 1}[other.severity] == 1
    for encode in (json.dumps, lambda value: msgspec.json.encode(value).decode()):
        assert encode(as_record(one)) == encode(as_record(other))
    for each in (one, other):
        assert type(as_record(as_event(each))["kind"]) is str


def test_every_event_has_a_severity_from_the_start():
    assert Event("daemon", "", "", "started").severity == "info"


@pytest.mark.parametrize(
    ("table", "on_stop", "give_up_on"),
    [
        ({}, OnStop.KEEP, GiveUpOn.ANY),
        ({"on_stop": "release", "give_up_on": "all"}, "release", "all"),
    ],
)
def test_options_are_written_as_plain_words(table, on_stop, give_up_on):
    node = struct_of(NodeOptions, "node", table)
    assert (node.on_stop, node.give_up_on) == (on_stop, give_up_on)
    assert (type(node.on_stop), type(node.give_up_on)) == (OnStop, GiveUpOn)


@pytest.mark.parametrize(
    ("name", "words"), [("on_stop", '"keep", "release"'), ("give_up_on", '"any", "all"')]
)
def test_another_word_is_refused_and_the_right_ones_are_named(name, words):
    with pytest.raises(ConfigError, match=f"node.{name}: 'maybe' is none of {words}"):
        struct_of(NodeOptions, "node", {name: "maybe"})


class Mode(msgspec.Struct):
    """Options of a plugin that has an enumeration of its own."""

    mode: OnStop | None = None
    modes: list[OnStop] = []


def test_an_enumeration_of_a_plugin_is_described_by_its_words():
    from havpn_core.config.schema import table_of

    shown = {option.name: option.type for option in options_of(Mode)}
    words = '"keep" | "release"'
    assert shown == {"mode": words, "modes": f"list of {words}"}
    table = table_of(Mode)["properties"]
    assert table["modes"]["items"] == {"enum": ["keep", "release"]}
    assert "$ref" not in json.dumps(table)


def test_the_status_of_a_plugin_is_a_plain_word_in_json():
    record = Record("foo", "1", "havpn-foo", "havpn_foo", PluginStatus.AVAILABLE)
    record.spoil(PluginStatus.FAILED, "why")
    assert json.dumps(record.status) == '"failed"'
