"""Pure: whether this gateway can serve, its lines aside, from what it finds on its LAN."""

from havpn_core.rules.fitness.value import Fitness

__all__ = ["Fitness"]
