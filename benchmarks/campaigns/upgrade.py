"""Whether a rolling upgrade from an earlier commit, and the way back, cost nothing.

    python -m benchmarks.campaigns.upgrade [--count 1] [--seed 1] [--old REVISION ...] [--gap 0.5]

All four daemons run an old commit, taken from this checkout's git into a folder of its own: each of
:data:`OLD` in turn, if none is named. Then
one after another is ended by SIGTERM and started from the working tree, under a ping every 10 ms
and a TCP connection through both sites; afterwards the same back. The orders take turns: at each
site the standby first, or the active first; site by site, or crosswise. No ping may be lost, no two
gateways may own an address, and none may be without owner for more than an ordered handover takes:
an old daemon moves it when its far end restarts. Needs root and git; the exit status is 1 if a
bound is missed.
"""

import contextlib
import itertools
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.campaigns import stage
from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.daemons.supervisor import Supervisor
from havpn_core.testing.lab.faults import Street
from havpn_core.testing.lab.gateways import KEY
from havpn_core.testing.lab.hosts.plan import (
    GATEWAYS,
    SERIAL_DEVICE,
    SITES,
    partner_of,
    site_of,
)
from havpn_core.testing.lab.pinger import IN_FLIGHT_S

OLD = {
    "release-0.1": (
        "b8b1c306f20e9884e524a151c8b41fc555795322",
        "Name the key of an address that is too long for a name",
    ),
    "before-road": (
        "1a0593e2bec868b6860a523f52263fcc356e3f8d",
        "Let no test fail for what a busy host takes: examples without deadline, "
        "events since the signal",
    ),
}
"""By tag, with hash and subject: the last commit whose pairs speak protocol 1 as released, and the
last one that watches no road. A clone may have no tags, a rewritten history other hashes."""
ROOT = Path(__file__).parents[2]
# The distribution's names for its packages that lie in folders of other names.
PACKAGES = {"havpn_core": "havpn_core", "havpn_plugins": "plugins", "havpn_ocf": "ocf"}
NEW = (sys.executable, "-m", "havpn_core")
PING_S = 0.01
WATCH_S = 1.5
HANDOVER_S = 0.1
ORDERS = (
    ("gw-ab", "gw-aa", "gw-bb", "gw-ba"),
    ("gw-aa", "gw-ab", "gw-ba", "gw-bb"),
    ("gw-ab", "gw-bb", "gw-aa", "gw-ba"),
    ("gw-aa", "gw-ba", "gw-ab", "gw-bb"),
)


CONFIG = """
[node]
name = "{name}"
[path.line]
profile = "fast"
rise = 40
damping = false
carrier = ["wan", "lan"]
[path.line.probe.echo]
type = "udp-echo"
host = "{far}"
device = "wan"
[respond]
listen = ["{near}:7", "{local}:7"]
allow = ["{far}/32", "{far_lan}/32"]
rate = 1000
[action.gateway]
type = "alias-arp"
device = "lan"
addresses = ["{shared}"]
[pair]
priority = {priority}
key_file = "/etc/havpn/pair.key"
preempt = "auto"
[pair.link.cable]
type = "serial"
device = "{serial}"
[pair.link.lan]
type = "udp"
local = "{local}"
peer = "{peer}"
"""
"""What the earlier commits know; what a site file is rendered to has tables that they do not."""


def start(lab: TwoSite, name: str, program: tuple[str, ...]) -> Supervisor:
    """Start a gateway's daemon."""
    gateway, site = GATEWAYS[name], site_of(name)
    far = GATEWAYS[gateway.far]
    config = CONFIG.format(
        name=name,
        near=gateway.wan.ip,
        far=far.wan.ip,
        local=gateway.lan.ip,
        far_lan=far.lan.ip,
        shared=site.shared,
        priority=150 if name == site.preferred else 100,
        serial=SERIAL_DEVICE,
        peer=GATEWAYS[partner_of(name)].lan.ip,
    )
    lab.hosts[name].write("/etc/havpn/pair.key", KEY, 0o600)
    daemon = lab.supervisor(name, config, program)
    daemon.start()
    return daemon


def commit_of(revision: str) -> str:
    """Find an old commit by its tag or hash; one of :data:`OLD` by its hash or subject as well.

    :raises SystemExit: this is no git checkout, or it has no such commit.
    """
    number, subject = OLD.get(revision, ("", ""))
    for name in filter(None, (f"refs/tags/{revision}", revision, number)):
        if found := _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
            return found
    for line in _git("log", "--all", "--format=%H %s").splitlines() if subject else ():
        found, _, words = line.partition(" ")
        if words == subject:
            return found
    raise SystemExit(f"git has no commit {revision} here: fetch it, or name another --old")


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


