"""Pure: whose requests get a reply while somebody else forges requests of the same address.

Requests carry no proof. Whoever knows the address of the far gateway can send any number of them
in its name, but he sees no reply. So a request is worth what its sender showed before:

* A *sign* is the part of a request that stays the same from one request of a sender to the next:
  the session of an :class:`~havpn_core.echo.report.EchoSession`, or the first bytes of a
  ``udp-echo``. Nobody off the way knows it, and it outlives a change of the sender's port. A sign
  that has come for a while, never above ``rate``, is *known*, whether or not it got replies.
* A port is known that has got replies for a while and was never above ``rate``.
* All others of an address are new, and share one budget. Half of it is kept for those who were
  not above ``rate`` themselves recently.

Each known source has a budget of its own, ``rate``, that no other request can spend. A share of
``total_rate`` is kept for all of them, and for what is new at their addresses, as a sender without
a sign is that takes another port. Who is known stays so until it is silent for a minute: others
cannot push it out. Memory and work are bounded, whatever comes.
"""

from havpn_core.echo.senders import HOLD_S, Bucket, Key, Sieve, Source

KNOWN_AFTER = 5
"""Requests that make a sign known."""
SERVED_BEFORE = 8
"""Replies that make a port known."""
KNOWN_AFTER_S = 1.0
"""Seconds that a sign comes for, at the least, before it is known."""
SERVED_BEFORE_S = 2.0
"""Seconds that a port is served for; longer, so that who has a sign is known by that."""
FORGOTTEN_S = 60.0
"""Seconds of silence after which a known source may give its place to another."""
EXCESS_S = 1.0
"""Seconds for which a source that was above its rate comes behind those that were not."""
NEW = 2.0
"""The budget of all new sources of one address together, in ``rate``."""
MOST_KNOWN = 256
"""Known sources, whatever the rates."""
LEAST_SHARE = 4
"""Known sources that one address may have where a quarter of the places is less."""


