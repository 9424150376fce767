"""``havpn site verify``."""

import json

import pytest

from havpn_core.cli import havpn
from havpn_core.cli.ending import perform

GOOD = """
[site.a]
networks = ["10.1.0.0/16"]
vips = ["10.1.255.254"]
gateways = { gw-aa = "10.1.255.252", gw-ab = "10.1.255.253" }
[site.b]
networks = ["10.31.0.0/24"]
vips = ["10.31.0.254"]
mode = "pacemaker"
gateways = { gw-ba = "10.31.0.251", gw-bb = "10.31.0.252" }
[line.vpn1]
ends = { gw-aa = "192.0.2.2", gw-ba = "192.0.2.6" }
[line.vpn2]
ends = { gw-ab = "198.51.100.2", gw-bb = "198.51.100.6" }
"""


@pytest.fixture
def verify(tmp_path, capsys):
    """Verify a text; gives the exit status, the output and the errors."""

    def run(text, *words):
        file = tmp_path / "site.toml"
        file.write_text(text)
        file.chmod(0o600)
        status = perform(havpn, "havpn", ["site", "verify", "-f", str(file), *words])
        said = capsys.readouterr()
        return status, *(each.replace(f"{tmp_path}/", "") for each in (said.out, said.err))

    return run


def test_a_good_file_shows_the_times_of_both_ends(verify):
    status, out, err = verify(GOOD)
    assert (status, err) == (0, "")
    times, *files, last = out.split("\n", 4)[:4], *out.splitlines()[4:]
    assert all("good by " in line or "not checked by " in line for line in files)
    assert [*times, last] == [
        "The longest times from a cut and from a heal, on clean lines:",
        "line  gateway  detection  failback  gateway  detection  failback",
        "vpn1  gw-aa    475ms      10.3s     gw-ba    475ms      10.3s",
        "vpn2  gw-ab    475ms      10.3s     gw-bb    475ms      10.3s",
        "site.toml: good: 2 sites, 4 gateways, 2 lines",
    ]


def test_the_times_are_those_of_each_end(verify):
    override = (
        '[site.a.gateways]\ngw-ab = "10.1.255.253"\n[site.a.gateways.gw-aa]\n'
        'lan = "10.1.255.252"\n[site.a.gateways.gw-aa.havpn.path.vpn1]\nrise = 800\n'
    )
    text = GOOD.replace('gateways = { gw-aa = "10.1.255.252", gw-ab = "10.1.255.253" }\n', "")
    status, out, _ = verify(text + override)
    assert status == 0
    assert "vpn1  gw-aa    475ms      20.3s     gw-ba    475ms      10.3s" in out


def test_all_problems_go_to_the_errors_at_once(verify):
    text = GOOD.replace("198.51.100.6", "10.1.0.6").replace("10.31.0.254", "10.32.0.254")
    status, out, err = verify(text + "mtu = 100\n")
    assert (status, out) == (1, "site.toml: 3 problems\n")
    keys = [line.split(": ")[1] for line in err.splitlines()]
    assert keys == ["line.vpn2.ends.gw-bb", "line.vpn2.mtu", "site.b.vips"]
    assert all(line.startswith("site.toml: ") for line in err.splitlines())


def test_what_is_seldom_meant_is_a_warning(verify):
    status, out, _ = verify(
        GOOD.replace('mode = "pacemaker"', 'mode = "pacemaker"\nserial="/dev/a"')
    )
    assert status == 0
    assert "warning: site.b.serial: Pacemaker has no use for a serial cable: leave it out" in out


def test_json_has_everything(verify):
    status, out, _ = verify(GOOD, "--json")
    found = json.loads(out)
    assert (status, found["good"], found["problems"]) == (0, True, [])
    assert found["times"]["vpn1"]["gw-ba"] == {"detection_s": 0.475, "failback_s": 10.3}
    status, out, err = verify(GOOD.replace("10.31.0.254", "10.32.0.254"), "--json")
    assert (status, err, json.loads(out)["good"]) == (1, "", False)
    assert set(json.loads(out)["problems"][0]) == {"key", "text", "remedy"}


def test_a_file_that_cannot_be_read_is_one_sentence(verify, tmp_path, capsys):
    missing = tmp_path / "none.toml"
    assert perform(havpn, "havpn", ["site", "verify", "-f", str(missing)]) == 1
    assert f"write one with havpn site new -f {missing}" in capsys.readouterr().err
    status, _, err = verify("[site")
    assert status == 1
    assert "is no valid TOML" in err


def test_wrong_usage_ends_with_2(verify):
    status, _, err = verify(GOOD, "--quick")
    assert status == 2
    assert "No such option" in err


def test_nothing_is_written(verify, tmp_path):
    verify(GOOD)
    assert [each.name for each in tmp_path.iterdir()] == ["site.toml"]
