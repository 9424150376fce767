"""Templates of a user in the place of ours."""

import builtins
import sys

import pytest

from havpn_core.errors import ConfigError, HavpnError
from havpn_core.site.rendering.templates import Templates, bundled, overridden
from tests.site.figure import files_of, tables

SYSCTL = "/etc/sysctl.d/60-havpn.conf"


def test_a_user_s_template_takes_the_place_of_ours_and_the_mark_stays(tmp_path):
    (tmp_path / "sysctl.conf.j2").write_text("net.ipv4.ip_forward=1 # {{ families | length }}\n")
    files = files_of(tables(), overridden(tmp_path))["gw-aa"]
    first, second = files[SYSCTL].text.splitlines()
    assert first.startswith("# Rendered by HA-VPN ")
    assert second == "net.ipv4.ip_forward=1 # 1"
    usual = files_of(tables())["gw-aa"]
    assert {path for path in files if files[path] != usual[path]} == {SYSCTL}


def test_a_template_that_nothing_is_made_of_is_refused(tmp_path):
    (tmp_path / "sysctl.j2").write_text("")
    (tmp_path / "notes.txt").write_text("are no template")
    with pytest.raises(ConfigError, match=r"sysctl.j2: nothing is made of it: name it as one of "):
        overridden(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(HavpnError, match="cannot be read as templates"):
        overridden(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% if %}", r"template sysctl.conf.j2, line 1: "),
        ("{{ nothing }}", r"template sysctl.conf.j2: 'nothing' is undefined"),
        ("{{ {'a': none} | toml }}", r"template sysctl.conf.j2: .*None cannot be written as TOML"),
        ("{{ 1 / 0 }}", r"template sysctl.conf.j2: ZeroDivisionError"),
    ],
)
def test_a_template_that_cannot_be_filled_is_named(text, said):
    with pytest.raises(HavpnError, match=said):
        files_of(tables(), {"sysctl.conf.j2": text})


def test_every_template_is_used(monkeypatch):
    filled = set()
    fill = Templates.fill

    def noted(self, name, facts):
        filled.add(name)
        return fill(self, name, facts)

    monkeypatch.setattr(Templates, "fill", noted)
    for mode in ("pair", "heartbeat", "pacemaker"):
        for shell in ("crmsh", "pcs"):
            files_of(tables(mode=mode, render={"conntrackd": True, "cluster": shell}))
    beside = {"inventory.ini.j2", "site.yml.j2", "readme.j2"}
    assert filled | beside == set(bundled())


def test_without_jinja2_the_remedy_is_said(monkeypatch):
    imported = builtins.__import__

    def without(name, *rest, **more):
        if name == "jinja2":
            raise ModuleNotFoundError(name)
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, "jinja2", raising=False)
    with pytest.raises(HavpnError, match=r"pip install 'havpn\[site\]'"):
        files_of(tables())
