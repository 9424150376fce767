"""The schema and the loader agree; ``plugin show`` tells what there is."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from havpn_core.cli.config import config
from havpn_core.cli.plugin import plugin
from havpn_core.config.check import build
from havpn_core.config.schema import of_file
from havpn_core.errors import ConfigError
from havpn_core.plugging.registry import Registry

REPO = Path(__file__).parents[2]
REGISTRY = Registry.load()
SCHEMA = of_file(REGISTRY)
GOOD = """
[path.vpn1]
[path.vpn1.probe.echo]
type = "udp-echo"
host = "192.0.2.6"
[action.x]
type = "exec"
active = ["true"]
standby = ["true"]
"""


def files():
    return sorted((REPO / "examples").glob("*.toml"))


def refused(text):
    errors = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(tomllib.loads(text)))
    return [error.message for error in errors]


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_the_examples_are_good(file):
    assert refused(file.read_text()) == []


@pytest.mark.parametrize("document", ["configuration.md", "pacemaker.md", "pair.md", "tuning.md"])
def test_whole_files_in_the_documents_are_good(document):
    text = (REPO / "docs" / document).read_text()
    for block in re.findall(r"```toml\n(.*?)```", text, re.S):
        table = tomllib.loads(block)
        if all("probe" in path for path in table.get("path", {}).values()):
            assert refused(block) == [], block


@pytest.mark.parametrize(
    "wrong",
    [
        "[pth.vpn1]",
        "[path.vpn1]\nfalls = 3",
        '[path.vpn1]\nfall = "three"',
        "[path.vpn1]\nfall = 0",
        '[path.vpn1]\ninterval = "soon"',
        "[path.vpn1]\ninterval = 0",
        '[path.vpn1]\nprofile = "quick"',
        '[path.vpn1.probe.echo]\nhost = "h"',
        '[path.vpn1.probe.echo]\ntype = "udp-eco"\nhost = "h"',
        '[path.vpn1.probe.echo]\ntype = "udp-echo"',
        '[path.vpn1.probe.echo]\ntype = "udp-echo"\nhost = "h"\nport = 70000',
        '[path.vpn1.probe.echo]\ntype = "udp-echo"\nhost = "h"\nprot = 7',
        '[path.Vpn1.probe.echo]\ntype = "udp-echo"\nhost = "h"',
        '[action.x]\ntype = "exec"\nactive = []\nstandby = ["true"]',
        '[action.x]\ntype = "heartbeat"\ndeadline = "late"',
        '[plugins]\nenable = "foo"',
        '[node]\non_stop = "maybe"',
        '[pair]\npriority = 1\nkey_file = "/k"',
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(wrong):
    assert refused(wrong)
    with pytest.raises(ConfigError):
        build(tomllib.loads(wrong), REGISTRY, Path("havpn.toml"))


def test_the_options_of_a_type_come_with_descriptions_and_defaults():
    probe = SCHEMA["properties"]["path"]["additionalProperties"]["properties"]["probe"]
    choices = probe["additionalProperties"]["allOf"]
    echo = next(
        c["then"] for c in choices if c["then"]["properties"]["type"] == {"const": "udp-echo"}
    )
    port = echo["properties"]["port"]
    assert (port["default"], port["description"]) == (7, "UDP port")


def test_commands():
    shown = CliRunner().invoke(config, ["schema"])
    assert json.loads(shown.output) == json.loads(json.dumps(SCHEMA))
    shown = CliRunner().invoke(plugin, ["show", "udp-echo"])
    assert "port: whole number, at least 1, at most 65535; default 7" in shown.output
    assert 'type = "udp-echo"' in shown.output
    told = json.loads(CliRunner().invoke(plugin, ["show", "exec", "--json"]).output)
    assert {each["kind"] for each in told} == {"probe", "action", "notifier"}
    with pytest.raises(ConfigError, match="did you mean 'udp-echo'"):
        CliRunner().invoke(plugin, ["show", "udp-eco"], catch_exceptions=False)


@pytest.mark.parametrize("kind", ["probe", "action", "notifier", "link"])
def test_each_example_is_a_configuration(kind):
    from havpn_core.config.describe import example

    for each, _ in REGISTRY.types(kind):
        table = tomllib.loads(example(kind, each))
        while not isinstance(table.get("type"), str):
            table = next(iter(table.values()))
        if all(value != "..." for value in table.values()):
            assert table["type"] == each.name
