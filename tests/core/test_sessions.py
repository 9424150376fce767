"""Whose frames are believed: runs, restarts, losses, and an attacker who records and replays."""

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from havpn_core.pair.frames import Authenticator
from havpn_core.pair.message import Content
from havpn_core.pair.wire.heads import Head, following, mark, read_head
from havpn_core.pair.wire.sessions import LATE, PLAIN_RUN, QUIET, Sessions

KEY = (b"k" * 32,)
HALF = 2**32


class Frame:
    """A frame with what only the world knows of it: its sender's run, and when it was made."""

    def __init__(self, data, run, made):
        self.data, self.run, self.made = data, run, made


class Side:
    """A gateway that restarts, and what it believed in this run."""

    def __init__(self, world, node, incarnation):
        self.world, self.node, self.incarnation = world, node, incarnation
        self.restart(0)

    def restart(self, step):
        world = self.world
        world.runs += 1
        self.run, self.began = world.runs, world.tick()
        self.incarnation = max(1, self.incarnation + step)
        nonce = (world.runs * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "big")
        self.judge = Authenticator(KEY, self.incarnation, nonce)
        self.believed = None

    def sign(self):
        content = Content(node=self.node, priority=100)
        frame = Frame(self.judge.sign(content), self.run, self.world.tick())
        self.world.recorded.append(frame)
        return frame

    def hears(self, frame):
        """Judge a frame, and check that it is believed only if it is newer than all before."""
        content = self.judge.judge(frame.data)
        if content is None:
            return False
        assert frame.run != self.run, "a frame of its own"
        assert frame.made > self.began, "made before this run began"
        assert self.believed is None or frame.made > self.believed, "made before one believed"
        self.believed = frame.made
        return True


class World:
    def __init__(self, nodes=(1, 2), incarnations=(1000, 1000)):
        self.now, self.runs, self.recorded = 0, 0, []
        self.a, self.b = (Side(self, *each) for each in zip(nodes, incarnations, strict=True))

    def tick(self):
        self.now += 1
        return self.now

    def replay(self):
        """Bring all that was ever recorded to both."""
        for frame in self.recorded[:]:
            for side in (self.a, self.b):
                side.hears(frame)

    def round(self, storm=False):
        """Each sends one frame; in a storm all that was recorded comes before and after each."""
        found = []
        for sender, receiver in ((self.a, self.b), (self.b, self.a)):
            frame = sender.sign()
            if storm:
                self.recorded.remove(frame)
                self.replay()
                self.recorded.append(frame)
            found.append(receiver.hears(frame))
            if storm:
                self.replay()
        return found

    def rounds_to_trust(self, storm=False, limit=400):
        """Count the rounds until both believe each other, and see that they go on."""
        for number in range(1, limit):
            if all(self.round(storm)):
                assert [self.round(storm) for _ in range(4)] == [[True, True]] * 4
                return number
        raise AssertionError("they do not believe each other")


MISFORTUNES = {
    "round": World.round,
    "a to b": lambda world: world.b.hears(world.a.sign()),
    "b to a": lambda world: world.a.hears(world.b.sign()),
    "lost": lambda world: (world.a.sign(), world.b.sign()),
    "a restarts": lambda world: world.a.restart(1),
    "b went back": lambda world: world.b.restart(-300),
    "b restarts alike": lambda world: world.b.restart(0),
    "replay": World.replay,
}


@pytest.mark.parametrize(("nodes", "length"), [((1, 2), 4), ((7, 7), 3)])
def test_whatever_happens_nothing_old_is_believed_and_trust_comes_back(nodes, length):
    """All sequences of so many misfortunes; the third round after them is believed."""
    for happening in itertools.product(MISFORTUNES, repeat=length):
        world = World(nodes)
        for name in happening:
            MISFORTUNES[name](world)
        assert world.rounds_to_trust() <= 3, happening


@pytest.mark.parametrize("nodes", [(1, 2), (7, 7)])
def test_after_whatever_happens_trust_comes_back_in_the_midst_of_replays(nodes):
    for happening in itertools.product(MISFORTUNES, repeat=2):
        world = World(nodes)
        for _ in range(2):
            world.round()
        for name in happening:
            MISFORTUNES[name](world)
        assert world.rounds_to_trust(storm=True) <= 12, happening


