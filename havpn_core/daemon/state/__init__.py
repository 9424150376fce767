"""What the daemon keeps and shows: memory, history, the operator's force and the status."""
