"""What the daemon needs of the host it runs on: commands, files, names, netlink, systemd."""
