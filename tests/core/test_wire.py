"""Frames: what is believed and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.errors import HavpnError
from havpn_core.pair.frames import BIGGEST, Authenticator, node_number, pack, read_keys, unpack
from havpn_core.pair.message import Content, Line, Mode
from havpn_core.rules.role import Role

OLD, NEW = b"o" * 32, b"n" * 32
CONTENT = Content(node=1, priority=150)
ROLES = st.sampled_from([None, Role.ACTIVE, Role.STANDBY])
CONTENTS = st.builds(
    Content,
    node=st.integers(0, 2**64 - 1),
    priority=st.integers(1, 255),
    line=st.sampled_from([None, *Line]),
    held=ROLES,
    wanted=ROLES,
    mode=st.sampled_from(list(Mode)),
    term=st.integers(0, 2**32 - 1),
    asks=st.integers(0, 255),
    answers=st.integers(0, 255),
    **{
        name: st.booleans()
        for name in ("owner", "offer", "claim", "hears", "doubt", "maintenance", "forced",
                     "paused", "unfit")
    },
)  # fmt: skip


def pair(first=1, second=1, keys=(OLD,)):
    return Authenticator(keys, first), Authenticator(keys, second)


def acquaint(a, b):
    b.judge(a.sign(CONTENT))
    assert a.judge(b.sign(CONTENT)).first
    assert b.judge(a.sign(CONTENT)).first


@given(CONTENTS)
def test_a_content_survives_the_wire(content):
    assert unpack(pack(content)) == content


def test_a_frame_fits_a_slow_serial_line():
    """9600 baud are 960 bytes a second; five frames a second must fit twice."""
    frame = pair()[0].sign(CONTENT)
    assert len(frame) == BIGGEST
    assert (BIGGEST + 6) * 5 * 2 <= 960


def test_two_that_start_at_once_believe_each_other_from_the_second_frame_on():
    a, b = pair()
    greetings = a.sign(CONTENT), b.sign(CONTENT)
    assert b.judge(greetings[0]) is None
    assert a.judge(greetings[1]) is None
    assert b.judge(a.sign(CONTENT)).content == CONTENT
    assert a.judge(b.sign(CONTENT)).content == CONTENT
    assert a.counts["greeting"] == b.counts["greeting"] == 1


def test_a_frame_counts_once():
    a, b = pair()
    acquaint(a, b)
    frame = a.sign(CONTENT)
    assert b.judge(frame)
    assert b.judge(frame) is None
    assert b.duplicate
    older, newer = a.sign(CONTENT), a.sign(CONTENT)
    assert b.judge(newer)
    assert b.judge(older) is None
    assert not b.duplicate
    assert b.counts["replay"] == 1


def test_nothing_recorded_is_believed_after_a_restart():
    a, b = pair()
    acquaint(a, b)
    recorded = [a.sign(CONTENT) for _ in range(5)]
    for frame in recorded:
        assert b.judge(frame)
    forgetful = Authenticator((OLD,), 2)
    for frame in recorded:
        assert forgetful.judge(frame) is None
    assert forgetful.counts["good"] == 0
    acquaint(a, forgetful) if a.judge(forgetful.sign(CONTENT)) is None else None
    assert forgetful.judge(a.sign(CONTENT))


def test_frames_of_a_former_run_are_not_believed_after_the_next_began():
    a, b = pair()
    acquaint(a, b)
    recorded = [a.sign(CONTENT) for _ in range(3)]
    again = Authenticator((OLD,), 2)
    acquaint(again, b)
    for frame in recorded:
        assert b.judge(frame) is None
    assert b.judge(again.sign(CONTENT))


@given(st.integers(0, BIGGEST * 8 - 1))
def test_every_flipped_bit_is_found(bit):
    a, b = pair()
    acquaint(a, b)
    frame = bytearray(a.sign(CONTENT))
    frame[bit // 8] ^= 1 << bit % 8
    assert b.judge(bytes(frame)) is None
    assert sum(b.counts[reason] for reason in ("version", "key", "mac")) == 1


@given(st.binary(max_size=200))
def test_noise_is_counted_and_raises_nothing(noise):
    a, _ = pair()
    assert a.judge(noise) is None
    assert sum(a.counts.values()) == 1


def test_an_own_frame_that_comes_back_is_not_the_partner():
    a, _ = pair()
    assert a.judge(a.sign(CONTENT)) is None
    assert a.counts["self"] == 1


def test_keys_rotate_without_a_pause():
    a, b = Authenticator((NEW, OLD), 1), Authenticator((OLD, NEW), 1)
    acquaint(a, b)
    stranger = Authenticator((b"x" * 32,), 1)
    assert b.judge(stranger.sign(CONTENT)) is None


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("ab" * 32, 0o644, "chmod 600"),
        ("ab" * 8, 0o600, "32 bytes"),
        ("", 0o600, "32 bytes"),
        ("zz" * 32, 0o600, "hexadecimal"),
        (("ab" * 32 + "\n") * 3, 0o600, "one or two"),
        (None, 0o600, "keygen"),
    ],
)
def test_a_bad_key_file_is_named_with_the_remedy(tmp_path, text, mode, said):
    file = tmp_path / "key"
    if text is not None:
        file.write_text(text)
        file.chmod(mode)
    with pytest.raises(HavpnError, match=said) as refused:
        read_keys(file)
    assert str(file) in str(refused.value)


def test_keygen_writes_rotates_and_never_overwrites(tmp_path):
    from click.testing import CliRunner

    from havpn_core.cli.keygen import keygen

    file, run = tmp_path / "key", CliRunner()
    assert run.invoke(keygen, [str(file)]).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    [first] = read_keys(file)
    assert isinstance(run.invoke(keygen, [str(file)]).exception, HavpnError)
    assert isinstance(run.invoke(keygen, [str(file), "--step", "use"]).exception, HavpnError)
    assert run.invoke(keygen, [str(file), "--step", "add"]).exit_code == 0
    old, second = read_keys(file)
    assert old == first
    assert run.invoke(keygen, [str(file), "--step", "use"]).exit_code == 0
    assert read_keys(file) == (second, first)
    assert run.invoke(keygen, [str(file), "--step", "drop"]).exit_code == 0
    assert read_keys(file) == (second,)


def test_names_give_different_numbers():
    assert node_number("gw-aa") != node_number("gw-ab")
