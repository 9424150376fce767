"""The digest of a configuration: the same for what says the same, and of no secret."""

import json
import tomllib

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.cli.config import config
from havpn_core.config.digest import DIGITS, digest_of, is_secret
from havpn_core.config.read import differs, load
from tests.core.daemon import Daemon

BASE = """
[node]
name = "gw"
[path.token]
interval = "500ms"
[path.token.probe.echo]
type = "icmp"
host = "192.0.2.6"
[notifier.mail]
type = "webhook"
url = "https://example.com/hook/VERY-SECRET?token=VERY-SECRET"
format = "event"
only = ["role", "pair"]
headers = { X-Token = "VERY-SECRET" }
[action.gateway]
type = "exec"
active = ["/usr/local/bin/take", "--password", "VERY-SECRET"]
standby = ["/usr/local/bin/give"]
deadline = "2s"
[pair]
key_file = "/etc/havpn/pair.key"
"""


def of(text):
    return digest_of(tomllib.loads(text))


def changed(before, after):
    assert before in BASE
    return BASE.replace(before, after)


def test_comments_blanks_and_order_do_not_count():
    first, second = BASE.split("[notifier.mail]")
    assert of(f"# by hand\n[notifier.mail]{second}\n\n{first}") == of(BASE)
    assert len(of(BASE)) == DIGITS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"gw"', '"gw2"'),
        ('"500ms"', '"501ms"'),
        ("192.0.2.6", "192.0.2.7"),
        ("path.token", "path.other"),
        ("example.com", "example.org"),
        ('"role", "pair"', '"pair", "role"'),
        ("X-Token", "X-Other"),
        ("bin/take", "bin/seize"),
        ('[pair]\nkey_file = "/etc/havpn/pair.key"', "[pair]"),
        ("/etc/havpn/pair.key", "/etc/havpn/other.key"),
        ('name = "gw"', 'name = "gw"\non_stop = "release"'),
        ('deadline = "2s"', "deadline = 2"),
        ('format = "event"', 'format = "event"\ntoken = "VERY-SECRET"'),
    ],
)
def test_whatever_else_is_changed_counts(before, after):
    assert of(changed(before, after)) != of(BASE)


def test_no_secret_counts():
    assert of(changed("VERY-SECRET", "ANOTHER")) == of(BASE)
    one = {"notifier": {"own": {"type": "own", "api_key": "VERY-SECRET"}}}
    other = {"notifier": {"own": {"type": "own", "api_key": "ANOTHER"}}}
    assert digest_of(one) == digest_of(other)


@pytest.mark.parametrize("key", ["password", "token", "api_key", "smtp-secret", "auth", "keys"])
def test_what_is_called_a_secret_is_one(key):
    assert is_secret(key)


@pytest.mark.parametrize("key", ["key_file", "keyboard", "passive", "authority", "host", "monkey"])
def test_what_is_called_otherwise_is_none(key):
    assert not is_secret(key)


def test_a_path_may_be_called_as_a_table_of_secrets_is():
    one = {"path": {"params": {"interval": "1s"}, "headers": {"fall": 3}}}
    other = {"path": {"params": {"interval": "2s"}, "headers": {"fall": 3}}}
    assert digest_of(one) != digest_of(other)


def test_no_depth_of_tables_is_too_deep():
    deep = tomllib.loads(".".join(["a"] * 20000) + " = 1")
    assert digest_of(deep) != digest_of({})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_any_tables_have_one_and_in_any_order_the_same(tables):
    assert digest_of(dict(reversed(tables.items()))) == digest_of(tables)


def test_empty_and_missing_tables_are_not_the_same():
    assert len({digest_of(each) for each in ({}, {"pair": {}}, {"pair": []}, {"pair": ""})}) == 4


def test_the_command_prints_that_of_a_file(tmp_path):
    file = tmp_path / "havpn.toml"
    file.write_text(BASE)
    shown = CliRunner().invoke(config, ["digest", "-c", str(file)])
    assert shown.output == f"{of(BASE)}\n"


def test_a_file_differs_once_it_says_something_else(tmp_path):
    file = tmp_path / "havpn.toml"
    file.write_text(BASE)
    assert differs(file, of(BASE)) is False
    file.write_text(f"# edited\n{BASE}")
    assert differs(file, of(BASE)) is False
    file.write_text(changed("192.0.2.6", "192.0.2.7"))
    assert differs(file, of(BASE)) is True
    file.write_text("no TOML")
    assert differs(file, of(BASE)) is True
    file.unlink()
    assert differs(file, of(BASE)) is True


def test_what_cannot_be_seen_is_not_known(tmp_path):
    assert differs(tmp_path / ("x" * 300), "") is None
    assert differs(type(tmp_path)("/dev/fd/63"), "") is None


def test_a_daemon_shows_what_is_in_force_and_that_the_file_was_edited(tmp_path):
    daemon = Daemon(tmp_path).start()
    try:
        first = load(daemon.file)[0].digest
        assert json.loads(daemon.havpn("status", "--json").stdout)["config"] == {
            "file": str(daemon.file), "digest": first, "differs": False,
        }  # fmt: skip
        assert f"config {first} of " in daemon.shown()
        daemon.configure(path="rise_loss = 0.1")
        edited = load(daemon.file)[0].digest
        assert edited != first
        found = json.loads(daemon.havpn("status", "--json").stdout)["config"]
        assert (found["digest"], found["differs"]) == (first, True)
        shown = daemon.shown()
        assert f"! config {first}, but " in shown
        assert "says something else now: run havpn reload" in shown
        daemon.havpn("reload")
        daemon.wait(lambda s: s.config.digest == edited, "the digest of what was reloaded")
        assert json.loads(daemon.havpn("status", "--json").stdout)["config"]["differs"] is False
    finally:
        daemon.end()
