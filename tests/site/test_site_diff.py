"""``havpn site diff``: its output, its exit status, and the gateways over ssh.

No gateway is reached here: ``ssh`` on the PATH is a script of this test that runs each command on a
folder in place of the gateway, with ``havpn`` and ``swanctl`` that print a file.
"""

import json
import os
import shutil

import pytest
from click.testing import CliRunner

from havpn_core.cli.sites.diff import diff
from havpn_core.cli.sites.render import render
from havpn_core.site.drift.whole import HAVPN
from tests.site.gateways import CONNECTIONS, PAIR_KEY, SITE, SWANCTL, Gateways

SSH = """#!/bin/sh
# A stand-in for ssh: no network, and the folder $ROOTS/GATEWAY for the gateway.
echo "$*" >> {roots}/calls
while [ "$1" != -- ]; do shift; done
root={roots}/$2
[ -d "$root" ] || {{ echo "ssh: connect to host $2 port 22: No route to host" >&2; exit 255; }}
[ -e "$root/slow" ] && exec sleep 60
PATH={roots}/bin:$PATH ROOT=$root
export PATH ROOT
eval "$(printf '%s' "$3" | sed "s#/etc/#$root/etc/#g")"
"""
PROGRAMS = {
    "tar": 'exec /bin/tar --transform "s#^$ROOT##" "$@"',
    "havpn": 'cat "$ROOT/run/havpn/status.json" 2>/dev/null || '
    '{ echo "status.json is not there" >&2; exit 1; }',
    "swanctl": '[ -e "$ROOT/absent" ] && exit 127; cat "$ROOT/run/havpn/list-conns" 2>/dev/null || '
    '{ echo "connecting to charon failed" >&2; exit 22; }',
}


@pytest.fixture
def gateways(tmp_path, monkeypatch):
    made = Gateways(tmp_path / "live")
    (tmp_path / "site.toml").write_text(SITE)
    (tmp_path / "site.toml").chmod(0o600)
    scripts = {"path/ssh": SSH.format(roots=tmp_path / "live")}
    scripts |= {f"live/bin/{name}": f"#!/bin/sh\n{text}\n" for name, text in PROGRAMS.items()}
    for name, text in scripts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}{os.environ['PATH']}")
    return made


def run(gateways, *options):
    ended = CliRunner().invoke(diff, ["-f", str(gateways.folder.parent / "site.toml"), *options])
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    for secret in ("INLINE-SECRET", *gateways.secrets.values()):
        assert secret not in ended.output
    return ended


def live(gateways):
    return ["--live", str(gateways.folder)]


@pytest.mark.parametrize("options", [live, lambda g: ["--ssh"]], ids=["live", "ssh"])
def test_an_untouched_site_has_no_difference(gateways, options):
    ended = run(gateways, *options(gateways))
    assert (ended.output.splitlines()[-1].rpartition(": ")[2], ended.exit_code) == (
        "no difference", 0,
    )  # fmt: skip
    assert len(ended.output.splitlines()) == 1


def test_the_tree_that_was_rendered_is_compared_with_what_is_beside_it(gateways, tmp_path):
    out, secrets = tmp_path / "out", ["--secrets", str(tmp_path / "of-all")]
    file = str(gateways.folder.parent / "site.toml")
    made = CliRunner().invoke(render, ["-f", file, "--out", str(out), *secrets])
    assert made.exit_code == 0, made.output
    options = ["--out", str(out), *secrets]
    assert run(gateways, *options).output.endswith("no difference\n")
    (out / "README").unlink()
    (out / "gw-ba" / HAVPN[1:]).write_text("")
    lines = run(gateways, *options).output.splitlines()
    assert lines[0].startswith(f"gw-ba: {HAVPN}: ")
    assert lines[0].endswith(": run havpn site render")
    assert lines[1] == "all gateways: README: is not there: run havpn site render"
    assert len(lines) == 3
    (out / "gw-ba" / HAVPN[1:]).unlink()
    made = CliRunner().invoke(render, ["-f", file, "--out", str(out), *secrets])
    assert (made.exit_code, run(gateways, *options).exit_code) == (0, 0)


def test_each_difference_is_one_line_and_its_lines_where_they_are_wanted(gateways):
    gateways.edit("gw-aa", HAVPN, "192.0.2.6", "192.0.2.7")
    ended = run(gateways, *live(gateways))
    first, last = ended.output.splitlines()
    assert first == (
        f"gw-aa: {HAVPN}: 1 line differs: it was edited by hand: carry the rendered tree over"
    )
    assert last.endswith("1 difference")
    assert ended.exit_code == 1
    assert '    +host = "192.0.2.7"' in run(gateways, *live(gateways), "--lines").output


def test_the_document_has_the_same_and_a_schema(gateways):
    gateways.edit("gw-aa", HAVPN, "192.0.2.6", "192.0.2.7")
    gateways.place("gw-bb", CONNECTIONS).unlink()
    ended = run(gateways, *live(gateways), "--json")
    found = json.loads(ended.output)
    (one,) = found["differences"]
    assert (found["schema"], ended.exit_code) == (1, 1)
    assert {k: one[k] for k in ("gateway", "place", "what")} == {
        "gateway": "gw-aa", "place": HAVPN, "what": "changed",
    }  # fmt: skip
    assert '+host = "192.0.2.7"' in one["lines"]
    assert found["unseen"][0].startswith("gw-bb: loaded tunnels: ")


