"""What this host sees of its LANs: addresses, neighbours, forwarding, and who replies to probes."""
