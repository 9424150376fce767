"""``havpn site new``, ``render`` and ``schema``: from an empty folder to trees of all gateways."""

import re
import stat
import subprocess
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from havpn_core.cli import havpn
from havpn_core.cli.ending import perform
from havpn_core.config.describe import options_of
from havpn_core.host.disk.keys import read_keys
from havpn_core.site.model.options import (
    FileOptions,
    GatewayOptions,
    LineOptions,
    RenderOptions,
    SiteOptions,
    TunnelOptions,
)
from havpn_core.site.rendering.digest import mark_of
from havpn_core.site.rendering.toml import toml_of
from havpn_core.site.schema import of_site
from tests.site.figure import GATEWAYS, HAVPN, MODES, configuration, hub, tables

REPO = Path(__file__).parents[2]


class Folder:
    """A folder of a user, with what the command says there."""

    def __init__(self, path, capsys):
        self.path, self._capsys = path, capsys
        self.file, self.out = path / "site.toml", path / "out"

    def write(self, raw):
        self.file.write_text(toml_of(raw))
        return self

    def render(self, *more):
        return self.havpn("render", "--out", str(self.out), *more)

    def havpn(self, command, *more):
        arguments = ["site", command, *more]
        if command != "schema":
            arguments[2:2] = ["-f", str(self.file)]
        status = perform(havpn, "havpn", arguments)
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return status, said.out, said.err

    def seen(self):
        return {
            str(file.relative_to(self.path)): (file.read_text(), stat.S_IMODE(file.stat().st_mode))
            for file in self.path.rglob("*")
            if file.is_file() and file != self.file
        }


@pytest.fixture
def user(tmp_path, capsys):
    return Folder(tmp_path, capsys)


def test_two_commands_from_an_empty_folder_to_four_gateways(user):
    status, said, _ = user.havpn("new")
    assert (status, len(user.file.read_text().splitlines()) <= 40) == (0, True)
    assert "havpn site render" in said
    status, said, _ = user.render()
    assert status == 0
    assert "4 gateways: 31 files written, 0 unchanged, 0 removed" in said
    for name in GATEWAYS:
        assert configuration((user.out / f"{name}{HAVPN}").read_text()).node.name == name


def test_what_is_there_is_not_written_over(user):
    user.file.write_text("mine\n")
    status, _, error = user.havpn("new")
    assert (status, user.file.read_text()) == (1, "mine\n")
    assert "is there already" in error


def test_rendered_again_nothing_changes_and_no_secret_is_shown(user):
    user.write(tables())
    first = user.render()
    before = user.seen()
    status, said, error = user.render()
    assert (status, user.seen()) == (0, before)
    assert "0 files written, 31 unchanged, 0 removed" in said
    secrets = [
        line
        for file in (user.path / "secrets").iterdir()
        for line in file.read_text().splitlines()
        if not line.startswith("#")
    ]
    assert len(secrets) == 6
    assert not any(secret in text for secret in secrets for text in (*first[1:], said, error))
    open_to_others = [text for text, mode in before.values() if mode & 0o077]
    assert not any(secret in text for secret in secrets for text in open_to_others)
    assert all(mark_of(text) for name, (text, _) in before.items() if name.startswith("out/"))
    assert not any("{{secret:" in text for text, _ in before.values())


def test_both_gateways_have_the_same_keys(user):
    user.write(tables())
    user.render()

    def key(gateway, name):
        return read_keys(user.out / gateway / "etc/havpn" / name)

    assert key("gw-aa", "pair.key") == key("gw-ab", "pair.key") != key("gw-ba", "pair.key")
    assert key("gw-aa", "line-vpn1.key") == key("gw-ba", "line-vpn1.key")
    shared = {
        name: re.search(r'secret = "(.*)"', (user.out / name / SWANCTL).read_text())[1]
        for name in GATEWAYS
    }
    assert shared["gw-aa"] == shared["gw-ba"] != shared["gw-ab"] == shared["gw-bb"]


SWANCTL = "etc/swanctl/conf.d/havpn.conf"


def test_a_step_of_a_change_of_keys_reaches_the_gateways(user):
    user.write(tables())
    user.render()
    file = user.path / "secrets" / "pair-a.key"
    assert perform(havpn, "havpn", ["keygen", str(file), "--step", "add"]) == 0
    assert "2 files written" in user.render()[1]
    assert len(read_keys(user.out / "gw-aa/etc/havpn/pair.key")) == 2


def test_another_mode_takes_the_files_of_the_former_away(user):
    user.write(tables(mode="heartbeat")).render()
    assert (user.out / "gw-aa/etc/ha.d/ha.cf").exists()
    (user.out / "gw-aa/etc/ha.d/mine").write_text("mine\n")
    status, said, _ = user.write(tables(mode="pair")).render()
    assert status == 0 and re.search(r"[1-9]\d* removed", said)
    assert [each.name for each in (user.out / "gw-aa/etc/ha.d").iterdir()] == ["mine"]
    assert not (user.out / "gw-ba/etc/ha.d").exists()