class Misfortunes(RuleBasedStateMachine):
    """As above, longer and in any order, with frames that are under way for any time."""

    def __init__(self):
        super().__init__()
        self.world = World()
        self.way = []

    @initialize(
        nodes=st.sampled_from([(1, 2), (7, 7)]), numbers=st.tuples(*[st.integers(1, 3)] * 2)
    )
    def begin(self, nodes, numbers):
        self.world = World(nodes, numbers)

    def side(self, name):
        return getattr(self.world, name)

    @rule(name=st.sampled_from("ab"), copies=st.integers(0, 2))
    def send(self, name, copies):
        frame = self.side(name).sign()
        self.way += [("b" if name == "a" else "a", frame)] * copies

    @rule(count=st.integers(1, 4))
    def arrive(self, count):
        for _ in range(min(count, len(self.way))):
            name, frame = self.way.pop(0)
            self.side(name).hears(frame)

    @precondition(lambda self: self.world.recorded)
    @rule(name=st.sampled_from("ab"), numbers=st.lists(st.integers(0, 10**6), min_size=1))
    def replay(self, name, numbers):
        for number in numbers:
            self.side(name).hears(self.world.recorded[number % len(self.world.recorded)])

    @rule(name=st.sampled_from("ab"), step=st.integers(-3, 3))
    def restart(self, name, step):
        self.side(name).restart(step)

    @rule(storm=st.booleans())
    def trust(self, storm):
        self.way.clear()
        assert self.world.rounds_to_trust(storm) <= (60 if storm else 4)

    @invariant()
    def nobody_is_a_namesake_of_somebody_else(self):
        same = self.world.a.node == self.world.b.node
        assert same or not (self.world.a.judge.same_name or self.world.b.judge.same_name)


TestMisfortunes = Misfortunes.TestCase
TestMisfortunes.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


# --- case by case --------------------------------------------------------------------------------

NOBODY = bytes(8)


def content(node=1, **fields):
    return Content(node=node, priority=100, **fields)


def made(incarnation=1, nonce=b"a nonce.", keys=KEY):
    return Authenticator(keys, incarnation, nonce)


def acquainted(old=None):
    """Give two of nodes 1 and 2 that believe each other."""
    a, b = made(nonce=b"nonce  a"), made(nonce=b"nonce  b")
    for _ in range(3):
        exchange(a, b)
    assert exchange(a, b) == (True, True)
    return a, b


def exchange(a, b):
    return (
        b.judge(a.sign(content(1))) is not None,
        a.judge(b.sign(content(2))) is not None,
    )  # fmt: skip


@pytest.mark.parametrize("incarnation", [1, 2, 10**9])
def test_a_frame_of_a_former_run_of_our_own_makes_nobody_deaf(incarnation):
    former, other = made(incarnation, b"former 1"), made(nonce=b"other  1")
    for _ in range(3):
        exchange(former, other)
    frames = [former.sign(content(1)) for _ in range(40)]
    a, b = acquainted()
    for frame in frames:
        assert a.judge(frame) is None
        assert not a.same_name
        assert exchange(a, b) == (True, True)
    assert a.counts["good"] > 40


def test_a_partner_whose_number_went_back_is_believed_again_by_a_challenge():
    a, b = made(5, b"nonce  a"), made(900, b"nonce  b")
    for _ in range(3):
        exchange(a, b)
    recorded = [b.sign(content(2)) for _ in range(3)]
    assert all(a.judge(frame) for frame in recorded)
    lost = made(3, b"nonce  c")
    trusted = [exchange(a, lost) for _ in range(6)]
    assert trusted.index((True, True)) <= 3
    assert trusted[-1] == (True, True)
    for frame in recorded:  # of a run whose number is larger than that of the one in force
        assert a.judge(frame) is None
    assert a.counts["replay"] > 0
    assert exchange(a, lost) == (True, True)


