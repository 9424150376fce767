"""The LAN at work: carrier, forwarding, own address and witnesses, as the fitness rules judge."""
