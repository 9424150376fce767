"""What loads a configuration and builds what is new in it."""
