"""The demo: two sites, a line that is cut and heals, and what their users miss."""
