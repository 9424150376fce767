"""The two-site network in namespaces."""
