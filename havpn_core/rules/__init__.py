"""Pure rules from samples to the wish: no clock, socket, thread or file."""
