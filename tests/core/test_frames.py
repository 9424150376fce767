"""Frames of version 2, which version is sent when, and a release that knows version 1 only."""

import hashlib
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.pair.frames import (
    BIGGEST,
    KEPT,
    VERDICTS,
    Authenticator,
    node_number,
    pack_fields,
    unpack,
    unpack_fields,
)
from havpn_core.pair.message import Content, Line, Mode
from havpn_core.pair.wire.fields import octets, tenths, whole, word
from havpn_core.pair.wire.keyring import Keyring, key_id
from havpn_core.pair.wire.tags import join, split
from havpn_core.plugging.stance import Stance
from havpn_core.plugging.stance import of_number as stance_of
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.role import Role
from havpn_core.rules.target.loss import Loss, of_number
from tests.core.values import replace

from .release_0_1.frames import Authenticator as OldAuthenticator
from .test_wire import CONTENTS

KEY = b"k" * 32
FLAGS = ("owner", "offer", "claim", "hears", "doubt", "maintenance", "forced", "paused", "unfit",
         "stopping", "refused", "off_road", "doubted", "off_line", "grey")  # fmt: skip


def readable(number):
    """Make a loss of seven bytes, whatever they are, as far as they may be one."""
    return of_number(number | 1 << 24 | 100 << 8)


MACS = st.one_of(st.just(b""), st.binary(min_size=6, max_size=6))
WIDE = st.builds(
    replace,
    CONTENTS,
    mac=MACS,
    interval_ms=st.integers(0, 2**32 - 1),
    stopping=st.booleans(),
    refused=st.booleans(),
    fit=st.sampled_from([None, False, True]),
    road=st.sampled_from([None, False, True]),
    road_for=st.integers(0, 255),
    asks=st.integers(0, 255),
    off_road=st.booleans(),
    doubted=st.booleans(),
    loss=st.none() | st.integers(0, 2**56 - 1).map(readable),
    hears_lan=st.sampled_from([None, False, True]),
    off_line=st.booleans(),
    moved_age_s=st.one_of(st.none(), st.integers(0, 6000).map(lambda number: number / 10)),
    grey=st.booleans(),
    this_line=st.booleans(),
    far=st.sampled_from([None, Role.ACTIVE, Role.STANDBY]),
    far_stance=st.none() | st.integers(0, 2**16 - 1).map(stance_of),
)
FAR = Stance(Role.STANDBY, False, True, True, True, True, Verdict.RECOVERING, True)
LARGEST = Content(
    node=2**64 - 1, priority=255, line=Line.DOWN, held=Role.STANDBY, wanted=Role.ACTIVE,
    mode=Mode.OFFERING, term=2**32 - 1, challenge=255, response=254, mac=b"\x02\0\0\0\0\x07",
    interval_ms=10_000, fit=False, road=True, loss=Loss(0.2, 800, 2.5, 1.5), asks=9, road_for=254,
    hears_lan=True, moved_age_s=599.0, far=Role.STANDBY, this_line=True, far_stance=FAR,
    **dict.fromkeys(FLAGS, True),
)  # fmt: skip
SMALLEST = Content(node=1, priority=1)


@given(WIDE)
def test_all_that_a_gateway_says_survives_version_2(content):
    assert unpack_fields(pack_fields(content)) == content


