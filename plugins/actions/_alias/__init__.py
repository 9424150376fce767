"""The parts of alias-arp: addresses, frames, announcements and rivals."""
