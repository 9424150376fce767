"""What one gateway sends, another lets in: whatever is written over their tables."""

import pytest

from havpn_core.site.mirrors import mirrored
from havpn_core.site.reading import model_of
from havpn_core.site.rendering.havpn import tables_of
from tests.site.verify.variations import figure


def made(**changes):
    model = model_of(figure() | changes)
    return model, {gateway: tables_of(model, gateway) for gateway in model.gateways}


def keys(model, tables):
    return [problem.key for problem in mirrored(model, tables)]


@pytest.mark.parametrize("probe", ["stream", "echo"])
def test_what_is_rendered_mirrors(probe):
    assert keys(*made(line_probe=probe)) == []


def test_a_source_that_the_far_responder_lacks():
    model, tables = made(line_probe="echo")
    tables["gw-ba"]["respond"]["allow"] = ["10.1.255.252/32"]
    assert keys(model, tables) == ["havpn.toml of gw-ba, respond.allow"]
    (problem,) = mirrored(model, tables)
    assert problem.text == "lacks 192.0.2.2, from where gw-aa probes (path.line1.probe.line)"


def test_a_probe_to_where_nobody_listens():
    model, tables = made()
    tables["gw-aa"]["path"]["line1"]["probe"]["tunnel"]["port"] = 8
    assert keys(model, tables) == ["havpn.toml of gw-aa, path.line1.probe.tunnel"]
    del tables["gw-ba"]["respond"]
    assert len(keys(model, tables)) == 2


@pytest.mark.parametrize(("key", "value"), [("port", 7038), ("key_file", "/etc/other.key")])
def test_a_stream_needs_its_other_end(key, value):
    model, tables = made()
    tables["gw-aa"]["path"]["line1"]["probe"]["line"][key] = value
    found = keys(model, tables)
    assert f"havpn.toml of gw-aa, path.line1.probe.line.{key}" in found
    assert f"havpn.toml of gw-ba, path.line1.probe.line.{key}" in found


def test_a_stream_that_nobody_sends_back():
    model, tables = made()
    tables["gw-ba"]["path"]["line1"]["probe"]["line"]["host"] = "192.0.2.3"
    assert "havpn.toml of gw-aa, path.line1.probe.line" in keys(model, tables)


def test_links_and_priorities_of_a_pair():
    model, tables = made()
    tables["gw-aa"]["pair"]["link"]["lan"]["peer"] = "10.1.255.9"
    assert "havpn.toml of gw-aa, pair.link.lan" in keys(model, tables)
    model, tables = made()
    tables["gw-ab"]["pair"]["priority"] = 150
    assert "havpn.toml of gw-ab, pair.priority" in keys(model, tables)
    model, tables = made()
    tables["gw-ab"]["pair"]["key_file"] = "/root/key"
    assert "havpn.toml of gw-ab, pair.key_file" in keys(model, tables)
    model, tables = made()
    tables["gw-ab"]["pair"]["link"]["cable"] = {"type": "serial", "device": "/dev/ttyS0"}
    assert keys(model, tables) == ["havpn.toml of gw-ab, pair.link.cable"]
    model, tables = made()
    del tables["gw-ab"]["pair"]
    assert keys(model, tables) == ["havpn.toml of gw-ab, pair"]