def test_the_bytes_of_version_2_are_fixed():
    assert pack_fields(SMALLEST).hex() == "01080000000000000001020101"
    assert pack_fields(LARGEST).hex() == (
        "0108ffffffffffffffff" "0201ff" "030103" "040102" "050101" "060106" "0704ffffffff"
        "08027fff" "0901ff" "0a01fe" "0b06020000000007" "0c0400002710" "0d0100" "0e0101"
        "110101" "120109" "1301fe" "140733330320" "00fa0f" "15021766" "160102" "170101"
        "18025a2f"
    )  # fmt: skip
    for bit, name in enumerate(FLAGS):
        data = pack_fields(replace(SMALLEST, **{name: True}))
        assert data[13:] == b"\x08\x02" + (1 << bit).to_bytes(2, "big")
    for name, value, tail in (
        ("line", Line.UP, "030101"), ("held", Role.ACTIVE, "040101"),
        ("mode", Mode.STANDBY, "060101"),
        ("fit", True, "0d0101"), ("road", False, "0e0100"), ("moved_age_s", 0.0, "15020000"),
        ("hears_lan", False, "110100"), ("far", Role.ACTIVE, "160101"),
        ("this_line", True, "170101"),
        ("loss", Loss(1.0, 70_000, math.inf, math.inf), "1407ffffffffffffff"),
        ("loss", Loss(-1.0, 0, 0.5, -1.0), "140700000001006400"),
        ("term", 2**32 + 5, "070400000005"),
        ("interval_ms", 2**40, "0c04ffffffff"), ("moved_age_s", math.inf, "1502ffff"),
        ("moved_age_s", 0.14, "15020001"), ("far_stance", Stance(), "18020000"),
        ("far_stance", Stance(Role.ACTIVE, True, paused=True, verdict=Verdict.UP), "18022502"),
    ):  # fmt: skip
        assert pack_fields(replace(SMALLEST, **{name: value}))[13:].hex() == tail


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("mac", b"\x02" * 20, b""),
        ("mac", b"\x02" * 5, b""),
        ("loss", Loss(math.nan, 1, math.nan, math.nan), Loss(0.0, 1)),
        ("moved_age_s", math.nan, 0.0),
        ("moved_age_s", -3.0, 0.0),
    ],
)
def test_what_is_no_value_is_left_out_and_ends_nothing(name, value, read):
    content = unpack_fields(pack_fields(replace(SMALLEST, **{name: value})))
    assert getattr(content, name) == read


def test_the_smallest_of_all_values_goes_over_the_wire_and_no_smaller_one():
    assert unpack_fields(pack_fields(replace(SMALLEST, priority=0))).priority == 1
    with pytest.raises(ValueError, match="priority is less than 1"):
        unpack_fields(join([(1, bytes(8)), (2, b"\0")]))


@given(st.binary(max_size=100).filter(bool), st.integers(25, 255), st.booleans())
def test_fields_of_a_later_release_are_passed_over(value, tag, first):
    data, more = pack_fields(LARGEST), join([(tag, value), (tag, b"")])
    assert unpack_fields(more + data if first else data + more) == LARGEST


def test_flags_of_a_later_release_are_passed_over():
    assert unpack_fields(pack_fields(SMALLEST) + join([(8, b"\x80\x01")])) == replace(
        SMALLEST, owner=True
    )


BASE = [(1, bytes(8)), (2, b"\1")]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ([(1, bytes(8))], "a field is missing"),
        ([(2, b"\1")], "a field is missing"),
        ([*BASE, (2, b"\1")], "comes twice"),
        ([*BASE, (3, b"\4")], "line is a word that there is not"),
        ([*BASE, (4, b"\3")], "held is a word"),
        ([*BASE, (5, b"\3")], "wanted is a word"),
        ([*BASE, (6, b"\7")], "mode is a word"),
        ([*BASE, (13, b"\2")], "fit is a word"),
        ([*BASE, (14, b"\2")], "road is a word"),
        ([*BASE, (17, b"\2")], "hears_lan is a word"),
        ([*BASE, (20, bytes.fromhex("33330000006400"))], "loss is that of nothing"),
        ([*BASE, (20, bytes.fromhex("33330001006300"))], "loss is that of nothing"),
        ([*BASE, (20, bytes.fromhex("3333000100640000"))], "loss has 8 bytes, not 7"),
        ([*BASE, (3, b"")], "line has 0 bytes, not 1"),
        ([*BASE, (3, b"\0\1")], "line has 2 bytes, not 1"),
        ([*BASE, (11, b"12345")], "mac has 5 bytes, not 6"),
        ([*BASE, (8, b"\1")], "flags has 1 bytes, not 2"),
        ([(1, bytes(7)), (2, b"\1")], "node has 7 bytes, not 8"),
    ],
)
def test_a_malformed_field_has_a_count_of_its_own(fields, why):
    with pytest.raises(ValueError, match=why):
        unpack_fields(join(fields))
    a, b = acquainted()
    assert b.judge(signed(a, join(fields))) is None
    assert b.counts["field"] == 1
    assert b.counts["content"] == 0
    assert b.judge(a.sign(content())) is not None


