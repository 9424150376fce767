"""The daemon of one gateway: paths, actions, pair and requests at work."""