def test_a_partner_set_back_to_a_snapshot_is_believed_again():
    a, b = acquainted()
    for _ in range(100):
        exchange(a, b)
    again = made(nonce=b"nonce  b")
    again._sessions._sequence = 10
    again._sessions._partner = b._sessions._partner
    trusted = [exchange(a, again)[1] for _ in range(5)]
    assert trusted == [False, False, True, True, True]


def test_two_with_the_same_name_believe_each_other_and_find_it_out():
    a, b = made(nonce=b"nonce  a"), made(nonce=b"nonce  b")
    for number in range(4):
        assert (b.judge(a.sign(content(7))) is not None) == (number >= 1)
        assert (a.judge(b.sign(content(7))) is not None) == (number >= 0)
    assert a.same_name
    assert b.same_name
    renamed = made(2, b"nonce  c")
    for _ in range(3):
        exchange(a, renamed)
    assert not a.same_name
    assert not renamed.same_name


def test_an_echo_of_our_own_frames_makes_no_partner():
    a, b = acquainted()
    for _ in range(5):
        frame = a.sign(content(1))
        assert a.judge(frame) is None
        b.judge(frame)
        assert a.judge(b.sign(content(2)))
    assert a.counts["self"] == 5
    assert not a.same_name


def test_a_third_gateway_with_the_key_takes_no_turns_with_the_partner():
    a, b = made(50, b"nonce  a"), made(50, b"nonce  b")
    third = made(49, b"nonce  c")
    for _ in range(3):
        exchange(a, b)
    for _ in range(30):
        assert exchange(a, b) == (True, True)
        assert a.judge(third.sign(content(3))) is None
        third.judge(a.sign(content(1)))


def test_two_far_apart_come_to_trust_though_each_echo_is_old():
    """Each frame is six intervals under way, so that no echo is ever of the last frame."""
    a, b = made(9, b"nonce  a"), made(9, b"nonce  b")
    way = [(None, None)] * 6
    good = []
    for number in range(80):
        if number == 40:
            b = made(3, b"nonce  c")
        way.append((a.sign(content(1)), b.sign(content(2))))
        from_a, from_b = way.pop(0)
        good.append([bool(frame and to.judge(frame)) for frame, to in ((from_a, b), (from_b, a))])
    assert all(all(each) for each in good[20:40])
    assert all(all(each) for each in good[68:])


def test_a_partner_slower_than_we_is_believed_while_everything_is_replayed():
    world = World()
    for _ in range(3):
        world.round()
    for _ in range(20):
        for _ in range(7):
            world.a.sign()
            world.replay()
        assert world.b.hears(world.a.sign())
        frame = world.b.sign()
        world.recorded.remove(frame)
        assert world.a.hears(frame)


def test_a_gateway_that_sent_all_numbers_of_a_run_goes_on_as_the_next_run():
    a, b = acquainted()
    a._sessions._sequence = 2**32 - 3
    for _ in range(3):
        assert exchange(a, b) == (True, True)
    assert a._sessions.run[0] == 2
    assert read_head(a.sign(content(1))).sequence == 2
    assert exchange(a, b) == (True, True)


def test_a_frame_overtaken_on_a_quicker_link_is_told_from_a_record():
    a, b = acquainted()
    frames = [a.sign(content(1)) for _ in range(LATE + 2)]
    assert b.judge(frames[-1])
    for number, late, twice in ((-1, False, True), (-2, True, False), (-LATE - 1, True, False),
                                (-LATE - 2, False, False)):  # fmt: skip
        assert b.judge(frames[number]) is None
        assert (b.overtaken, b.duplicate) == (late, twice)
    assert b.counts["replay"] == 3
    assert b.counts["duplicate"] == 1
    assert b.judge(a.sign(content(1)))
    assert not b.overtaken
    assert not b.duplicate


def test_nonces_of_one_run_differ_and_have_one_mark():
    nonce = bytes.fromhex("fffffffe00000001")
    seen = {nonce}
    for _ in range(5):
        after = following(nonce)
        assert mark(after) == mark(nonce) == 2**32 - 1
        assert after not in seen
        seen.add(after)
        nonce = after
    assert following(b"\0\0\0\1\0\0\0\5") == b"\0\0\0\2\0\0\0\4"
    assert mark(b"nonce 01") != mark(b"nonce 02") != mark(b"Nonce 01")
    assert mark(b"\xff\xff\xff\xff\0\0\0\2") == 1


