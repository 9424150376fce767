"""Whether a second action that fails, hangs or lies delays the address.

    python -m benchmarks.campaigns.hooks [--count 3] [--seed 1] [--plain 9] [--only NAME]

Beside the action that owns the address each gateway has an ``exec`` action of one kind. Line 1 is
cut silently, and the active gateway of site A is powered off; both are timed from the fault until
the partner has the address. The median of ``--count`` runs of each kind must not be more than 50 ms
above the median of ``--plain`` runs without a second action. Needs root; the exit status is 1 if it
is.
"""

import random
import time
from dataclasses import dataclass

from benchmarks.campaigns import stage
from benchmarks.figures import quantile, show
from havpn_core.testing.lab import NotInTime
from havpn_core.testing.lab.faults import Street, line_cut, power_off
from havpn_core.testing.lab.gateways import pair_config
from havpn_core.testing.lab.hosts.plan import SITES

ALLOWED_S = 0.05
PHASE_S = 0.05
FLAKY = "/run/hook-flaky"


@dataclass(frozen=True)
class Hook:
    """The commands of an ``exec`` action; each is a line for ``sh -c``.

    :param name: of the action; the one that owns the address is named ``gateway``.
    """

    active: str = "exit 0"
    standby: str = "exit 0"
    observe: str = ""
    name: str = "hook"
    deadline: str = ""

    def toml(self) -> str:
        """Write its table."""
        lines = [f"[action.{self.name}]", 'type = "exec"']
        for key in ("active", "standby", "observe"):
            if getattr(self, key):
                lines.append(f"{key} = ['/bin/sh', '-c', '{getattr(self, key)}']")
        if self.deadline:
            lines.append(f'deadline = "{self.deadline}"')
        return "\n".join(lines)


HANG = "sleep 1000"
DEAF = 'trap "" TERM; while :; do sleep 1; done'
LOOP = "while :; do :; done"
KINDS: dict[str, Hook] = {
    "active fails": Hook(active="exit 1"),
    "standby fails": Hook(standby="exit 1"),
    "both fail": Hook(active="exit 1", standby="exit 1"),
    "both fail, named before": Hook(active="exit 1", standby="exit 1", name="a-hook"),
    "active hangs": Hook(active=HANG),
    "standby hangs": Hook(standby=HANG),
    "both hang": Hook(active=HANG, standby=HANG),
    "both hang, named before": Hook(active=HANG, standby=HANG, name="a-hook"),
    "both hang, short deadline": Hook(active=HANG, standby=HANG, deadline="1s"),
    "both hang, deaf to SIGTERM": Hook(active=DEAF, standby=DEAF, deadline="1s"),
    "both burn the processor": Hook(active=LOOP, standby=LOOP, deadline="2s"),
    "both take 0.5 s": Hook(active="sleep 0.5", standby="sleep 0.5"),
    "both take 3 s": Hook(active="sleep 3", standby="sleep 3"),
    "killed by a signal": Hook(active="kill -9 $$", standby="kill -9 $$"),
    "says active always": Hook(observe="echo active"),
    "says standby always": Hook(observe="echo standby"),
    "says nonsense": Hook(observe="echo perhaps; exit 3"),
    "observing hangs": Hook(observe=HANG),
    "fails and says active": Hook(active="exit 1", standby="exit 1", observe="echo active"),
    "fails and says standby": Hook(active="exit 1", standby="exit 1", observe="echo standby"),
    "fails every second time": Hook(
        active=f"rm {FLAKY} || {{ touch {FLAKY}; exit 1; }}",
        standby=f"rm {FLAKY} || {{ touch {FLAKY}; exit 1; }}",
    ),
    "leaves a daemon behind": Hook(active="sleep 30 &", standby="sleep 30 &"),
    "writes without end": Hook(active="yes", standby="yes", deadline="2s"),
}


def dress(here: Street, more: str) -> None:
    """Give all gateways further tables, and wait for the calm.

    :raises NotInTime: the reload did not come about, or no calm after it.
    """
    since = time.time()
    here.options["more"] = more
    for name, daemon in here.daemons.items():
        daemon.configure(pair_config(name, **here.options))
        daemon.reload()
    for daemon in here.daemons.values():
        daemon.wait_event("daemon", "reloaded", 20, since)
    if not stage.calm(here, 20):
        raise NotInTime("the street did not become calm after the reload")


def undress(here: Street) -> None:
    """Bring all gateways back to the action that owns the address alone, whatever it takes.

    :raises NotInTime: not even new daemons become calm.
    """
    try:
        dress(here, "")
    except NotInTime:
        for daemon in here.daemons.values():
            daemon.restart()
        if not stage.calm(here):
            raise


def cut(here: Street) -> float:
    """Cut line 1, and heal it once both sites have moved; give the slower one's seconds."""
    since = time.monotonic()
    heal = line_cut(here, SITES["a"].preferred)
    try:
        return max(stage.taken(here, site, since) for site in SITES)
    finally:
        heal()


def off(here: Street) -> float:
    """Power site A's active gateway off and on; give the seconds until its partner took over."""
    since = time.monotonic()
    undo = power_off(here, SITES["a"].preferred)
    try:
        return stage.taken(here, "a", since)
    finally:
        undo()


FAULTS = {"line cut": cut, "power off": off}


def measure(here: Street, more: str, count: int, dice: random.Random) -> dict[str, list[float]]:
    """Time both faults so many times with further tables; no calm before one counts as infinity."""
    found: dict[str, list[float]] = {name: [] for name in FAULTS}
    try:
        dress(here, more)
    except NotInTime:
        return {name: [float("inf")] for name in FAULTS}
    for _ in range(count):
        for name, fault in FAULTS.items():
            if not stage.calm(here, 20):
                found[name].append(float("inf"))
                continue
            time.sleep(dice.uniform(0, PHASE_S))
            found[name].append(fault(here))
    return found


def campaign(
    here: Street, kinds: list[str], dice: random.Random, count: int, plain: int
) -> list[str]:
    """Try all kinds, print the figures and return what was missed."""
    usual = measure(here, "", plain, dice)
    rows, missed = [["no second action", *_figures(usual)]], []
    for kind in kinds:
        undress(here)
        found = measure(here, KINDS[kind].toml(), count, dice)
        rows.append([kind, *_figures(found)])
        for name, values in found.items():
            more = quantile(values, 0.5) - quantile(usual[name], 0.5)
            if more > ALLOWED_S:
                missed.append(f"{kind}: {name}: {1000 * more:.0f} ms more than without")
    show(("second action", *[f"{name} {what}" for name in FAULTS for what in ("ms", "max")]), rows)
    return missed


def _figures(found: dict[str, list[float]]) -> list[str]:
    return [f"{1000 * quantile(v, share):.0f}" for v in found.values() for share in (0.5, 1.0)]


def main() -> None:
    """Make the campaign and judge."""
    options = stage.parser(__doc__, count=3)
    options.add_argument("--plain", type=int, default=9, help="runs without a second action (9)")
    options.add_argument("--only", choices=list(KINDS), action="append", help="this kind")
    chosen = options.parse_args()
    kinds = chosen.only or list(KINDS)
    with stage.street() as here:
        missed = campaign(here, kinds, random.Random(chosen.seed), chosen.count, chosen.plain)
    stage.finish(missed)


if __name__ == "__main__":
    main()