def test_nothing_is_written_where_anything_is_wrong(user, tmp_path):
    wrong = tables({"vips": ["10.31.0.254"]}, {"vips": ["10.99.0.1"]})
    status, _, error = user.write(wrong).render()
    assert status == 1 and user.seen() == {}
    problems = error.splitlines()
    assert len(problems) >= 2
    assert all(line.startswith(f"{user.file}: ") for line in problems)
    status, _, error = user.write(tables(havpn={"path": {"vpn1": {"rise": "often"}}})).render()
    assert status == 1 and user.seen() == {}
    assert f"{user.file}: havpn.path.vpn1.rise: " in error
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "havpn.toml.j2").write_text("[[[")
    status, _, error = user.write(tables()).render("--templates", str(templates))
    assert status == 1 and not user.out.exists()
    assert "gw-aa/etc/havpn/havpn.toml: is no valid TOML" in error


def test_a_foreign_file_stops_all_before_the_first_secret(user):
    user.write(tables())
    user.out.mkdir()
    (user.out / "README").write_text("mine\n")
    status, _, error = user.render()
    assert status == 1 and "bears no mark of HA-VPN" in error
    assert user.seen() == {"out/README": ("mine\n", 0o644)}


def test_secrets_may_be_in_another_folder(user, tmp_path):
    user.write(tables())
    status, _, _ = user.render("--secrets", str(tmp_path / "elsewhere"))
    assert status == 0
    assert (tmp_path / "elsewhere" / "pair-a.key").exists()
    assert not (user.path / "secrets").exists()


def test_a_hub_is_understood_and_refused_while_a_gateway_has_one_role(user):
    status, _, error = user.write(hub()).render()
    assert status == 1 and user.seen() == {}
    assert "gw-aa, gw-ab have lines to 2 sites, b, c, and the daemon of today has one role" in error


@pytest.mark.parametrize("mode", MODES)
def test_the_playbook_names_every_file_with_its_mode(user, mode):
    user.write(tables(mode=mode)).render()
    [play] = yaml.safe_load((user.out / "site.yml").read_text())
    assert set(play["vars"]["rendered"]) == set(GATEWAYS)
    for gateway, files in play["vars"]["rendered"].items():
        tree = user.out / gateway
        found = {f"/{f.relative_to(tree)}" for f in tree.rglob("*") if f.is_file()}
        assert {file["path"] for file in files} == found
        for file in files:
            mode_there = stat.S_IMODE((tree / file["path"].lstrip("/")).stat().st_mode)
            assert int(file["mode"], 8) == mode_there
            assert file["private"] == (mode_there == 0o600)
            assert file["service"] == bool(re.fullmatch(r"/etc/havpn/.*\.key", file["path"]))
    inventory = (user.out / "inventory.ini").read_text()
    assert "gw-bb ansible_host=10.31.0.252" in inventory
    clustered = inventory.partition("[clustered:children]\n")[2].partition("[")[0]
    assert clustered.split() == (["site_a", "site_b"] if mode == "pacemaker" else [])


def test_the_lines_of_a_shell_carry_a_tree_over(user, tmp_path):
    """Here without ssh, to a folder that stands for the gateway's root."""
    user.write(tables()).render()
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True, mode=0o711)
    lines = (user.out / "README").read_text().splitlines()
    [line] = [each for each in lines if "root@10.1.255.252" in each]
    line = re.sub(r"ssh root@\S+ '(.*)'", r"\1", line).replace("-C / ", f"-C {root} ")
    subprocess.run(["sh", "-c", line], cwd=user.out, check=True)
    assert stat.S_IMODE((root / "etc").stat().st_mode) == 0o711
    key = root / "etc/havpn/pair.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text() == (user.out / "gw-aa/etc/havpn/pair.key").read_text()


def test_the_schema_in_the_documents_is_current():
    """Bring it up to date with `havpn site schema > docs/site.schema.json`."""
    said = CliRunner().invoke(havpn, ["site", "schema"]).output
    assert (REPO / "docs" / "site.schema.json").read_text() == said


@pytest.mark.parametrize("raw", [*(tables(mode=mode) for mode in MODES), hub()])
def test_the_schema_takes_what_the_model_takes(raw):
    schema = of_site()
    jsonschema.Draft202012Validator.check_schema(schema)
    raw["site"]["a"]["gateways"]["gw-aa"] = {"lan": ["10.1.255.252"], "priority": 200}
    raw["metrics"] = {"listen": ["127.0.0.1:9713"]}
    raw["false_switches"] = "1/30d"
    jsonschema.validate(tomllib.loads(toml_of(raw)), schema)


@pytest.mark.parametrize(
    "wrong",
    [
        {"profil": "fast"},
        {"profile": "quick"},
        {"line_probe": "icmp"},
        {"tunnel": {"auth": "none"}},
        {"render": {"swanctl": "yes"}},
        {"metrics": {"port": 1}},
        {"site": {}},
        {"line": {"vpn1": {"ends": {"gw-aa": "192.0.2.2"}}}},
    ],
)
def test_the_schema_refuses_what_the_model_refuses(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tables(**wrong), of_site())


@pytest.mark.parametrize(
    "struct",
    [FileOptions, SiteOptions, GatewayOptions, LineOptions, TunnelOptions, RenderOptions],
)
def test_every_option_is_described(struct):
    assert [option.name for option in options_of(struct) if not option.description] == []
