"""One file for the gateways of both sites: read, verify, render, compare."""
