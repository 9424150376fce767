"""`scripts/install-packages` with real packages, in a private copy of this machine's file tree."""

import gzip
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = "[Service]\nExecStart=/bin/sleep 9\n[Install]\nWantedBy=multi-user.target\n"
# What debhelper writes into the scripts of a package with a unit, and of one with an init script.
WITH_UNIT = """
deb-systemd-helper unmask havpn-try.service >/dev/null || true
if deb-systemd-helper --quiet was-enabled havpn-try.service; then
    deb-systemd-helper enable havpn-try.service >/dev/null || true
else
    deb-systemd-helper update-state havpn-try.service >/dev/null || true
fi
"""
WITH_INIT = """
update-rc.d havpn-old defaults >/dev/null
invoke-rc.d havpn-old start || exit 1
"""
INIT = """#!/bin/sh
### BEGIN INIT INFO
# Provides: havpn-old
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
touch /var/started
"""
# What an installation changes lies over the machine's own files and is gone with the namespace.
STAGE = """
set -eu
mount -t tmpfs none "$1/over"
for part in etc var usr; do
    over=$1/over/$part
    mkdir "$over" "$over.work"
    mount -t overlay -o "lowerdir=/$part,upperdir=$over,workdir=$over.work" none /$part
done
mount -t tmpfs none /run
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /usr/sbin/policy-rc.d
echo "deb [trusted=yes] file:$1/repo ./" >/etc/apt/sources.list
echo 'APT::Sandbox::User "root";' >/etc/apt/apt.conf.d/99try
mkdir -p /etc/systemd/system/multi-user.target.wants
ln -s /dev/null /etc/systemd/system/multi-user.target.wants/mine.service
export RUNLEVEL=2 PREVLEVEL=N
eval "$2"
PATH=/usr/bin:/bin "$1/scripts/install-packages" test >"$1/said" 2>&1 || echo "status $?"
for link in /etc/systemd/system/multi-user.target.wants/mine.service \
    /etc/systemd/system/multi-user.target.wants/havpn-try.service /etc/rc2.d/S??havpn-old; do
    [ ! -L "$link" ] || echo "enabled ${link##*/}"
done
for package in havpn-try havpn-old havpn-bad; do
    dpkg-query -W -f '${Package} ${db:Status-Status}\n' $package 2>/dev/null || true
done
[ ! -e /var/started ] || echo started
[ ! -e /usr/sbin/policy-rc.d ] || echo policy
"""


def package(folder, name, files, after):
    tree = folder / "trees" / name
    for path, (text, mode) in (files | {"DEBIAN/control": (
        f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: T <t@example.com>\n"
        "Description: made by a test\n", 0o644,
    ), "DEBIAN/postinst": (f"#!/bin/sh\nset -e\n{after}\n", 0o755)}).items():  # fmt: skip
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
        (tree / path).chmod(mode)
    deb = folder / "repo" / f"{name}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", str(tree), str(deb)],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    content = deb.read_bytes()
    control = (tree / "DEBIAN/control").read_text()
    return (
        f"{control}Filename: ./{deb.name}\nSize: {len(content)}\n"
        f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
    )


@pytest.fixture
def installed(tmp_path):
    """Install the named packages; gives what is found afterwards, and what the script said."""
    if os.geteuid() != 0:
        pytest.skip("needs root: THE INSTALLATION OF PACKAGES WAS NOT TRIED")
    for name in ("over", "repo", "scripts"):
        (tmp_path / name).mkdir()
    unit = {"usr/lib/systemd/system/havpn-try.service": (UNIT, 0o644)}
    script = {"etc/init.d/havpn-old": (INIT, 0o755)}
    index = "\n".join([
        package(tmp_path, "havpn-try", unit, WITH_UNIT),
        package(tmp_path, "havpn-old", script, WITH_INIT),
        package(tmp_path, "havpn-bad", {}, "exit 1"),
    ])  # fmt: skip
    (tmp_path / "repo" / "Packages.gz").write_bytes(gzip.compress(index.encode()))
    tried = tmp_path / "scripts" / "install-packages"
    tried.write_bytes((ROOT / "scripts" / "install-packages").read_bytes())
    tried.chmod(0o755)

    def run(*names, before=":"):
        (tmp_path / "packages.txt").write_text("[demo]\ncoreutils\n[test]\n" + "\n".join(names))
        ended = subprocess.run(
            ["unshare", "--mount", "sh", "-c", STAGE, "stage", str(tmp_path), before],
            capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.splitlines(), (tmp_path / "said").read_text()

    return run


def test_what_it_installs_is_neither_started_nor_enabled(installed):
    found, said = installed("havpn-try", "havpn-old")
    assert found == ["enabled mine.service", "havpn-try installed", "havpn-old installed"], said
    assert "not enabled: havpn-try.service" in said


def test_nor_after_an_installation_that_failed(installed):
    found, said = installed("havpn-try", "havpn-bad")
    assert found[0].startswith("status "), said
    assert found[1:] == [
        "enabled mine.service", "havpn-try installed", "havpn-bad half-configured",
    ]  # fmt: skip


def test_what_is_there_already_stays_as_it_is(installed):
    there = (
        "apt-get update -q >/dev/null; apt-get install -y -q havpn-try havpn-old >/dev/null 2>&1"
    )
    found, said = installed("havpn-try", "havpn-old", before=there)
    assert sorted(found) == [
        "enabled S01havpn-old", "enabled havpn-try.service", "enabled mine.service",
        "havpn-old installed", "havpn-try installed", "started",
    ], said  # fmt: skip
    assert said == ""


def test_a_policy_of_the_operators_own_stays(installed):
    own = r"printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d"
    found, said = installed("havpn-old", before=own)
    assert found == ["enabled mine.service", "havpn-old installed", "policy"], said


def sections():
    found, section = {}, None
    for line in (ROOT / "packages.txt").read_text().splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            section.append(line)
    return found


def test_the_demo_needs_three_packages():
    found = sections()
    assert list(found) == ["demo", "test"]
    assert found["demo"] == ["iproute2", "procps", "python3-venv"]
    assert found["test"] == sorted(set(found["test"]))
    assert not set(found["demo"]) & set(found["test"])


def test_who_is_not_root_is_told_what_is_missing():
    user = ["setpriv", "--reuid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "scripts").mkdir()
        tried = folder / "scripts" / "install-packages"
        tried.write_bytes((ROOT / "scripts" / "install-packages").read_bytes())
        (folder / "packages.txt").write_text("[demo]\ncoreutils\nhavpn-no\n[test]\nhavpn-nor\n")
        ended = subprocess.run(
            [*user, "sh", str(tried), "demo"],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
    assert ended.returncode == 1
    assert "    apt-get install --no-install-recommends havpn-no\n" in ended.stderr
