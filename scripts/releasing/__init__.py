"""What ``scripts/release`` looks at before a version is published."""