def test_the_secrets_are_compared_with_those_of_the_folder_and_none_is_made(gateways, tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir(0o700)
    for name, value in gateways.secrets.items():
        (folder / f"{name}.key").write_text(f"{value}\n")
        (folder / f"{name}.key").chmod(0o600)
    (folder / "pair-b.key").unlink()
    options = [*live(gateways), "--secrets", str(folder)]
    assert run(gateways, *options).exit_code == 0
    assert not (folder / "pair-b.key").exists()
    (folder / "pair-a.key").write_text("ANOTHER\n")
    ended = run(gateways, *options)
    assert "its secret pair-a is not the one in the folder of secrets" in ended.output
    assert "ANOTHER" not in ended.output


@pytest.mark.parametrize("options", [[], ["--ssh", "--live", "x"], ["--out", "x", "--live", "x"]])
def test_one_place_must_be_named(gateways, options):
    assert run(gateways, *options).exit_code == 2


def test_drift_is_found_over_ssh_and_nothing_is_changed_there(gateways):
    gateways.edit("gw-aa", HAVPN, "192.0.2.6", "192.0.2.7")
    gateways.edit("gw-ab", PAIR_KEY, gateways.secrets["pair-a"], "BY-HAND")
    gateways.write("gw-ba", "/etc/swanctl/conf.d/old.conf",
                   gateways.place("gw-ba", SWANCTL).read_text())  # fmt: skip
    gateways.write("gw-ba", "/etc/swanctl/conf.d/own.conf", "connections {\n}\n")
    gateways.run("gw-bb", state="stale")
    places = [f for f in gateways.folder.rglob("*") if f.is_file() and f.name != "calls"]
    before = {f: f.read_bytes() for f in places}
    lines = run(gateways, "--ssh").output.splitlines()
    assert [" ".join(line.split(": ")[:2]) for line in lines[:-1]] == [
        f"gw-aa {HAVPN}", f"gw-ab {PAIR_KEY}", "gw-ba /etc/swanctl/conf.d/old.conf", "gw-bb status",
    ]  # fmt: skip
    assert {f: f.read_bytes() for f in places} == before


def test_a_gateway_that_is_not_reached_is_one_finding(gateways):
    shutil.rmtree(gateways.place("gw-bb", ""))
    ended = run(gateways, "--ssh")
    assert ended.output.splitlines()[0] == (
        "gw-bb: gateway: is not reached over ssh (ssh: connect to host gw-bb port 22: No route to "
        "host): make ssh -o BatchMode=yes gw-bb true work, such as by Host gw-bb in ~/.ssh/config"
    )
    assert ended.exit_code == 1


def test_a_gateway_that_hangs_is_given_up(gateways, monkeypatch):
    monkeypatch.setattr("havpn_core.site.live.remote.CALL_S", 5)
    gateways.write("gw-bb", "/slow", "")
    ended = run(gateways, "--ssh")
    assert "gw-bb: gateway: no reply over ssh within 5 s: " in ended.output
    assert len(ended.output.splitlines()) == 2


def test_no_password_is_waited_for_and_no_option_is_made_of_a_name(gateways):
    run(gateways, "--ssh")
    calls = (gateways.folder / "calls").read_text().splitlines()
    assert len(calls) == 3 * len(gateways.files)
    assert all("BatchMode=yes" in c and "ConnectTimeout=" in c and " -- gw-" in c for c in calls)


def test_a_daemon_or_charon_that_says_nothing_is_a_finding_and_no_swanctl_is_none(gateways):
    gateways.place("gw-aa", "/run/havpn/status.json").unlink()
    gateways.place("gw-ab", CONNECTIONS).unlink()
    gateways.write("gw-ba", "/absent", "")
    lines = run(gateways, "--ssh").output.splitlines()
    assert lines[0].startswith("gw-aa: status: havpn status shows nothing (status.json is not")
    assert lines[1].startswith("gw-ab: tunnels: charon does not say what it has loaded (connecting")
    assert lines[2] == "not compared: gw-ba: loaded tunnels: there is no swanctl"
    assert len(lines) == 4


def test_what_prints_into_the_answer_is_said(gateways):
    text = (gateways.folder.parent / "path" / "ssh").read_text()
    (gateways.folder.parent / "path" / "ssh").write_text(
        text.replace("#!/bin/sh\n", "#!/bin/sh\necho Welcome to the gateway\n")
    )
    lines = run(gateways, "--ssh").output.splitlines()
    assert lines[0].startswith("gw-aa: gateway: tar there gave no archive")
    assert len(lines) == 1 + len(gateways.files)


def test_without_ssh_the_package_is_named(gateways, monkeypatch):
    monkeypatch.setenv("PATH", str(gateways.folder))
    ended = CliRunner().invoke(diff, ["-f", str(gateways.folder.parent / "site.toml"), "--ssh"])
    assert "install openssh-client" in str(ended.exception)


def test_a_file_that_its_user_may_not_read_is_said(gateways):
    ssh = gateways.folder.parent / "path" / "ssh"
    # root reads everything, so here the question whether it may is one that is always denied.
    text = ssh.read_text().replace("#g", "#g; s#\\[ -r #[ -z #")
    last = text.splitlines()[-1]
    denied = f"{{ {last} 2>&1 1>&3 | sed s#$root## >&2; }} 3>&1"
    ssh.write_text(text.replace(last, denied))
    lines = run(gateways, "--ssh").output.splitlines()
    assert lines[0] == (
        f"gw-aa: {HAVPN}: cannot be read: its user there may not read it: look as a user who may "
        "read it"
    )
