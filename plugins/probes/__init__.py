"""Probes: ways to ask whether the far gateway answers."""
