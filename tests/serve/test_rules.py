"""Alert rules and dashboard: they do what they say, with metrics that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from havpn_core.serve.metrics import families
from tests.serve.values import document

ROOT = Path(__file__).parents[2]
RULES = ROOT / "packaging" / "prometheus" / "havpn.rules.yml"
DASHBOARD = ROOT / "packaging" / "grafana" / "havpn.json"
NAME = re.compile(r"\bhavpn_[a-z_]+\b")
SUFFIXES = ("_bucket", "_count", "_sum")


def exported():
    """Name every metric as a query has it, without the parts of a histogram."""
    kinds = {"counter": "_total", "info": "_info"}
    return {family.name + kinds.get(family.type, "") for family in families(document())}


def names_in(text):
    found = set()
    for name in NAME.findall(text):
        base = next((name.removesuffix(s) for s in SUFFIXES if name.endswith(s)), name)
        found.add(base if base in exported() else name)
    return found


def expressions():
    """Give the queries of the dashboard, with values for its variables."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    found = [target["expr"] for panel in panels for target in panel["targets"]]
    return [e.replace("$site", ".*").replace("$__rate_interval", "1m") for e in found]


def promtool(*arguments):
    if shutil.which("promtool") is None:
        pytest.fail("promtool is missing: install Debian's prometheus (scripts/install-packages)")
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_alerts_come_when_they_should_and_not_before(tmp_path):
    text = (Path(__file__).parent / "havpn.rules.test.yml").read_text()
    (tmp_path / "test.yml").write_text(text.replace("RULES", str(RULES)))
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "test.yml"))


def test_every_alert_has_a_test_in_which_it_fires():
    alerts = {rule["alert"] for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]}
    tests = yaml.safe_load((Path(__file__).parent / "havpn.rules.test.yml").read_text())["tests"]
    fired = {
        each["alertname"]
        for test in tests
        for each in test["alert_rule_test"]
        if each.get("exp_alerts")
    }
    silent = {each["alertname"] for each in tests[0]["alert_rule_test"]}
    assert fired == silent == alerts


def test_every_metric_of_the_rules_and_the_dashboard_is_exported():
    assert names_in(RULES.read_text()) <= exported()
    assert names_in(" ".join(expressions())) <= exported()


def test_every_exported_metric_is_on_the_dashboard():
    assert names_in(" ".join(expressions())) == exported()


def test_the_queries_of_the_dashboard_are_sound(tmp_path):
    rules = [{"record": f"q{n}", "expr": each} for n, each in enumerate(expressions())]
    (tmp_path / "q.yml").write_text(yaml.safe_dump({"groups": [{"name": "q", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(tmp_path / "q.yml"))


def test_the_dashboard_can_be_imported():
    dashboard = json.loads(DASHBOARD.read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    sources = {json.dumps(panel["datasource"]) for panel in panels}
    assert sources == {'{"type": "prometheus", "uid": "${datasource}"}'}
