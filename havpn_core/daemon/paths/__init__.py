"""The paths at work: probes sent at their cadence, and how late the loop is."""
