"""What all tests with systemd share: the packages, and a running site of each release."""

import os
import subprocess
import sys
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from havpn_core.testing.lab.hosts import leftovers
from tests.systemd.roots import MADE, NoRoot, root
from tests.systemd.site import Site

REPO = Path(__file__).parents[2]
RELEASES = ("12", "13")
BUILD_S = 600


@dataclass(frozen=True)
class Debs:
    """The package of one release of Debian.

    :param new: the same with a higher revision.
    """

    old: Path
    new: Path


@pytest.fixture(scope="session")
def debs(tmp_path_factory) -> dict[str, Debs]:
    """Build the packages, each in two revisions of which the second replaces the first.

    ``HAVPN_DEBS`` names a folder that has them already.
    """
    if given := os.environ.get("HAVPN_DEBS"):
        return _found(Path(given))
    out = tmp_path_factory.mktemp("debs")
    words = [sys.executable, REPO / "scripts" / "deb", "--out", out]
    machine = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()
    words += ["--arch", machine, "--revision", "1", "--revision", "2"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=BUILD_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return _found(out)


EARLIER = "5957598"
"""A commit of before the names in frames, and of before much else, that makes packages."""


@pytest.fixture(scope="session")
def earlier(tmp_path_factory) -> dict[str, Path]:
    """Build the packages of an earlier commit, with a lower revision."""
    kept = subprocess.run(["git", "-C", REPO, "archive", EARLIER], capture_output=True, check=False)
    if kept.returncode:
        text = f"NO COMMIT {EARLIER} HERE: THE UPGRADE FROM IT WAS NOT TRIED"
        warnings.warn(text, stacklevel=1)
        pytest.skip(text)
    source, out = tmp_path_factory.mktemp("earlier"), tmp_path_factory.mktemp("earlier-debs")
    subprocess.run(["tar", "-x", "-C", source], input=kept.stdout, check=True)
    words = [sys.executable, source / "scripts" / "deb", "--out", out, "--revision", "0"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=BUILD_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return {release: next(out.glob(f"*-0~deb{release}_*.deb")) for release in RELEASES}


def _found(out: Path) -> dict[str, Debs]:
    return {
        release: Debs(*(next(out.glob(f"*-{n}~deb{release}_*.deb")) for n in (1, 2)))
        for release in RELEASES
    }


def _leave_out(release: str, why: Exception) -> None:
    text = f"DEBIAN {release} WITH SYSTEMD WAS NOT RUN: {why}"
    warnings.warn(text, stacklevel=1)
    pytest.skip(text)


@pytest.fixture(scope="session")
def sites(debs, request) -> dict[str, "Future[Site]"]:
    """Begin a site of each release that a test needs; one is made ready while others are tested."""
    leftovers.sweep()
    wanted = {
        item.callspec.params["release"]
        for item in request.session.items
        if "site" in getattr(item, "fixturenames", ())
    }
    made: list[Site] = []
    # A host ends with the thread that made it, and these live until the pool is shut down.
    with ThreadPoolExecutor(len(RELEASES)) as pool:
        try:
            yield {
                release: pool.submit(_prepare, release, debs[release].old, made)
                for release in sorted(wanted)
            }
        finally:
            for site in made:
                site.close()


def _prepare(release: str, deb: Path, made: list[Site]) -> Site:
    """Install and configure; what the package itself left is kept for a test."""
    place, seconds = root(release, deb)
    site = Site(place)
    made.append(site)
    site.took["root"] = seconds
    site.install(deb)
    site.note_fresh()
    site.configure()
    return site


@pytest.fixture(scope="session")
def root_of():
    """Give the root of a release, or leave the test out, loudly."""

    def find(release: str, deb: Path, *extra: str) -> Path:
        try:
            return root(release, deb, *extra)[0]
        except NoRoot as problem:
            _leave_out(release, problem)
            raise

    return find


DAEMONS = (
    "conntrackd", "corosync", "crmsh", "libcharon-extra-plugins", "libstrongswan-extra-plugins",
    "libstrongswan-standard-plugins", "pacemaker", "pacemaker-cli-utils", "pcs", "resource-agents",
    "strongswan-charon", "strongswan-swanctl",
)  # fmt: skip
ONLY = {"12": ("heartbeat", "pacemaker-resource-agents"), "13": ("pacemaker-resource-agents",)}


@pytest.fixture(scope="session")
def daemons_of(debs, root_of):
    """Give the root of a release that has the daemons of others, which nothing starts."""

    def find(release: str) -> Path:
        return root_of(release, debs[release].old, *DAEMONS, *ONLY[release])

    return find


@pytest.fixture(params=RELEASES)
def release(request) -> str:
    """Which Debian."""
    return request.param


@pytest.fixture
def site(release, sites) -> Site:
    """Give the running site of a release, with gw-1 as the owner and both daemons well."""
    try:
        ready = sites[release].result()
    except NoRoot as problem:
        _leave_out(release, problem)
    ready.settle()
    return ready


def pytest_collection_modifyitems(items):
    """Run one release after the other; without root all of it is left out, by the lab's mark."""
    here = [item for item in items if Path(str(item.fspath)).parent == Path(__file__).parent]
    places = [number for number, item in enumerate(items) if item in here]
    here.sort(key=lambda item: item.callspec.params["release"] if hasattr(item, "callspec") else "")
    for number, item in zip(places, here, strict=True):
        items[number] = item


def pytest_terminal_summary(terminalreporter):
    """Say what a run with a warm cache saves."""
    for name, seconds in MADE.items():
        terminalreporter.write_line(
            f"the root {name} was not in the cache: made in {seconds:.0f} s"
        )
