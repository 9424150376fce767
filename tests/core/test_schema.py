"""The schema and the loader agree; ``plugin show`` tells what there is."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from havpn_core.cli.check import warnings
from havpn_core.cli.config import config as config_command
from havpn_core.cli.plugin import plugin
from havpn_core.config.check import build
from havpn_core.config.lan import plan_of
from havpn_core.config.schema import of_file
from havpn_core.errors import ConfigError
from havpn_core.plugging.registry import Registry
from havpn_core.site.reading import read_model
from havpn_core.site.verified import verified
from tests.site.verify.variations import figure

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
OF_SITES = {"site", "line", "tunnel", "render", "renderer"}
"""Tables of a site file that ``havpn.toml`` has not."""


def files():
    return sorted((REPO / "examples").glob("*.toml"))


def refused(text):
    errors = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(tomllib.loads(text)))
    return [error.message for error in errors]


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def pages():
    """Give every page for users that may show a configuration."""
    found = [REPO / "README.md", *(REPO / "docs").rglob("*.md"), *(REPO / "examples").rglob("*.md")]
    return sorted(found)


def shown(page):
    """Give the blocks of a page that are configurations, or parts of one."""
    return re.findall(r"```toml\n(.*?)```", page.read_text(), re.S)


def whole(text):
    """Whether it is all that a gateway needs, not a part to be put into a file."""
    table = tomllib.loads(text)
    return bool(table.get("action")) and any("probe" in path for path in table["path"].values())


WHOLE = [(file.name, file.read_text()) for file in files()]
WHOLE += [(page.name, text) for page in pages() for text in shown(page) if whole(text)]


def said_of_a_site(table):
    """Say what is wrong with a site file, or with a part of one."""
    if {"site", "line"} <= set(table):
        return verified(table).problems
    return read_model(figure() | table).problems


def test_these_show_whole_files():
    """So that none is left out of the tests below for want of being found."""
    names = [name for name, _ in WHOLE]
    examples = ["havpn.toml", "pair.toml", "stream.toml"]
    pages = ["configuration", "conntrackd", "heartbeat", "pacemaker", "quickstart"]
    assert names == [*examples, *(f"{page}.md" for page in pages)]


@pytest.mark.parametrize(("name", "text"), WHOLE, ids=[name for name, _ in WHOLE])
def test_the_examples_are_good_and_nothing_is_to_be_said_of_them(name, text):
    """Nor do they leave the tunnel unwatched, or the LAN."""
    assert refused(text) == []
    table = tomllib.loads(text)
    config = build(table, REGISTRY, Path(name))
    assert warnings(config) == []
    for path in table["path"].values():
        assert "tunnel" in {probe.get("watches") for probe in path["probe"].values()}
    plan = plan_of(config)
    assert plan.devices == ("lan",)
    assert plan.families == ("IPv4",)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(REPO)))
def test_parts_of_files_in_the_documents_are_good(page):
    for block in shown(page):
        table = tomllib.loads(block)
        if set(table) == {"tool"}:
            continue  # of a pyproject.toml
        if OF_SITES & set(table):
            assert said_of_a_site(table) == [], block
        elif all("probe" in path for path in table.get("path", {}).values()):
            enabled = "enable" in table.get("plugins", {})
            problems = refused(block)
            if set(table.get("pair", {})) == {"link"}:  # one more link of a pair that is there
                problems = [each for each in problems if not each.endswith("a required property")]
            assert enabled or problems == [], block


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
    shown = CliRunner().invoke(config_command, ["schema"])
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
