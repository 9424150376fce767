"""Whether a gateway whose daemon is dead or frozen, while its kernel lives, is taken over from.

    python -m benchmarks.campaigns.silent_daemons [--count 1] [--lifetime 3]

The daemon of each site's active gateway is killed or frozen, and stays so. With ``lifetime`` of
``alias-arp`` the kernel drops the address; the partner must have it within that time and 1 s, and
no second owner may be there before. Needs root; the exit status is 1 if a bound is missed.
"""

import time
from collections.abc import Iterable

from benchmarks.campaigns import stage
from havpn_core.testing.lab.faults import Street, daemon_frozen, daemon_killed, site_name
from havpn_core.testing.lab.hosts.plan import SITES

FAULTS = {"killed": daemon_killed, "frozen": daemon_frozen}
ALLOWED_S = 1.0


def campaign(
    here: Street, lifetime: float, gateways: list[str], faults: Iterable[str] = FAULTS
) -> list[str]:
    """Kill and freeze the daemons of active gateways, print the figures, return what was missed.

    :param lifetime: that of the configuration, in seconds.
    """
    rows, missed = [], []
    for name in faults:
        for gateway in gateways:
            what = f"daemon of {gateway} {name}"
            if not stage.calm(here):
                missed.append(f"{what}: the street was not calm before it")
            since = time.monotonic()
            undo = FAULTS[name](here, gateway)
            try:
                took = stage.taken(here, site_name(gateway), since, lifetime + 5 * ALLOWED_S)
            finally:
                undo()
            woke = time.monotonic()
            if not stage.calm(here):
                missed.append(f"{what}: no calm after it")
            before = here.lab.tenure(site_name(gateway), since, woke)
            after = here.lab.tenure(site_name(gateway), woke)
            rows.append(
                [what, f"{took:.2f}", f"{before.shared:.3f}", f"{before.unowned:.3f}",
                 f"{after.shared:.3f}"]
            )  # fmt: skip
            if took > lifetime + ALLOWED_S:
                missed.append(f"{what}: taken over after {took:.2f} s")
            if before.shared:
                missed.append(f"{what}: two owners for {before.shared:.3f} s")
            missed += stage.judge_tenure(f"{what}, and back", after)
    heads = ("fault", "taken over s", "two owners s", "no owner s", "two when back s")
    stage.show(heads, rows)
    return missed


def main() -> None:
    """Make the campaign and judge."""
    options = stage.parser(__doc__, count=1, seed=False)
    options.add_argument("--lifetime", type=float, default=3.0, help="seconds; at least 3")
    chosen = options.parse_args()
    gateways = [site.preferred for site in SITES.values()] * chosen.count
    with stage.street(action=f'lifetime = "{chosen.lifetime:g}s"') as here:
        missed = campaign(here, chosen.lifetime, gateways)
    stage.finish(missed)


if __name__ == "__main__":
    main()
