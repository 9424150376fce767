"""What the site file hands on to each gateway's configuration, and what of it is wrong."""

import pytest

from havpn_core import RenderedFile
from havpn_core.site.checking import Outcome, _havpn
from havpn_core.site.configured import configured
from havpn_core.site.reading import model_of
from havpn_core.site.rendering.havpn import tables_of
from havpn_core.site.rendering.toml import toml_of
from havpn_core.site.verified import verified
from tests.site.verify.variations import figure


def made(**more):
    raw = figure() | more
    for site in more.pop("modes", {}).items():
        raw["site"][site[0]]["mode"] = site[1]
    raw.pop("modes", None)
    return raw


def keys(raw):
    return [problem.key for problem in verified(raw).problems]


def test_a_path_is_tuned_where_it_is():
    raw = made(havpn={"path": {"line1": {"rise": 999}}})
    assert keys(raw) == []
    configs, _ = configured(model_of(raw))
    rises = {gateway: config.paths[0].options.rise for gateway, config in configs.items()}
    assert rises == {"gw-aa": 999, "gw-ab": 400, "gw-ba": 999, "gw-bb": 400}


def test_a_pair_is_tuned_where_there_is_one():
    raw = made(modes={"b": "heartbeat"}, havpn={"pair": {"interval": "100ms"}})
    assert keys(raw) == []
    configs, _ = configured(model_of(raw))
    assert configs["gw-aa"].pair.options.interval == 0.1
    assert configs["gw-ba"].pair is None


def test_an_action_is_tuned_where_it_is():
    raw = made(modes={"b": "pacemaker"}, havpn={"action": {"gateway": {"lifetime": "20s"}}})
    assert keys(raw) == []


@pytest.mark.parametrize(
    ("tables", "key", "modes"),
    [
        ({"path": {"line3": {"rise": 9}}}, "havpn.path.line3", {}),
        ({"action": {"gate": {"lifetime": "20s"}}}, "havpn.action.gate", {}),
        ({"pair": {"interval": "1s"}}, "havpn.pair", {"a": "heartbeat", "b": "pacemaker"}),
    ],
)
def test_what_counts_nowhere_is_a_mistake(tables, key, modes):
    assert keys(made(havpn=tables, modes=modes)) == [key]


SINGLE = """
from havpn_core import NotifierType, RendererType, hookimpl
from msgspec import Struct

@hookimpl
def havpn_register_notifiers():
    yield NotifierType("one", "Sends nothing at all", Struct, lambda options, context: None)

class Renderer:
    def files(self, model, gateway):
        return ()

@hookimpl
def havpn_register_renderers():
    yield RendererType("one", "Renders nothing at all", Struct, lambda options, context: Renderer())
"""


def test_a_plugin_in_a_single_file_counts_as_it_does_on_a_gateway(tmp_path):
    tmp_path.chmod(0o755)
    more = {
        "plugins": {"enable": ["one"], "folder": str(tmp_path)},
        "notifier": {"own": {"type": "one"}},
        "render": {"plugins": ["one"]},
        "renderer": {"one": {}},
    }
    assert {"plugins.enable", "render.plugins"} <= set(keys(made(**more)))
    (tmp_path / "one.py").write_text(SINGLE)
    (tmp_path / "one.py").chmod(0o644)
    assert keys(made(**more)) == []
    table = {"plugins": more["plugins"], **tables_of(model_of(made(**more)), "gw-aa")}
    file = RenderedFile("/etc/havpn/havpn.toml", toml_of(table))
    checked = [each for each in _havpn(file, tmp_path / "x") if each[1] is Outcome.WRONG]
    assert checked == []


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"notifier": {"log": {"type": "sislog"}}}, "notifier.log.type"),
        ({"plugins": {"enable": ["no-such"]}}, "plugins.enable"),
        ({"metrics": {"listen": []}}, "metrics.listen"),
        ({"havpn": {"node": {"realtime": 100}}}, "havpn.node.realtime"),
        ({"havpn": {"path": {"line1": {"fall": 0}}}}, "havpn.path.line1.fall"),
        ({"renderer": {"no-such": {}}}, "renderer.no-such"),
        ({"render": {"plugins": ["no-such"]}}, "render.plugins"),
    ],
)
def test_what_the_daemon_refuses_is_said_in_keys_of_the_site_file(more, key):
    assert keys(made(**more)) == [key]


def test_what_the_daemon_of_one_gateway_refuses_has_its_key():
    raw = figure()
    raw["site"]["a"]["gateways"]["gw-aa"] = {
        "lan": "10.1.255.252",
        "havpn": {"respond": {"rat": 1.0}, "path": {"line1": {"rise": 0}}},
    }
    key = "site.a.gateways.gw-aa.havpn"
    assert keys(raw) == [f"{key}.path.line1.rise", f"{key}.respond.rat"]


def test_a_package_that_only_gateways_need_is_not_missed_here(monkeypatch):
    monkeypatch.setattr("havpn_core.config.check.importlib.util.find_spec", lambda name: None)
    assert keys(made(metrics={})) == []


def test_mistakes_in_tables_are_found_beside_those_of_the_model():
    raw = made(notifier={"log": {"type": "sislog"}}, interval="1m")
    assert keys(raw) == ["interval", "notifier.log.type"]