# --- the keeper of the runs alone ----------------------------------------------------------------


def frame(sequence=1, incarnation=1, nonce=b"theirs.1", echo=NOBODY):
    return Head(1, b"", incarnation, nonce, echo, sequence)


def met(speaks=2, nonce=b"ours...1"):
    """Give sessions that believe ``theirs.1`` of incarnation 5, sequence 10."""
    sessions = Sessions(1, nonce)
    sessions.head()
    assert sessions.judge(frame(10, 5, echo=nonce), speaks, namesake=False) == "good"
    return sessions


def test_a_head_says_who_we_are_and_what_comes_next():
    sessions = Sessions(3, b"ours...1")
    assert sessions.speaks is None
    assert sessions.head() == Head(1, b"", 3, b"ours...1", NOBODY, 1)
    assert sessions.head() == Head(1, b"", 3, b"ours...1", NOBODY, 2)
    assert sessions.run == (3, mark(b"ours...1"))


def test_zeros_are_nobody_and_no_nonce():
    sessions = Sessions(1, NOBODY)
    assert sessions.head().nonce == following(NOBODY)
    assert sessions.judge(frame(), 2, namesake=False) == "greeting"


def test_a_nonce_is_drawn_when_another_run_is_believed_and_not_for_each_frame():
    sessions = met()
    assert sessions.head().nonce == following(b"ours...1")
    assert sessions.judge(frame(11, 5), 2, namesake=False) == "good", "needs no echo"
    assert sessions.head().nonce == following(b"ours...1")
    assert sessions.head().echo == b"theirs.1"


@pytest.mark.parametrize(
    ("head", "verdict"),
    [
        (frame(10, 5), "duplicate"),
        (frame(9, 5), "late"),
        (frame(11, 5), "good"),
        (frame(1, 5, b"other..1"), "replay"),
        (frame(1, 4, b"other..1"), "replay"),
        (frame(1, 6, b"other..1"), "greeting"),
        (frame(1, 6, b"other..1", b"ours...1"), "greeting"),
        (frame(1, 6, b"other..1", following(b"ours...1")), "good"),
        (frame(1, 5, b"other..1", following(b"ours...1")), "replay"),
        (frame(99, 1, b"ours...1"), "self"),
        (frame(99, 1, following(b"ours...1")), "self"),
        (frame(99, 2, b"ours...1"), "replay"),
    ],
)
def test_what_becomes_of_a_frame_while_a_run_is_in_force(head, verdict):
    assert met().judge(head, 2, namesake=False) == verdict


def test_a_challenge_is_drawn_once_after_a_silence_and_only_for_what_needs_one():
    calm = met()
    nonces = [calm.head().nonce for _ in range(6)]
    calm.judge(frame(1, 6, b"newer..1"), 2, namesake=False)
    assert {calm.head().nonce for _ in range(4)} == set(nonces) == {following(b"ours...1")}
    sessions = met()
    first = following(b"ours...1")
    assert sessions.judge(frame(1, 5, b"other..1"), 2, namesake=False) == "replay"
    assert [sessions.head().nonce for _ in range(5)] == [first] * QUIET + [following(first)] * 3
    assert sessions.judge(frame(2, 5, b"other..1", first), 2, namesake=False) == "replay"
    assert sessions.judge(frame(11, 5), 2, namesake=False) == "good"
    late = frame(3, 5, b"other..1", following(first))
    assert sessions.judge(late, 2, namesake=False) == "replay", "the partner spoke after it"
    nonces = [sessions.head().nonce for _ in range(QUIET + 1)]
    assert nonces == [following(first)] * QUIET + [following(following(first))]
    proof = frame(4, 5, b"other..1", nonces[-1])
    assert sessions.judge(proof, 2, namesake=False) == "good"
    assert sessions.head().nonce == following(nonces[-1])
    assert sessions.judge(frame(12, 5), 2, namesake=False) == "replay", "the former run"


