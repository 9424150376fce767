"""Ports that nobody has, and that no other test is given meanwhile.

The kernel gives a socket that names no port one of ``ip_local_port_range``, from 32768 on. A port
of that range that was free may be another test's before this one uses it, so these are below.
"""

import contextlib
import random
import socket

LOWEST, HIGHEST = 20_000, 32_000


def free_port(kind=socket.SOCK_DGRAM, host="127.0.0.1"):
    """Give a port that no socket of this kind has; OSError if 100 in a row are taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(100):
        port = random.SystemRandom().randint(LOWEST, HIGHEST)
        with socket.socket(family, kind) as made, contextlib.suppress(OSError):
            made.bind((host, port))
            return port
    raise OSError(f"no port of {host} from {LOWEST} to {HIGHEST} is free")
