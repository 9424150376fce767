"""A firewall that opens what the site file says alone, and a failover behind it."""

import time

from havpn_core.site.rendering.firewall import FILE
from havpn_core.testing.lab import wait_for
from havpn_core.testing.lab.daemons.rendered import files_of
from havpn_core.testing.lab.gateways import wait_backup

# As the head of the file says to include it. Everything else is dropped.
CHAINS = """
table inet filter {
    counter dropped { }
    counter unforwarded { }
    chain input {
        type filter hook input priority 0; policy drop;
        iif lo accept
        ct state established,related accept
        jump havpn_input
        counter name dropped
    }
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        jump havpn_forward
        counter name unforwarded
    }
}
"""


def close_all_else(lab):
    """Have every gateway drop what its rendered file does not open."""
    for name, text in files_of(lab.plan).items():
        lab.hosts[name].run_in_network("nft", "-f", "-", input=text[FILE] + CHAINS)


def fails_over_and_back(lab):
    """Cut line 1 under traffic until both sites have moved, and heal it."""
    stream, pinger = lab.stream(), lab.pinger()
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        cut = time.monotonic()
        lab.providers["provider-1"].cut()
        wait_backup(lab)
        time.sleep(1)
        outage = pinger.longest_outage_since(cut)
        lab.providers["provider-1"].heal()
        for name, site in lab.plan.sites.items():
            lab.wait_holder(name, site.preferred, 30)
        report = stream.finish()
    finally:
        lab.providers["provider-1"].heal()
        pinger.stop()
        stream.kill()
    assert outage < 1.5
    assert report.intact, report.error