class Sources:
    """The budgets of all sources.

    :param rate: replies a second to one source; twice that in a burst.
    :param total_rate: replies a second altogether.
    :param most: sources, signs and addresses remembered, of each.
    """

    def __init__(self, rate: float, total_rate: float, most: int) -> None:
        self._rate, self._burst = rate, max(1.0, 2 * rate)  # a bucket must hold one whole reply
        self._total_rate, self._capacity = total_rate, max(1.0, total_rate)
        self._places = min(MOST_KNOWN, max(1, int(total_rate / 6 / rate)))
        self._most = most
        self._total = Bucket(self._capacity, 0.0)
        self._pools: dict[str, Bucket] = {}
        self._ports: dict[Key, Source] = {}
        self._signs: dict[Key, Source] = {}
        self._known: dict[Key, Source] = {}
        self._known_of: dict[str, int] = {}
        self._sieve = Sieve()
        self._full_until_s: dict[str, float] = {}

    def known(self, address: str, port: int, sign: bytes) -> bool:
        """Whether a request comes of a known source."""
        return (address, sign) in self._known or (address, port) in self._known

    def spend(self, address: str, port: int, sign: bytes, now_s: float) -> bool:
        """Take one reply out of the budgets; says whether they held one.

        :param sign: empty where a request has none.
        """
        total = self._total.fill(self._total_rate, self._capacity, now_s)
        known, signed = self._known.get((address, sign)), None
        if known is None:
            # Also of a known port: its sender may take another one soon.
            signed = self._signed(address, sign, now_s) if sign else None
            known = self._known.get((address, port))
        if known is not None:
            known.last_s = now_s
            paid = known.bucket.fill(self._rate, self._burst, now_s) >= 1 and total >= 1
            if paid:
                known.bucket.credit -= 1
                self._total.credit -= 1
            return paid
        return self._spend_new(address, port, signed, now_s)

    def _spend_new(self, address: str, port: int, signed: Source | None, now_s: float) -> bool:
        source = self._port(address, port, now_s)
        pool = self._pool(address, now_s)
        if source.bucket.fill(self._rate, self._burst, now_s) < 1:
            source.exceed(now_s)
            return False
        excess_s = max(source.excess_s, signed.excess_s if signed else source.excess_s)
        kept = NEW * self._burst / 2 if now_s - excess_s < EXCESS_S else 0.0
        if pool.credit < 1 + kept or self._total.credit < 1 + self._kept(address, pool):
            return False
        for bucket in (source.bucket, pool, self._total):
            bucket.credit -= 1
        source.count(now_s)
        if source.came >= SERVED_BEFORE and now_s - source.first_s >= SERVED_BEFORE_S:
            self._get_to_know((address, port), self._ports, now_s)
        return True

    def _kept(self, address: str, pool: Bucket) -> float:
        """Give what a new source leaves in the common budget.

        That is the share of the known ones and of those that are new beside them; and one more
        for addresses that spend less than half of their own budget.
        """
        if address in self._known_of:
            return 0.0
        share = self._rate * (len(self._known) + NEW * len(self._known_of))
        kept = min(share, self._capacity / 2)
        if pool.credit < NEW * self._burst / 2:
            kept += self._capacity / 4
        return min(kept, self._capacity - 1)

    def _signed(self, address: str, sign: bytes, now_s: float) -> Source | None:
        """Count a sign that came again, and get to know it; ``None`` if it is new."""
        key = (address, sign)
        source = self._signs.pop(key, None)
        if source is None:
            if not self._sieve.again(key, now_s) or not self._room(now_s):
                return None
            source = Source(self._burst, now_s)
            source.came = 1  # the one that the sieve held
        self._signs[key] = source
        # Requests count here, with or without a reply: that a flood takes the replies is no
        # reason not to know who comes beside it.
        if source.bucket.fill(self._rate, self._burst, now_s) < 1:
            source.exceed(now_s)
        else:
            source.bucket.credit -= 1
            source.count(now_s)
            if source.came >= KNOWN_AFTER and now_s - source.first_s >= KNOWN_AFTER_S:
                self._get_to_know(key, self._signs, now_s)
        return source

    def _room(self, now_s: float) -> bool:
        """Make room for one more sign, if one has not come for a while."""
        if len(self._signs) < self._most:
            return True
        oldest = next(iter(self._signs))
        if now_s - max(self._signs[oldest].last_s, self._signs[oldest].excess_s) < HOLD_S:
            return False
        del self._signs[oldest]
        return True

    def _port(self, address: str, port: int, now_s: float) -> Source:
        key = (address, port)
        source = self._ports.pop(key, None)
        if source is None:
            if len(self._ports) >= self._most:
                self._ports.pop(next(iter(self._ports)))  # forged sources must not eat memory
            source = Source(self._burst, now_s)
        self._ports[key] = source
        return source

    def _pool(self, address: str, now_s: float) -> Bucket:
        most = NEW * self._burst
        pool = self._pools.pop(address, None)
        if pool is None:
            if len(self._pools) >= self._most:
                self._pools.pop(next(iter(self._pools)))
            pool = Bucket(most, now_s)
        self._pools[address] = pool
        pool.fill(NEW * self._rate, most, now_s)
        return pool

    def _get_to_know(self, key: Key, among: dict[Key, Source], now_s: float) -> None:
        """Give a source a place among those that are known, if there is one."""
        if now_s - among[key].excess_s < EXCESS_S:
            return
        if self._place(key[0], now_s):
            self._known[key] = among.pop(key)

    def _place(self, address: str, now_s: float) -> bool:
        """Find a place for one more of an address, which has a quarter of them at the most.

        The places are searched for silent ones once a second at the most, for each address.
        """
        if now_s < self._full_until_s.get(address, now_s):
            return False
        for key, each in list(self._known.items()):
            if now_s - each.last_s >= FORGOTTEN_S:
                self._forget(key)
        own, share = self._known_of.get(address, 0), max(LEAST_SHARE, self._places // 4)
        if own < share and len(self._known) < self._places:
            self._known_of[address] = own + 1
            return True
        if len(self._full_until_s) >= self._most:
            self._full_until_s.clear()
        self._full_until_s[address] = now_s + 1.0
        return False

    def _forget(self, key: Key) -> None:
        del self._known[key]
        self._known_of[key[0]] -= 1
        if not self._known_of[key[0]]:
            del self._known_of[key[0]]
