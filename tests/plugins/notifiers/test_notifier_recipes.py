"""Each block of docs/notifiers.md is a good configuration, and its service takes the body."""

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from havpn_plugins.notifiers._bodies import body_of
from service_world import EVENT

from havpn_core import Event
from havpn_core.config.describe import options_of
from havpn_core.config.read import load
from havpn_core.plugging.registry import Registry

PAGE = (Path(__file__).parents[3] / "docs" / "notifiers.md").read_text()
BLOCKS = {
    next(iter(tomllib.loads(text)["notifier"])): text
    for text in re.findall(r"```toml\n(.*?)```", PAGE, re.S)
}
PATH = '[path.vpn1.probe.echo]\ntype = "udp-echo"\nhost = "192.0.2.6"\n'
EVENTS = [
    EVENT,
    Event("role", "", "standby", "active", "", "info", "gw-aa"),
    Event("action", "vip", "", "failed", 'it <said> & "meant" \n \\', "error", "gw-aa"),
    Event("later-kind", "", "", "x", "", "later-severity", "gw-aa"),
]

# https://docs.ntfy.sh/publish/#publish-as-json
NTFY = {
    "type": "object",
    "required": ["topic", "message"],
    "additionalProperties": False,
    "properties": {
        "topic": {"type": "string", "pattern": "^[-_A-Za-z0-9]{1,64}$"},
        "message": {"type": "string", "minLength": 1, "maxLength": 4096},
        "title": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "priority": {"type": "integer", "minimum": 1, "maximum": 5},
    },
}
# https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: text is required, and
# <, > and & stand as entities in it.
SLACK = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {
        "text": {
            "type": "string",
            "minLength": 1,
            "maxLength": 40000,
            "pattern": "^(?:[^<>&]|&(?:amp|lt|gt);)*$",
        }
    },
}
# https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml: postableAlerts; the
# server takes no empty label value, and none of these names but as label names are.
ALERTMANAGER = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["labels"],
        "additionalProperties": False,
        "properties": {
            "labels": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"},
                "additionalProperties": {"type": "string", "minLength": 1},
            },
            "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
            "startsAt": {"type": "string", "format": "date-time"},
            "endsAt": {"type": "string", "format": "date-time"},
            "generatorURL": {"type": "string", "format": "uri"},
        },
    },
}
# https://discord.com/developers/docs/resources/webhook#execute-webhook
DISCORD = {
    "type": "object",
    "required": ["content"],
    "additionalProperties": False,
    "properties": {
        "content": {"type": "string", "minLength": 1, "maxLength": 2000},
        "username": {"type": "string", "maxLength": 80},
    },
}
SCHEMAS = {"phone": NTFY, "chat": SLACK, "alerts": ALERTMANAGER, "discord": DISCORD}


@pytest.fixture
def notifier(request, tmp_path):
    """The options of a block, read as the daemon reads a file."""
    (tmp_path / "havpn.toml").write_text(PATH + BLOCKS[request.param])
    (tmp_path / "havpn.toml").chmod(0o600)
    config, _ = load(tmp_path / "havpn.toml")
    return config.notifiers[0]


def test_every_block_is_tried():
    assert set(BLOCKS) == {*SCHEMAS, "mail"}


@pytest.mark.parametrize("notifier", sorted(BLOCKS), indirect=True)
def test_each_block_is_a_good_configuration(notifier):
    assert notifier.type.name == ("smtp" if notifier.id == "mail" else "webhook")


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
@pytest.mark.parametrize("notifier", sorted(SCHEMAS), indirect=True)
def test_the_service_takes_the_body(notifier, event):
    body = body_of(event, notifier.options.format, notifier.options.body)
    jsonschema.validate(body, SCHEMAS[notifier.id])
    if notifier.id == "alerts":
        alert = body[0]
        began, ends = (datetime.fromisoformat(alert[each]) for each in ("startsAt", "endsAt"))
        assert (ends > began) == (event.severity != "info")
        assert began == event.at.astimezone(UTC)
        assert alert["labels"]["site"] == "berlin"


@pytest.mark.parametrize("name", ["webhook", "smtp"])
def test_the_page_describes_every_option(name):
    section = PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    common = PAGE.partition("\n## ")[0]
    for option in options_of(Registry.load().get("notifier", name).config):
        assert f"`{option.name}`" in section or f"`{option.name} = " in common, option.name
