"""Values, exceptions and whole plugins that break every promise, for Hypothesis to draw from."""

import asyncio
import datetime
import math

from hypothesis import strategies as st

from havpn_core.plugging.descriptors import Sample
from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.role import Role

SURROGATE = "bad \udc80 \ud800 text\x1b[2J\nlevel"
BIG = 200_000


class Own(BaseException):
    """No :class:`Exception`."""


class Unreadable(Exception):
    def __str__(self):
        raise Own("no text")

    __repr__ = __str__


class NoText(BaseException):
    def __str__(self):
        return 5  # noqa: PLE0307

    __repr__ = __str__


class Meta(type):
    @property
    def __name__(cls):
        raise Own("no name")

    @property
    def __module__(cls):
        raise Own("no module")


class Nameless(Exception, metaclass=Meta):
    pass


class Leaves(SystemExit):
    def __str__(self):
        raise SystemExit(4)

    __repr__ = __str__


def _raise(self, *arguments, **more):
    raise Own("touched")


TRAPS = [
    "__str__", "__repr__", "__hash__", "__len__", "__bool__", "__eq__", "__iter__", "__format__",
    "__getitem__", "__contains__", "__float__", "__int__", "__index__", "__bytes__",
    "keys", "items",
]  # fmt: skip


def trapped(base):
    """Make a subclass of which every method raises."""
    return type(f"Trapped{base.__name__}", (base,), dict.fromkeys(TRAPS, _raise))


class Pretends:
    """Whoever asks what it is gets an exception."""

    @property
    def __class__(self):
        raise Own("no class")

    def __getattribute__(self, name):
        raise Own(name)


def one_of(items):
    """Draw one of these, of which Hypothesis itself must touch none."""
    return st.integers(0, len(items) - 1).map(lambda number: items[number])


def cyclic():
    table = {"a": [1, {}]}
    table["a"][1]["again"] = table
    return table


def deep():
    row = []
    for _ in range(20_000):
        row = [row]
    return {"deep": row}


def half_sample():
    return object.__new__(Sample)


class LateSample(Sample):
    @property
    def outcome(self):
        raise Own("no outcome")


values = st.one_of(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    st.sampled_from(list(Outcome) + list(Role)),
    one_of([
        SURROGATE, "x" * BIG, "\n" * BIG, b"\xff" * BIG, 10**6000, -(10**30), math.nan, math.inf,
        Sample, Sample.ok(), Sample.ok(math.nan), Sample.ok(-1.0), Sample.fail("x" * BIG),
        Sample("ok"), Sample(Outcome.OK, b"\xff", "soon"), Sample(Outcome.FAIL, Unreadable(), 1e99),
        Sample(object.__new__(Outcome)), Sample.error(SURROGATE), ValueError(SURROGATE),
        Unreadable(), NoText(), Nameless, Nameless(), int, lambda: 1, print, ..., NotImplemented,
        datetime.datetime(2026, 1, 1), {SURROGATE: SURROGATE, 5: {1, 2}, b"\xff": {None: ()}},
        {"nan": math.nan, "big": 2**70, "bytes": b"\xff\x00", "role": Role.ACTIVE}, range(10**9),
        {n: [n] * 50 for n in range(1000)}, [Sample.ok()] * 10, memoryview(b"abcdefgh"),
    ]),
    st.builds(lambda base: trapped(base)(), st.sampled_from([dict, list, str, bytes, float, int])),
    st.builds(lambda base: {"in": trapped(base)()}, st.sampled_from([dict, list, str, set, int])),
    st.builds(lambda make: make(), st.sampled_from([
        Pretends, cyclic, deep, half_sample, object, lambda: object.__new__(LateSample),
        lambda: {"in": Pretends(), "more": Unreadable(), "text": SURROGATE},
    ])),
)  # fmt: skip

EXCEPTIONS = [
    Own, Own("x" * BIG), Unreadable(), NoText(), Nameless(), Leaves(SURROGATE), Leaves(Pretends()),
    SystemExit, SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError("own"),
    StopIteration(5), StopAsyncIteration(), MemoryError(), RecursionError(), TimeoutError(),
    ValueError(SURROGATE), ValueError("a\nb" * BIG), OSError(2, SURROGATE), OSError(2, "no", "f"),
    ValueError(Pretends()), BaseExceptionGroup("g", [Own(), SystemExit()])
]  # fmt: skip
exceptions = one_of([each for each in EXCEPTIONS if isinstance(each, BaseException)])
raised = one_of([*EXCEPTIONS, Sample, "no exception"])


@st.composite
def methods(draw):
    """A method, plain or async, that gives or raises something."""
    value, problem = draw(values), draw(st.none() | raised)
    kind = draw(st.sampled_from(["plain", "async", "gives awaitable", "odd yield", "cancels"]))

    def act():
        if problem is not None:
            raise problem
        return value

    async def later():
        await asyncio.sleep(0)
        return act()

    class Odd:
        def __await__(self):
            yield value
            return act()

    def plain(self, *arguments):
        return act()

    async def on_loop(self, *arguments):
        return await later()

    def awaitable(self, *arguments):
        return later()

    async def odd(self, *arguments):
        return await Odd()

    async def cancels(self, *arguments):
        asyncio.current_task().cancel()
        await asyncio.sleep(0)
        return act()

    return dict(
        zip(
            ["plain", "async", "gives awaitable", "odd yield", "cancels"],
            [plain, on_loop, awaitable, odd, cancels],
            strict=True,
        )
    )[kind]


NAMES = [
    "check", "apply", "observe", "notify", "close", "send", "facts", "renew", "announce",
    "answered_by", "tell_conflicts", "yields", "owners_seen", "lan_address", "broadcast",
    "tell_broadcasts",
]  # fmt: skip


@st.composite
def instances(draw):
    """An instance each of whose members is a method, a property that raises, a value or missing."""
    members = {}
    for name in NAMES:
        what = draw(st.sampled_from(["method", "method", "method", "property", "value", "none"]))
        if what == "method":
            members[name] = draw(methods())
        elif what == "property":
            members[name] = property(_raise)
        elif what == "value":
            members[name] = draw(values)
    if draw(st.booleans()):
        members["__getattr__"] = _raise
    return type("Hostile", (), members)()
