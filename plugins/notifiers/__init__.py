"""Notifiers: ways to tell somebody."""
