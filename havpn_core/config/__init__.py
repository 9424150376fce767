"""The configuration file: its options, its checks and what describes it."""