def test_a_field_that_is_cut_off_is_malformed():
    whole_one = join(BASE)
    for end in (1, 2, 5, 9, 11, 12):
        with pytest.raises(ValueError, match=r"cut off|without a length"):
            split(whole_one[:end], {1, 2})
    assert split(whole_one[:10], {1, 2}) == {1: bytes(8)}
    assert split(whole_one, {2}) == {2: b"\1"}
    assert split(b"", {1}) == {}
    assert split(b"\1\0\2\0", {1, 2}) == {1: b"", 2: b""}
    with pytest.raises(ValueError, match="without a length"):
        split(whole_one + b"\1", {1, 2})


@given(st.binary(max_size=BIGGEST))
def test_any_bytes_are_a_content_or_malformed(data):
    try:
        content = unpack_fields(data)
    except ValueError:
        return
    assert isinstance(content, Content)
    pack_fields(content)


@given(WIDE, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4),
       st.integers(0, 200), st.integers(0, 40))  # fmt: skip
def test_no_change_of_a_signed_frame_raises_or_is_believed(content, changes, cut, copied):
    a, b = acquainted()
    frame = a.sign(content)
    assert frame[0] == 2
    data = bytearray(frame)
    for at, value in changes:
        data[at % len(data)] = value
    data = bytes(data[: max(0, len(data) - cut)] + data[37 : 37 + copied])
    before = sum(b.counts.values())
    assert (b.judge(data) is not None) == (data == frame)
    assert sum(b.counts.values()) == before + 1
    b.judge(signed(a, data[37:-16]))  # the partner's key may sign anything
    assert sum(b.counts.values()) == before + 2
    assert b.judge(a.sign(SMALLEST)) == SMALLEST


def test_a_frame_has_room_to_grow_and_fits_a_slow_serial_line():
    """9600 baud are 960 bytes a second; framing adds 6."""
    assert BIGGEST == 160
    a, _ = acquainted()
    ours = len(a.sign(LARGEST))
    assert ours == 37 + len(pack_fields(LARGEST)) + 16 <= 146
    assert (BIGGEST + 6) * 5 <= 960
    assert ours + 14 <= BIGGEST


def test_the_length_of_a_frame_is_bounded_on_both_sides():
    a, b = acquainted()
    room = BIGGEST - 37 - 16 - len(pack_fields(SMALLEST)) - 2
    largest = signed(a, pack_fields(SMALLEST) + join([(99, bytes(room))]))
    assert len(largest) == BIGGEST
    assert b.plausible(largest)
    assert b.judge(largest) == SMALLEST
    for frame in (b"", largest + b"x", b"\2", largest[:52], b"\1" * 66, b"\1" * 68):
        assert not b.plausible(frame)
        assert b.judge(frame) is None
    assert b.counts["length"] == 6
    assert b.judge(signed(a, b"")) is None
    assert b.counts["field"] == 1
    assert not b.plausible(b"\0" + largest[1:])
    assert not b.plausible(b"\3" + largest[1:])


def content(node=1, **fields):
    return Content(node=node, priority=100, **fields)


def signed(a, fields):
    """Sign a frame of version 2 with these fields."""
    head = a.sign(SMALLEST)[:37]
    return head + fields + a._keys.sign(head + fields)


def made(nonce, keys=(KEY,), incarnation=1, kind=Authenticator):
    return kind(keys, incarnation, nonce)


def acquainted(keys_a=(KEY,), keys_b=(KEY,)):
    a, b = made(b"nonce  a", keys_a), made(b"nonce  b", keys_b)
    for _ in range(3):
        exchange(a, b)
    assert exchange(a, b) == (True, True)
    return a, b


def exchange(a, b):
    return b.judge(a.sign(content(1))) is not None, a.judge(b.sign(content(2))) is not None


