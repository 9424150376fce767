"""Probes: ways to test whether the far gateway replies."""
