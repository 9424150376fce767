"""Long runs of faults in the two-site network, each ``python -m benchmarks.campaigns.NAME``."""
