"""HA-VPN and its alternatives, one after another, in the same two-site network."""
