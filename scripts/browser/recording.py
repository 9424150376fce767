"""Record what a gateway of the lab shows after a cut of its line and the way back.

The times of the cut are moved back by some minutes, for the lab does not wait for so long; all
else is as the gateway had it.
"""

import time
from datetime import datetime, timedelta
from typing import Any

from havpn_core.durations import rfc3339
from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.gateways import start_pairs

BACK = timedelta(minutes=21), timedelta(minutes=35)
"""How far the way back, and the cut before it, are moved into the past."""
START = timedelta(minutes=50)


def recorded() -> dict[str, Any]:
    """Run it; gives the ``status`` and the ``events`` of the first gateway."""
    with TwoSite(ipsec=False) as lab:
        daemons = start_pairs(lab, stream=True)
        gateway = daemons["gw-aa"]
        cut = time.time()
        lab.providers["provider-1"].cut()
        lab.wait_holder("a", "gw-ab", 20)
        gateway.wait_event("verdict", "down", 20, cut)
        time.sleep(2.0)
        healed = time.time()
        lab.providers["provider-1"].heal()
        for name in ("a", "b"):
            lab.wait_holder(name, f"gw-{name}a", 60)
        time.sleep(4.0)
        status = gateway.status()
        for each in (status["role"], *status["paths"].values()):
            each["since"] = earlier(each["since"], BACK[0])
        return {"status": status, "events": moved(gateway.events(), cut, healed)}


def moved(events: list[dict[str, Any]], cut: float, healed: float) -> list[dict[str, Any]]:
    """Give the events with the times at which a patient lab would have had them."""
    found = []
    for event in events:
        at = datetime.fromisoformat(event["at"])
        back = BACK[0] if at.timestamp() >= healed else BACK[1] if at.timestamp() >= cut else START
        found.append(event | {"at": earlier(event["at"], back)})
    return found


def earlier(text: str, back: timedelta) -> str:
    """Give a time that is so much before another one."""
    return rfc3339(datetime.fromisoformat(text) - back)
