"""Frames: what is believed and what is not."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.errors import ConfigError, HavpnError
from havpn_core.host.disk.keys import read_keys
from havpn_core.pair.frames import VERDICTS, Authenticator, node_number, pack, unpack
from havpn_core.pair.keys import authenticator, configured_keys, last_incarnation
from havpn_core.pair.message import Content, Line, Mode
from havpn_core.pair.wire.keyring import Keyring, key_id
from havpn_core.rules.role import Role
from tests.core.values import replace

from .release_0_1 import frames as old_frames

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
    challenge=st.integers(0, 255),
    response=st.integers(0, 255),
    **{
        name: st.booleans()
        for name in ("owner", "offer", "claim", "hears", "doubt", "maintenance", "forced",
                     "paused", "unfit")
    },
)  # fmt: skip


def pair(first=1, second=1, keys=(OLD,)):
    return authenticator(keys, first), authenticator(keys, second)


def acquaint(a, b):
    b.judge(a.sign(CONTENT))
    assert a.judge(b.sign(CONTENT)) == CONTENT
    assert b.judge(a.sign(CONTENT)) == CONTENT


@given(CONTENTS)
def test_a_content_survives_the_wire(content):
    assert unpack(pack(content)) == content


GOLDEN = (
    (
        Content(
            node=0x1122334455667788, priority=150, line=Line.RECOVERING, held=Role.ACTIVE,
            wanted=Role.STANDBY, mode=Mode.RELEASING, term=77, owner=True, claim=True, doubt=True,
            forced=True, unfit=True, challenge=200, response=99,
        ),
        "01fd00000001020304050102030405060708000000000000000000000001"
        "1122334455667788960201020000004d058155c863",
    ),
    (
        Content(
            node=1, priority=1, wanted=Role.ACTIVE, mode=Mode.OFFERING, term=2**32 + 5, offer=True,
            hears=True, maintenance=True, paused=True, response=255,
        ),
        "01fd00000001020304050102030405060708000000000000000000000002"
        "000000000000000101000001000000050680aa00ff",
    ),
)  # fmt: skip
"""Frames of version 1 without the signature, as every release has sent them but for bit 15."""


def test_frames_of_version_1_are_what_they_always_were_but_for_the_bit_that_says_more():
    a = Authenticator((OLD,), 0x0102030405, bytes(range(1, 9)))
    old = old_frames.Authenticator((OLD,), 0x0102030405, bytes(range(1, 9)))
    for content, frame in GOLDEN:
        ours, theirs = a.sign(content), old.sign(content)
        assert ours[:-16].hex() == frame
        assert ours[-16:] == hmac.digest(OLD, ours[:-16], "sha256")[:16]
        assert ours[:47] + bytes([ours[47] & 0x7F]) + ours[48:-16] == theirs[:-16]
        assert len(ours) == len(theirs) == 67


@given(CONTENTS)
def test_the_old_release_reads_the_same_content_from_version_1(content):
    assert old_frames.unpack(pack(content)) == content
    assert unpack(old_frames.pack(content)) == replace(content, reads_2=False)


def test_a_content_with_a_word_of_a_later_release_is_dropped_and_counted():
    data = bytearray(pack(CONTENT))
    data[9] = 9  # the line
    with pytest.raises(ValueError, match="a word that there is not"):
        unpack(bytes(data))


def test_each_verdict_has_its_own_count():
    a, b = pair()
    assert tuple(b.counts) == VERDICTS
    b.judge(a.sign(CONTENT)[:-1])
    b.judge(a.sign(CONTENT) + b"x")
    assert b.counts["length"] == 2
    frame = bytearray(a.sign(CONTENT))
    for version in (0, 3, 255):
        frame[0] = version
        b.judge(bytes(frame))
    assert b.counts["version"] == 3
    b.judge(authenticator((NEW,), 1).sign(CONTENT))
    assert b.counts["key"] == 1
    assert sum(b.counts.values()) == 6


def test_a_second_start_within_one_count_is_told_apart_by_its_number():
    a, b = pair(first=1)
    acquaint(a, b)
    for _ in range(5):
        b.judge(a.sign(CONTENT))
    later = authenticator((OLD,), 2)
    b.judge(later.sign(CONTENT))
    assert b.counts["greeting"] == 2, "its first frame is new, whatever its sequence"
    later.judge(b.sign(CONTENT))
    assert b.judge(later.sign(CONTENT)) == CONTENT


def test_the_nonce_differs_from_run_to_run_and_a_zero_echo_is_no_partner():
    """The first frame of a run echoes zeros: a nonce of zeros would believe anybody."""
    nonces = {authenticator((OLD,), 1).sign(CONTENT)[10:18] for _ in range(8)}
    assert len(nonces) == 8
    assert bytes(8) not in nonces


def test_two_that_start_at_once_believe_each_other_from_the_second_frame_on():
    a, b = pair()
    greetings = a.sign(CONTENT), b.sign(CONTENT)
    assert b.judge(greetings[0]) is None
    assert a.judge(greetings[1]) is None
    assert b.judge(a.sign(CONTENT)) == CONTENT
    assert a.judge(b.sign(CONTENT)) == CONTENT
    assert a.counts["greeting"] == b.counts["greeting"] == 1


def test_a_frame_counts_once():
    a, b = pair()
    acquaint(a, b)
    frame = a.sign(CONTENT)
    assert not b.duplicate
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
    forgetful = authenticator((OLD,), 2)
    for frame in recorded:
        assert forgetful.judge(frame) is None
    assert forgetful.counts["good"] == 0
    acquaint(a, forgetful) if a.judge(forgetful.sign(CONTENT)) is None else None
    assert forgetful.judge(a.sign(CONTENT))


def test_frames_of_a_former_run_are_not_believed_after_the_next_began():
    a, b = pair()
    acquaint(a, b)
    recorded = [a.sign(CONTENT) for _ in range(3)]
    again = authenticator((OLD,), 2)
    acquaint(again, b)
    for frame in recorded:
        assert b.judge(frame) is None
    assert b.judge(again.sign(CONTENT))


@given(st.integers(0, 66 * 8 - 1))
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
    assert not a.duplicate
    assert a.judge(a.sign(CONTENT)) is None
    assert a.counts["self"] == 1


def test_keys_rotate_without_a_pause():
    a, b = authenticator((NEW, OLD), 1), authenticator((OLD, NEW), 1)
    acquaint(a, b)
    stranger = authenticator((b"x" * 32,), 1)
    assert b.judge(stranger.sign(CONTENT)) is None


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("ab" * 32, 0o644, "chmod 600"),
        ("ab" * 8, 0o600, "32 bytes"),
        ("", 0o600, "32 bytes"),
        ("zz" * 32, 0o600, "hexadecimal"),
        (("ab" * 32 + "\n") * 3, 0o600, "one or two"),
        (f"{'ab' * 32}\n{'cd' * 31}\n", 0o600, "32 bytes"),
        ("#" * 65537, 0o600, "65536"),
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


def test_keys_that_the_configuration_names_are_read_or_the_configuration_is_refused(tmp_path):
    file = tmp_path / "key"
    with pytest.raises(ConfigError, match=f"pair.key_file: {file}: there is no such file"):
        configured_keys(str(file))
    file.write_text(f"# the new one\n{'ab' * 32} # signs\n\n{'cd' * 33}\n")
    file.chmod(0o600)
    assert configured_keys(str(file)) == (b"\xab" * 32, b"\xcd" * 33)


def test_a_key_file_of_the_largest_size_is_read(tmp_path):
    file = tmp_path / "key"
    file.write_text(("ab" * 32 + "\n").ljust(65536, "#"))
    file.chmod(0o600)
    assert read_keys(file) == (b"\xab" * 32,)


def test_the_number_of_the_start_before_is_none_at_first_and_a_bad_file_is_named_once(tmp_path):
    file = tmp_path / "pair.json"
    assert last_incarnation(tmp_path) == (0, None)
    file.write_text('{"incarnation":0}')
    assert last_incarnation(tmp_path) == (0, None)
    file.write_text("{")
    number, warning = last_incarnation(tmp_path)
    assert number == 0
    assert warning.startswith(f"{file}: ")
    file.mkdir()
    number, warning = last_incarnation(tmp_path)
    assert number == 0
    assert warning.startswith(f"{file}: ")
    assert not warning.startswith(f"{file}: {file}")


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


@pytest.mark.parametrize("length", [1, 32, 63, 64, 65, 200])
def test_the_signature_is_that_of_rfc_2104(length):
    key, body = b"k" * length, b"a body"
    ring, signature = Keyring((key,)), hmac.digest(key, body, "sha256")[:16]
    assert ring.sign(body) == ring.sign(body) == signature
    assert ring.verify(key_id(key, 2), body, signature)
    assert not ring.verify(key_id(key, 2), body + b".", signature)
