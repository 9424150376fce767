"""From a line's own past to the shortest silence that keeps a target of false switches; pure."""
