"""Whether the whole road carries, and when a gateway leaves the role for it; pure."""