# --- keys ----------------------------------------------------------------------------------------


def alike():
    """Give two keys whose ids of version 1 are the same."""
    found = {}
    for number in range(257):
        key = number.to_bytes(32, "big")
        other = found.setdefault(hashlib.sha256(b"havpn key id" + key).digest()[0], key)
        if other != key:
            return other, key
    raise AssertionError("256 ids for 257 keys")


def test_two_keys_with_one_id_of_version_1_work_in_both_orders():
    first, second = alike()
    assert key_id(first, 1) == key_id(second, 1)
    assert key_id(first, 2) != key_id(second, 2)
    for keys in ((first, second), (second, first)):
        old = made(b"old    o", keys[:1], kind=OldAuthenticator)
        for partner in (old, made(b"nonce  b", keys[::-1]), made(b"nonce  b", keys[:1])):
            a = made(b"nonce  a", keys)
            for _ in range(3):
                exchange(a, partner)
            assert exchange(a, partner)[1]
            assert a.counts["mac"] == 0


def test_a_key_is_named_by_its_bytes_and_others_are_refused_before_any_signature():
    keys = Keyring((KEY, b"o" * 32))
    digest = hashlib.sha256(b"havpn key id" + KEY).digest()
    assert (keys.signing_id(1), keys.signing_id(2)) == (digest[:1], digest[:8])
    for version in (1, 2):
        assert keys.known(key_id(b"o" * 32, version))
        assert not keys.known(key_id(b"x" * 32, version))
    body = b"body"
    assert keys.verify(key_id(KEY, 2), body, keys.sign(body))
    assert not keys.verify(key_id(b"o" * 32, 2), body, keys.sign(body))
    assert not keys.verify(key_id(b"x" * 32, 2), body, keys.sign(body))
    assert not keys.verify(key_id(KEY, 2), body, keys.sign(b"Body"))
    assert len(keys.sign(body)) == 16


def test_a_wrong_key_is_counted_in_both_versions():
    a, b = acquainted()
    stranger = made(b"stranger", (b"x" * 32,))
    assert b.judge(stranger.sign(content())) is None
    assert b.counts["key"] == 1
    frame = bytearray(a.sign(content()))
    frame[-1] ^= 1
    assert b.plausible(bytes(frame))
    assert b.judge(bytes(frame)) is None
    assert b.counts["mac"] == 1
    b.use((b"x" * 32, b"y" * 32))
    assert not b.plausible(a.sign(content()))
    assert b.judge(a.sign(content())) is None
    assert b.counts["key"] == 2


def test_keys_change_without_a_pause_in_version_2():
    new = b"n" * 32
    a, b = acquainted()
    for keys in ((KEY, new), (new, KEY), (new,)):
        for one in (a, b):
            one.use(keys)
            for _ in range(2):
                assert exchange(a, b) == (True, True)
    assert a.speaks == b.speaks == 2


# --- which version -------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12))
def test_two_of_this_release_come_to_version_2_whatever_is_lost(losses):
    a, b = made(b"nonce  a"), made(b"nonce  b")
    assert a.speaks is None
    for to_b, to_a in losses:
        frame = a.sign(content(1))
        if to_b:
            b.judge(frame)
        frame = b.sign(content(2))
        if to_a:
            a.judge(frame)
    for _ in range(2):
        exchange(a, b)
    assert exchange(a, b) == (True, True)
    assert a.sign(content())[0] == b.sign(content())[0] == 2
    assert a.speaks == b.speaks == 2
    assert a.counts["version"] == b.counts["length"] == 0


def test_frames_are_version_1_until_the_partner_is_believed():
    a, b = made(b"nonce  a"), made(b"nonce  b")
    assert {a.sign(content())[0] for _ in range(3)} == {1}
    b.judge(a.sign(content()))
    assert {b.sign(content())[0] for _ in range(3)} == {1}, "not proven yet"


