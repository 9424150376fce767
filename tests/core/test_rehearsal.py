"""A user's own site is fitted for a rehearsal: what is changed is said, the rest is the user's."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from havpn_core.cli import havpn
from havpn_core.errors import ConfigError
from havpn_core.study.demo.rehearsal import rehearsal_of

OWN = Path(__file__).parents[1] / "testing" / "own_site.toml"
TEXT = OWN.read_text(encoding="utf-8")
MORE = """
[notifier.mail]
type = "exec"
command = ["/usr/local/bin/wake-somebody"]
[metrics]
listen = ["127.0.0.1:9713"]
[havpn.node]
realtime = 50
[havpn.pair]
interval = "100ms"
"""


def made(tmp_path, text=TEXT, more=""):
    file = tmp_path / "site.toml"
    file.write_text(text + more, encoding="utf-8")
    return rehearsal_of(file)


def tables(rehearsal, gateway):
    return tomllib.loads(rehearsal.texts[gateway]["/etc/havpn/havpn.toml"])


def test_names_networks_devices_and_profile_are_the_users(tmp_path):
    found = made(tmp_path)
    east = tables(found, "fw-berlin-east")
    assert east["path"]["glasfaser"]["profile"] == "fast"
    assert east["path"]["glasfaser"]["carrier"] == ["eth0.7", "eth1"]
    assert east["action"]["gateway"]["addresses"] == ["192.168.40.1/24", "2001:db8:b:40::1/64"]
    assert found.paths == {
        "fw-berlin-east": "glasfaser", "client": "glasfaser",
        "gateway-berlin-west-02": "dsl", "prater": "dsl",
    }  # fmt: skip


def test_partners_and_far_ends_have_the_same_keys_and_others_have_not(tmp_path):
    texts = made(tmp_path).texts
    pair, line = "/etc/havpn/pair.key", "/etc/havpn/line-glasfaser.key"
    east, west, far = (texts[n] for n in ("fw-berlin-east", "gateway-berlin-west-02", "client"))
    assert east[pair] == west[pair] != far[pair]
    assert east[line] == far[line]
    assert line not in west


def test_nobody_is_notified_and_nothing_of_the_machine_is_touched(tmp_path):
    found = made(tmp_path, more=MORE)
    for name in found.plan.gateways:
        assert not {"notifier", "metrics"} & set(tables(found, name))
        assert tables(found, name)["node"] == {"name": name}
    assert tables(found, "client")["pair"]["interval"] == "100ms"
    said = "\n".join(found.notes)
    for words in ("nobody is notified", "metrics: are not served", "without IPsec", "/dev/ttyS1"):
        assert words in said


@pytest.mark.parametrize("mode", ["heartbeat", "pacemaker"])
def test_a_cluster_that_is_not_here_is_a_pair_and_that_is_said_loudly(tmp_path, monkeypatch, mode):
    text = TEXT.replace('lan_device = "eth1"\n', f'lan_device = "eth1"\nmode = "{mode}"\n')
    monkeypatch.setattr("shutil.which", lambda name: None)
    found = made(tmp_path, text)
    (said,) = (note for note in found.notes if "RUNS AS A PAIR" in note)
    assert said.startswith(f"site berlin: RUNS AS A PAIR, and not with {mode.capitalize()}: ")
    assert said.endswith(" is not installed here")
    assert "pair" in tables(found, "fw-berlin-east")


@pytest.mark.parametrize("mode", ["heartbeat", "pacemaker"])
def test_a_cluster_that_is_here_is_itself(tmp_path, monkeypatch, mode):
    text = TEXT.replace('lan_device = "eth1"\n', f'lan_device = "eth1"\nmode = "{mode}"\n')
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/sbin/{name}")
    monkeypatch.setattr("havpn_core.study.demo.clusters._is_root", lambda: True)
    found = made(tmp_path, text)
    assert not any("PAIR" in note for note in found.notes)
    assert "pair" not in tables(found, "fw-berlin-east")
    assert "pair" in tables(found, "prater")
    monkeypatch.setattr("havpn_core.study.demo.clusters._is_root", lambda: False)
    assert any(note.endswith("only root can run that") for note in made(tmp_path, text).notes)


def test_a_site_that_stays_where_it_is_is_not_waited_for(tmp_path):
    text = TEXT.replace('wan_device = "ppp0"\n', 'wan_device = "ppp0"\npreempt = "manual"\n')
    assert made(tmp_path, text).returning == {"berlin"}
    quick, slow = made(tmp_path), made(tmp_path, TEXT.replace('"fast"', '"article"'))
    assert slow.back_s >= 180 > quick.back_s
    assert quick.returning == {"berlin", "wien"}


def test_what_is_wrong_in_the_file_or_what_it_makes_is_said_with_its_key(tmp_path):
    with pytest.raises(ConfigError) as caught:
        made(tmp_path, TEXT.replace('"10.77.0.1"', '"10.77.0"').replace('"203.0.113.6"', '"203."'))
    assert len(caught.value.problems) == 2
    with pytest.raises(ConfigError, match=r"site\.wien\.vips"):
        made(tmp_path, TEXT.replace('"10.77.0.1"', '"10.77.0.2"'))
    assert all("site.toml: " in each for each in caught.value.problems)
    with pytest.raises(ConfigError) as caught:
        made(tmp_path, more="[havpn.pair]\nintervall = 20\n")
    (said,) = caught.value.problems
    assert "site.toml: havpn.pair.intervall: " in said


def test_the_command_says_what_is_missing_before_it_builds(tmp_path):
    ended = CliRunner().invoke(havpn, ["demo", "-f", str(tmp_path / "none.toml")])
    assert isinstance(ended.exception, ConfigError)
    assert "there is no such file" in str(ended.exception)
