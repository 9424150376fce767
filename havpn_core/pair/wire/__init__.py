"""Pure: the partner heartbeat below what its frames say: heads, fields, keys and sessions."""