@pytest.mark.parametrize("first", [True, False])
def test_a_rolling_upgrade_loses_no_more_than_two_frames_in_a_row(first):
    """Each kind restarts as the other, again and again, whoever sends first, at any moment."""
    for start, changes, phase in itertools.product(
        itertools.product((Authenticator, OldAuthenticator), repeat=2),
        itertools.product((Authenticator, OldAuthenticator), repeat=4),
        (1, 4, 9),
    ):
        numbers = itertools.count(1)
        a, b = (made(b"start  %d" % n, kind=kind, incarnation=next(numbers))
                for n, kind in enumerate(start))  # fmt: skip
        missed = [0, 0]
        for turn, kind in enumerate(changes):
            for _ in range(phase):
                for way in (0, 1) if first else (1, 0):
                    sender, receiver = ((a, b), (b, a))[way]
                    said = content(way + 1, hears=True, owner=True, term=turn, line=Line.DOWN)
                    heard = receiver.judge(sender.sign(said))
                    reads_2 = isinstance(sender, Authenticator) or isinstance(
                        receiver, OldAuthenticator
                    )
                    assert heard is None or heard == replace(said, reads_2=reads_2)
                    missed[way] = 0 if heard else missed[way] + 1
                    assert missed[way] <= 2, (start, changes, turn, phase)
            # The one that restarts hears nobody yet, and nobody hears it.
            restarted = made(b"turn  %2d" % turn, kind=kind, incarnation=next(numbers))
            a, b = (restarted, b) if turn % 2 else (a, restarted)
            missed = [0, 0]


def test_the_old_release_is_spoken_to_in_its_version_and_a_partner_upgraded_in_the_new_one():
    a, old = made(b"nonce  a"), made(b"old    o", kind=OldAuthenticator)
    for _ in range(20):
        exchange(a, old)
    assert a.speaks == 1
    assert old.counts["length"] == old.counts["version"] == 0
    assert old.counts["good"] >= 18
    new = made(b"nonce  n", incarnation=2)
    for _ in range(3):
        exchange(a, new)
    assert a.speaks == 2
    again = made(b"old    p", kind=OldAuthenticator, incarnation=3)
    unread = [again.judge(a.sign(content())) for _ in range(2)]
    assert unread == [None, None]
    lengths = again.counts["length"]
    for _ in range(8):
        exchange(again, a)
    assert again.counts["length"] == lengths, "not one more that it cannot read"
    assert a.speaks == 1
    assert a.sign(content())[0] == 1


def test_frames_recorded_from_the_old_release_do_not_take_version_2_away():
    a, b = acquainted()
    old, other = made(b"old    o", kind=OldAuthenticator), made(b"other  1")
    recorded = []
    for _ in range(5):
        frame = old.sign(content(2))
        other.judge(frame)
        old.judge(other.sign(content(1)))
        recorded.append(frame)
    for _ in range(20):
        for one in recorded:
            a.judge(one)
        assert a.sign(content())[0] == 2
        assert a.judge(b.sign(content(2)))
        for one in recorded:
            a.judge(one)


NEW = {
    "mac": b"\2\0\0\0\0\1", "interval_ms": 50, "stopping": True, "refused": True, "fit": True,
    "road": False, "road_for": 3, "asks": 4, "off_road": True, "doubted": True,
    "loss": Loss(0.2, 200, 1.5, 2.0), "hears_lan": True, "off_line": True, "moved_age_s": 3.0,
    "grey": True, "this_line": True, "far": Role.ACTIVE, "far_stance": FAR,
}  # fmt: skip


def test_what_version_2_said_goes_on_for_a_few_frames_of_version_1_of_the_same_run():
    a, b = acquainted()
    assert KEPT == 8
    said = content(1, line=Line.UP, **NEW)
    assert b.judge(a.sign(said)) == said
    a._sessions._partner.speaks = 1
    now = replace(said, line=Line.DOWN, hears=True, stopping=False, mac=b"")
    for _ in range(KEPT):
        frame = a.sign(now)
        assert frame[0] == 1
        assert b.judge(frame) == replace(now, **NEW)
    assert b.judge(a.sign(now)) == content(1, line=Line.DOWN, hears=True)
    assert b.speaks == 2
    a._sessions._partner.speaks = 2
    assert b.judge(a.sign(said)) == said
    again = made(b"nonce  c", incarnation=2)
    assert b.judge(again.sign(said)) is None
    again.judge(b.sign(content(2)))
    assert b.judge(again.sign(said)) == said
    old = made(b"nonce  d", kind=OldAuthenticator, incarnation=3)
    heard = []
    for _ in range(4):
        heard.append(b.judge(old.sign(said)))
        old.judge(b.sign(content(2)))
    assert heard[-1] == content(1, line=Line.UP, reads_2=False), "another run said it"


