"""Notifiers: ways to pass events on."""
