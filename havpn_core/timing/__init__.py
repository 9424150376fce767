"""How long detection and failback take, as a configuration promises it."""