def test_what_is_echoed_before_anybody_is_believed():
    """By turns the newest frame of the largest incarnation, and one by lot; own names come last."""
    sessions = Sessions(1, b"ours...1")
    heads = [frame(3, 5, b"five...3"), frame(9, 4, b"four...9"), frame(4, 5, b"five...4"),
             frame(2, 5, b"five...2")]  # fmt: skip
    for head in (*heads, *heads[::-1]):
        sessions.judge(head, 1, namesake=False)
    sessions.judge(frame(99, 99, b"namesake"), 1, namesake=True)
    assert sessions.head().echo == b"five...4"
    assert sessions.head().echo == b"five...4", "until another comes"
    chosen = ([], [])
    for _ in range(60):
        for echoes in chosen:
            for head in (*heads, frame(99, 99, b"namesake")):
                sessions.judge(head, 1, namesake=head.nonce == b"namesake")
            echoes.append(sessions.head().echo)
    assert set(chosen[0]) == {b"five...4"}
    assert set(chosen[1]) == {head.nonce for head in heads} | {b"namesake"}
    # A lot does not depend on how often a frame comes, nor on the order.
    again, more = Sessions(1, b"ours...1"), Sessions(1, b"ours...1")
    for _ in range(20):
        for head in heads:
            again.judge(head, 1, namesake=False)
        for head in (*[heads[2]] * 5, *heads[::-1], heads[0]):
            more.judge(head, 1, namesake=False)
        assert again.head().echo == more.head().echo


def test_of_two_that_rank_alike_the_first_is_echoed():
    sessions = Sessions(1, b"ours...1")
    for nonce in (b"first..1", b"second.1"):
        sessions.judge(frame(1, 1, nonce), 1, namesake=False)
    assert sessions.head().echo == b"first..1"


def test_the_limits_are_what_the_documentation_says():
    assert (QUIET, PLAIN_RUN, LATE) == (2, 3, 32)


def test_a_name_like_ours_is_echoed_where_there_is_no_other():
    sessions = Sessions(1, b"ours...1")
    sessions.judge(frame(1, 1, b"namesake"), 1, namesake=True)
    assert sessions.head().echo == b"namesake"


def test_a_stranger_has_every_other_echo_and_a_partner_of_the_old_release_is_served_first():
    stranger = frame(1, 9, b"stranger")
    sessions = met(speaks=2)
    sessions.judge(stranger, 2, namesake=False)
    echoes = [sessions.head().echo for _ in range(4)]
    assert echoes == [b"stranger", b"theirs.1"] * 2
    sessions.judge(frame(11, 5), 2, namesake=False)
    assert [sessions.head().echo for _ in range(2)] == [b"theirs.1"] * 2, "it spoke since"
    old = met(speaks=1)
    old.judge(stranger, 1, namesake=False)
    echoes = [old.head().echo for _ in range(5)]
    assert echoes == [b"theirs.1", b"stranger", b"theirs.1", b"stranger", b"theirs.1"]
    old.judge(stranger, 1, namesake=False)
    old.judge(frame(11, 5), 1, namesake=False)
    assert old.head().echo == b"theirs.1"


def test_the_version_follows_the_partner():
    assert met(speaks=1).head().version == 1
    assert met(speaks=1).speaks == 1
    sessions = met(speaks=2)
    assert sessions.speaks == 2
    assert {sessions.head().version for _ in range(5)} == {2}
    sessions.judge(frame(1, 9, b"stranger"), 2, namesake=False)
    assert {sessions.head().version for _ in range(5)} == {2}, "reads 2 as well"
    sessions.judge(frame(2, 9, b"stranger"), 1, namesake=False)
    sessions.judge(frame(3, 9, b"stranger"), 2, namesake=False)
    versions = [sessions.head().version for _ in range(9)]
    assert versions == ([1] * PLAIN_RUN + [2]) * 2 + [1]
    sessions.judge(frame(11, 5), 2, namesake=False)
    sessions.judge(frame(2, 9, b"stranger"), 1, namesake=False)
    versions = [sessions.head().version for _ in range(5)]
    assert versions == [2] + [1] * PLAIN_RUN + [2], "it spoke since our last frame"
    sessions.judge(frame(12, 5), 1, namesake=False)
    assert sessions.speaks == 1
    assert sessions.head().version == 1