def test_the_counts_are_those_of_every_release_and_new_ones_at_the_end():
    from .release_0_1.frames import VERDICTS as OLD_VERDICTS

    assert VERDICTS[: len(OLD_VERDICTS)] == OLD_VERDICTS
    assert VERDICTS[len(OLD_VERDICTS) :] == ("field",)


# --- fields one by one ---------------------------------------------------------------------------


def test_each_kind_of_field_keeps_to_its_range():
    number = whole(1, "number", 1, least=2)
    assert [number.number(value) for value in (-1, 2, 3, 255, 256)] == [2, 2, 3, 255, 255]
    assert (number.value(2), number.value(255)) == (2, 255)
    with pytest.raises(ValueError, match="number is less than 2"):
        number.value(1)
    letters = word(2, "letter", "ab")
    assert (letters.number("a"), letters.number("b"), letters.value(1)) == (0, 1, "b")
    with pytest.raises(ValueError, match="letter is a word"):
        letters.value(2)
    raw = octets(3, "raw", 2)
    assert (raw.number(b"\1\2"), raw.number(b"1"), raw.number(b"123")) == (258, None, None)
    assert raw.value(1) == b"\0\1"
    old = tenths(5, "old", 2)
    assert [old.number(value) for value in (0, -1, 0.1, 2, 1e9)] == [0, 0, 1, 20, 2**16 - 1]
    assert old.value(15) == 1.5


def test_an_old_frame_reads_as_it_always_did():
    data = bytes.fromhex("1122334455667788960201020000004d050155c863")
    assert unpack(data).line is Line.RECOVERING
    for at, value in ((9, 4), (10, 3), (11, 3), (16, 7)):
        with pytest.raises(ValueError, match="a word that there is not"):
            unpack(data[:at] + bytes([value]) + data[at + 1 :])


def test_a_word_that_there_is_not_in_version_1_has_its_own_count():
    a, b = made(b"nonce  a"), made(b"nonce  b")
    frame = a.sign(content())
    body = frame[:39] + b"\x09" + frame[40:-16]
    assert frame[0] == 1
    assert b.judge(body + a._keys.sign(body)) is None
    assert (b.counts["content"], b.counts["field"]) == (1, 0)


def test_what_is_known_of_the_partner_before_and_after_its_first_frame():
    a, b = made(b"nonce  a"), made(b"nonce  b")
    assert (a.duplicate, a.overtaken, a.same_name, a.speaks) == (False, False, False, None)
    for _ in range(2):
        b.judge(a.sign(content(3)))
        a.judge(b.sign(content(4)))
    assert (a.same_name, b.same_name) == (False, False)
    a.judge(b.sign(content(3)))
    assert a.same_name


def test_the_old_release_is_heard_and_hears_while_records_are_replayed_to_us():
    records, old = [], made(b"old    o", kind=OldAuthenticator, incarnation=5)
    for number in range(4):
        one, other = made(b"one   %2d" % number, incarnation=number), made(b"other %2d" % number)
        for _ in range(3):
            records += [one.sign(content(1)), other.sign(content(2))]
            one.judge(records[-1])
            other.judge(records[-2])
    a = made(b"nonce  a")
    for _ in range(3):
        exchange(a, old)
    for _ in range(20):
        for frame in records:
            assert a.judge(frame) is None
        assert exchange(a, old) == (True, True)
        for frame in records:
            assert a.judge(frame) is None


def test_a_name_has_the_same_number_for_ever():
    assert node_number("gw-a") == int(hashlib.sha256(b"gw-a").hexdigest()[:16], 16)
