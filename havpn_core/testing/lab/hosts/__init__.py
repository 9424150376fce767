"""Hosts in namespaces: how they are made, joined, entered and ended."""
