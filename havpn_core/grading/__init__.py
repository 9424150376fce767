"""How good a plugin is, from none to gold, by what a machine can check: ``havpn plugin grade``."""