@contextlib.contextmanager
def checkout(revision: str) -> Iterator[tuple[str, ...]]:
    """Lay a commit's tree out and give the command line that runs its daemon.

    :raises SystemExit: this is no git checkout, or it has no such commit.
    """
    with tempfile.TemporaryDirectory(prefix="havpn-old-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", commit_of(revision)],
            capture_output=True,
            check=True,
        )
        subprocess.run(["tar", "-x", "-C", str(tree)], input=archive.stdout, check=True)
        path = Path(folder) / "path"
        path.mkdir()
        for package, where in PACKAGES.items():
            (path / package).symlink_to(tree / where)
        program = ("env", f"PYTHONPATH={path}", sys.executable, "-m", "havpn_core")
        prove(program, path)
        yield program


def prove(program: tuple[str, ...], path: Path) -> None:
    """See that a command line runs what it should, all of it.

    :raises SystemExit: it does not.
    """
    code = "import havpn_core, havpn_plugins as p; print(havpn_core.__file__, p.__file__)"
    said = subprocess.run(
        [*program[:3], "-c", code], capture_output=True, text=True, check=True, cwd="/"
    ).stdout.split()
    if not all(name.startswith(str(path)) for name in said):
        raise SystemExit(f"the old commit does not run by itself: it imports {' and '.join(said)}")


def replace(here: Street, gateway: str, program: tuple[str, ...], gap: float) -> None:
    """End a gateway's daemon in order, and ``gap`` seconds later start another in its place."""
    at = time.time()
    here.daemons[gateway].stop()
    time.sleep(gap)
    here.daemons[gateway] = start(here.lab, gateway, program)
    here.daemons[gateway].wait_event("daemon", "started", 20, at)
    here.daemons[gateway].wait_verdict("line", "up", 20)
    time.sleep(WATCH_S)


def roll(
    here: Street, what: str, order: tuple[str, ...], program: tuple[str, ...], gaps: Iterator[float]
) -> tuple[list[object], list[str]]:
    """Replace all four daemons one after another; return a table's row and what was missed."""
    missed: list[str] = []
    pinger, stream = here.lab.pinger(interval=PING_S), here.lab.stream()
    try:
        since, wall = time.monotonic(), time.time()
        for gateway in order:
            replace(here, gateway, program, next(gaps))
        if not stage.calm(here):
            missed.append(f"{what}: the street is not calm after it")
        time.sleep(IN_FLIGHT_S + 0.1)
        outages = pinger.outages(0.0, since)
        report = stream.finish()
    finally:
        pinger.stop()
        stream.kill()
    for text in stage.role_changes(here, wall):
        print(f"  {what}: {text}")
    lost = sum(each.lost for each in outages)
    found = {site: here.lab.tenure(site, since) for site in SITES}
    for site, tenure in found.items():
        if tenure.shared or tenure.unowned > HANDOVER_S:
            missed.append(
                f"{what}: site {site}: two owners for {tenure.shared:.3f} s, "
                f"none for {tenure.unowned:.3f} s"
            )
    if lost:
        missed.append(f"{what}: {lost} pings lost")
    if not report.intact:
        missed.append(f"{what}: the connection broke: {report.error}")
    longest = max((each.seconds for each in outages), default=0.0)
    shared = max(each.shared for each in found.values())
    unowned = max(each.unowned for each in found.values())
    figures = (f"{each:.3f}" for each in (longest, shared, unowned))
    return [what, stage.moves(here, since), lost, *figures], missed


def campaign(here: Street, old: tuple[str, ...], count: int, gaps: Iterator[float]) -> list[str]:
    """Go through all orders, there and back; print the figures and return what was missed."""
    missed: list[str] = []
    rows = []
    for order in ORDERS * count:
        for way, program in (("up", NEW), ("down", old)):
            row, wrong = roll(here, f"{way}: {' '.join(order)}", order, program, gaps)
            rows.append(row)
            missed += wrong
    stage.show(("replaced", "moves", "pings lost", "longest s", "two owners s", "no owner s"), rows)
    return missed


def main() -> None:
    """Make the campaign and judge."""
    options = stage.parser(__doc__, count=1)
    options.add_argument("--old", nargs="+", default=[*OLD], help="earlier commits")
    options.add_argument("--gap", type=float, default=0.5, help="at most so long between the two")
    chosen = options.parse_args()
    dice = random.Random(chosen.seed)
    gaps = (dice.uniform(0, chosen.gap) for _ in itertools.count())
    missed: list[str] = []
    for name in chosen.old:
        print(f"{name}, {commit_of(name)[:10]}:")
        with checkout(name) as old, TwoSite(ipsec=False) as lab:
            here = Street(lab, {n: start(lab, n, old) for n in GATEWAYS})
            found = [] if stage.calm(here) else ["the old commit did not become calm"]
            found += campaign(here, old, chosen.count, gaps)
        missed += [f"{name}: {each}" for each in found]
    stage.finish(missed)


if __name__ == "__main__":
    main()
