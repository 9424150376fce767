"""A status as a gateway of a pair publishes it, for what is shown of it."""

import json
import time
from pathlib import Path

from havpn_core.host import boot

KEPT = Path(__file__).parents[1] / "core" / "status.json"


def document(**changes):
    """Give a status with every part that the metrics are made of."""
    found = json.loads(KEPT.read_text())
    found |= {"fitness": {"fit": True, "reason": ""}, "age_s": 0.0}
    found["config"] = {"file": "/etc/havpn/havpn.toml", "digest": "0123456789abcdef"}
    found["role"]["reason"] = "the partner is the better one"
    echo = found["paths"]["line"]["probes"]["echo"]
    echo |= {"durations": {"sum_s": 0.5, "counts": [0, 1, 2]}, "refused": 1}
    echo |= {"loss_out": 0.02, "loss_back": 0.0}
    for link in found["pair"]["links"].values():
        link["verdicts"] = {"good": 200, "mac": 3}
    found["counts"] = {
        "events": 9, "role_changes": 4, "conflicts": 1,
        "action_failures": {"gateway": 2}, "reloaded": True,
    }  # fmt: skip
    return found | changes


def publish(folder, age_s=0.0, **changes):
    """Write it as the daemon does, as if that was so many seconds ago."""
    now = boot.clocks()
    stamps = {"boot": now.boot, "written_uptime_s": now.boot_s - age_s, "state": "running"}
    draft = folder / "status.new"
    draft.write_text(json.dumps(document(**(stamps | changes))))
    draft.rename(folder / "status.json")


def record(folder, *events, name="events.jsonl"):
    """Write a history."""
    lines = [json.dumps(EVENT | each) for each in events]
    (folder / name).write_text("".join(f"{line}\n" for line in lines))


EVENT = {
    "at": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
    "node": "gw-aa", "kind": "verdict", "subject": "line", "before": "up", "after": "down",
    "severity": "warning", "detail": "",
}  # fmt: skip
