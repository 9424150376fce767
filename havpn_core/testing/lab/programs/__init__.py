"""Small programs that run inside the lab's hosts.

Each is a script of its own, started by path with ``python -I -S``: it must import nothing but the
standard library, so that it starts in some 15 ms and needs no installation in the host.
"""
