"""The resource agents for Pacemaker, as files that ``havpn ocf install`` puts into place."""
