"""The parts of ipsec: what charon says, and the connection to it."""
