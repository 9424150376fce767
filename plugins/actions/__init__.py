"""Actions: ways to carry a role out."""
