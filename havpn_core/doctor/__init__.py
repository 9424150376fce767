"""What ``havpn doctor`` tries live, one module a check, each broken thing with its remedy."""
