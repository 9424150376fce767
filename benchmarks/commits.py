"""How long a partner's connections take to be committed before the address comes.

    python -m benchmarks.commits [--sizes 0 1000 10000 50000] [--runs 3]

Two gateways on one LAN with a real conntrackd each. One has that many connections in its kernel;
the other prepares as the action ``conntrackd`` does, with 0.1 s: into an empty table, and into one
that still has its old entries, as after a failback. Of all runs the worst is shown. Needs root;
the exit status is 1 if preparing took 50 ms longer than its 0.1 s, whatever the size, or 1000
connections did not fit.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.campaigns import stage
from benchmarks.figures import need, show
from havpn_core.testing.lab import GATEWAYS, connect, end_hosts, open_folder, wait_for
from havpn_core.testing.lab.daemons.conntrackd import CONFIG, Conntrackd, raise_firewall
from havpn_core.testing.lab.hosts.host import start_hosts

PREPARE_S = 0.1
LATE_S = 0.05
MUST_FIT = 1000
OPEN = """
import socket, struct, sys, time
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
raw.bind(("10.99.0.1", 0))
for number in range(int(sys.argv[1])):
    syn = struct.pack(">HHIIBBHHH", 1024 + number % 60000, 80, 1, 0, 5 << 4, 2, 8192, 0, 0)
    raw.sendto(syn, (f"10.99.0.{10 + number // 60000}", 0))
    if number % 500 == 499:
        time.sleep(0.02)
"""
PREPARE = f"""
import asyncio, json, time
from havpn_core import ActionError, Role
from havpn_core.plugging.registry import Registry
from havpn_core.testing.contracts import context, options
kind = Registry.load().get("action", "conntrackd")
action = kind.build(options(kind, {{"config": "{CONFIG}"}}), context())
async def run():
    began, error = time.monotonic(), None
    try:
        await action.prepare(Role.ACTIVE, {PREPARE_S})
    except ActionError as problem:
        error = str(problem)
    took = time.monotonic() - began
    await action.apply(Role.ACTIVE, 60)
    done = time.monotonic() - began
    print(json.dumps(dict(prepare_s=took, error=error, all_s=done, **action.facts())))
asyncio.run(run())
"""


@contextmanager
def pair() -> Iterator[tuple[Conntrackd, Conntrackd]]:
    """Make two gateways with a LAN between them, and a conntrackd each."""
    hosts = start_hosts(("gw-aa", "gw-ab"), open_folder())
    try:
        near, far = hosts.values()
        connect(near, "lan", far, "lan")
        for name, host in hosts.items():
            host.run_in_network("ip", "address", "add", str(GATEWAYS[name].lan), "dev", "lan")
            raise_firewall(host)
        near.run_in_network("ip", "address", "add", "10.99.0.1/24", "dev", "lan")
        both = Conntrackd(near), Conntrackd(far)
        for each in both:
            each.configure()
            each.start()
        yield both
    finally:
        end_hosts(hosts.values())


def known(states: Conntrackd) -> int:
    """Count what the external cache holds."""
    lines = states.say("-s").splitlines()
    at = lines.index("cache external:") + 1
    return int(lines[at].split(":")[1].split()[0])


def measured(size: int) -> list[dict[str, float]]:
    """Prepare twice: into an empty table, and into one with the old entries."""
    found = []
    with pair() as (near, far):
        near.host.run(sys.executable, "-c", OPEN, str(size), timeout=60)
        for _ in range(2):
            near.say("-B")
            wait_for(lambda: known(far) >= size, 30, f"{size} connections at the partner")
            out = far.host.run(sys.executable, "-c", PREPARE, timeout=120).stdout
            found.append(json.loads(out))
    return found


def main() -> None:
    """Measure, print and judge."""
    need()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[0, 1000, 10000, 50000])
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    rows, missed = [], []
    for size in chosen.sizes:
        runs = [measured(size) for _ in range(chosen.runs)]
        for number, table in enumerate(("empty", "old entries")):
            these = [run[number] for run in runs]
            worst = {key: max(each[key] for each in these) for key in ("prepare_s", "all_s")}
            commit = max(each["commit_ms"] for each in these)
            late = sum(each["error"] is not None for each in these)
            took = [f"{1000 * worst[key]:.0f}" for key in ("prepare_s", "all_s")]
            rows.append([f"{size}, {table}", f"{commit:.0f}", *took, late])
            if worst["prepare_s"] > PREPARE_S + LATE_S or (late and size <= MUST_FIT):
                missed.append(f"{size}, {table}: {these}")
    show(("connections", "commit ms", "before the address ms", "all ms", "reported"), rows)
    stage.finish(missed)


if __name__ == "__main__":
    main()
