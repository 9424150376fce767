"""Two ends of a stream on a virtual clock, with a line between them that delays and loses."""

import heapq
import itertools
import random

from havpn_core.plugging.stance import NO_STANCE
from havpn_core.rules.hysteresis import Outcome
from havpn_core.stream.session import StreamSession

KEY = (b"k" * 32,)
ENDS = ("a", "b")
OTHER = {"a": "b", "b": "a"}


class Counter:
    """What a path does with the samples: failures in a row, and when there were ``fall``."""

    def __init__(self, fall):
        self.fall, self.run, self.down_s, self.samples = fall, 0, None, []

    def take(self, news, now_s):
        for one in news:
            self.samples.append((now_s, one.outcome))
            if one.outcome is Outcome.FAIL:
                self.run += 1
                if self.run >= self.fall and self.down_s is None:
                    self.down_s = now_s
            elif one.outcome is not Outcome.ERROR:
                self.run = 0


class World:
    """Both ends; ``delay_s``, ``loss`` and ``cut`` are those of the way from an end."""

    def __init__(
        self, *, delay_s=0.0005, wish_s=0.01, fall=5, seed=1, wishes=None, offset_s=1000.0, keys=KEY
    ):
        self.now_s, self.fall, self.keys = 0.0, fall, keys
        self.random, self._order = random.Random(seed), itertools.count()
        self.delay_s = dict.fromkeys(ENDS, delay_s)
        self.spread_s = dict.fromkeys(ENDS, 0.0)
        self.loss = dict.fromkeys(ENDS, 0.0)
        self.cut = dict.fromkeys(ENDS, False)
        self.stance = dict.fromkeys(ENDS, NO_STANCE)
        self.address = {end: f"at {end}" for end in ENDS}
        self.offset_s = {"a": 0.0, "b": offset_s}
        self.asleep_until_s = dict.fromkeys(ENDS, 0.0)
        self.wishes = wishes or dict.fromkeys(ENDS, wish_s)
        self.flying, self.recorded, self.verdicts = [], [], []
        self.runs, self.ends, self.counters, self.sent = 0, {}, {}, dict.fromkeys(ENDS, 0)
        for end in ENDS:
            self.start(end)

    def start(self, end):
        """Start an end, or start it again as a new run."""
        self.runs += 1
        self.ends[end] = StreamSession(
            self.keys,
            self.runs * 1000,
            self.random.randbytes(8),
            wish_s=self.wishes[end],
            now_s=self.clock(end),
            chance=self.random.random,
        )
        self.counters[end] = Counter(self.fall)

    def clock(self, end):
        return self.now_s + self.offset_s[end]

    def send(self, end, **more):
        packet = self.ends[end].make(self.clock(end), self.stance[end], **more)
        self.sent[end] += 1
        self.recorded.append((end, packet))
        if not self.cut[end] and self.random.random() >= self.loss[end]:
            delay_s = self.delay_s[end] + self.random.random() * self.spread_s[end]
            self.bring(OTHER[end], packet, delay_s)
        return packet

    def bring(self, end, packet, delay_s=0.0, address=None):
        """Let a packet arrive at an end."""
        when = self.now_s + delay_s
        source = address or self.address[OTHER[end]]
        heapq.heappush(self.flying, (when, next(self._order), end, packet, source))

    def wakes_s(self, end):
        due = self.ends[end].next_s - self.offset_s[end] if end in self.ends else float("inf")
        return max(due, self.asleep_until_s[end], self.now_s)

    def step(self, until_s):
        """Do what comes next; an end asleep hears afterwards, by the kernel's stamp."""
        due = min(self.wakes_s(end) for end in ENDS)
        arriving = self.flying[0][0] if self.flying else float("inf")
        if min(due, arriving) > until_s:
            self.now_s = until_s
            return False
        if arriving <= due:
            self.now_s, _, end, packet, source = heapq.heappop(self.flying)
            self.arrive(end, packet, source)
            return True
        self.now_s = due
        for end in ENDS:
            if end in self.ends and self.wakes_s(end) <= self.now_s:
                self.wake(end)
        return True

    def arrive(self, end, packet, source):
        if end not in self.ends:
            return
        said = self.ends[end].take(packet, self.clock(end), source)
        self.verdicts.append((end, said))
        self.note(end)

    def wake(self, end):
        session = self.ends[end]
        session.wake(self.clock(end))
        if session.send_s <= self.clock(end):
            self.send(end)
        self.note(end)

    def note(self, end):
        self.counters[end].take(self.ends[end].news(), self.now_s)

    def run(self, seconds):
        until_s = self.now_s + seconds
        while self.step(until_s):
            pass
        return self

    def sleep(self, end, seconds):
        """Let the loop of an end starve; what arrives meanwhile waits in its socket."""
        self.asleep_until_s[end] = self.now_s + seconds

    def down(self, end):
        return self.counters[end].down_s

    @property
    def nobody_down(self):
        return all(counter.down_s is None for counter in self.counters.values())
