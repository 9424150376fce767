"""Two gateways that need no cluster manager: the pure rules of the pair, and what does their I/O.

Pure: ``state``, ``message``, ``token``, ``invariants``, ``frames``, ``session``, ``beat``,
``scout``, ``options``, ``sending``. ``run`` and ``lan`` call the links and the LAN, ``keys`` reads
and numbers what is on disk.
"""
