"""Carriers of the partner heartbeat."""
