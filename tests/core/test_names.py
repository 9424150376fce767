"""Names in the frames of a pair: for people, in what room there is, and no bar to who has none."""

from hypothesis import given
from hypothesis import strategies as st

from havpn_core.pair.frames import BIGGEST, unpack_fields
from havpn_core.pair.wire.heads import head_bytes
from havpn_core.pair.wire.keyring import MAC_BYTES
from havpn_core.pair.wire.names import EVERY, FAR, MOST, OWN, Names, name_in
from havpn_core.pair.wire.tags import join
from havpn_core.plugging.stance import MOST_NAME, Stance, shown_name
from tests.core.values import replace

from .test_frames import LARGEST, SMALLEST, acquainted, content

HEAD = head_bytes(2)


def named(own="gw-aa", partner="gw-ab"):
    a, b = acquainted()
    a.names, b.names = Names(own), Names(partner)
    return a, b


def send(a, b, said, frames=EVERY):
    """Send frames of one content; gives them."""
    sent = [a.sign(said) for _ in range(frames)]
    assert all(b.judge(frame) is not None for frame in sent)
    return sent


def test_both_names_are_there_after_a_few_frames_whatever_share_of_them_arrives():
    for step in (1, 2, 3, 4, 5, 6, 8, 10, 20):
        a, b = named()
        said = content(1, far_stance=Stance(name="gw-ba"))
        for frame in [a.sign(said) for _ in range(step * EVERY)][::step]:
            assert b.judge(frame) is not None
        assert (b.names.partner, b.names.far) == ("gw-aa", "gw-ba"), step


def test_a_far_gateway_without_a_name_has_none_any_more():
    a, b = named()
    send(a, b, content(1, far_stance=Stance(name="gw-ba")))
    send(a, b, content(1, far_stance=Stance()))
    assert (b.names.partner, b.names.far) == ("gw-aa", "")


def test_another_partner_does_not_inherit_the_name():
    a, b = named()
    send(a, b, content(1))
    a.names = Names()
    send(a, b, content(3), frames=1)
    assert b.names.partner == ""


def test_an_earlier_release_passes_over_the_names():
    a, _ = named()
    for frame in (a.sign(content(1, far_stance=Stance(name="gw-ba"))) for _ in range(EVERY)):
        assert unpack_fields(frame[HEAD:-MAC_BYTES]) == content(1, far_stance=Stance())


def test_a_partner_that_says_no_name_has_none():
    a, b = acquainted()
    send(a, b, content(1))
    assert (b.names.partner, b.names.far) == ("", "")


@given(st.text(max_size=100), st.text(max_size=100), st.sampled_from([SMALLEST, LARGEST]))
def test_no_frame_is_larger_than_it_may_be_whatever_the_names(own, far, said):
    a, b = named(own)
    for frame in send(a, b, replace(said, far_stance=Stance(name=far))):
        assert len(frame) <= BIGGEST
    if said is SMALLEST:
        assert (b.names.partner, b.names.far) == (shown_name(own, MOST), shown_name(far, MOST))


def test_a_name_that_has_no_room_is_left_out_and_an_earlier_one_stays():
    a, b = named("g" * MOST)
    send(a, b, content(1))
    send(a, b, replace(LARGEST, node=1))
    assert b.names.partner == "g" * MOST
    a, b = named("gw-aa")
    send(a, b, LARGEST)
    assert b.names.partner == "gw-aa"


@given(st.binary(max_size=60))
def test_any_bytes_are_a_name_or_none(data):
    for name in (name_in(OWN, data), name_in(OWN, join([(OWN, data)]))):
        assert name.isprintable()
        assert len(name.encode()) <= MOST_NAME
    names = Names()
    names.take(data, 1)
    assert names.partner.isprintable() and names.far.isprintable()


def test_a_name_that_comes_twice_is_none_and_costs_no_frame():
    a, b = named()
    send(a, b, content(1))
    b.names.take(join([(OWN, b"x"), (OWN, b"y"), (FAR, b"gw-ba")]), 1)
    assert (b.names.partner, b.names.far) == ("", "gw-ba")


@given(st.text(max_size=100), st.integers(3, 64))
def test_a_name_is_cut_at_a_character_and_says_so(name, most):
    shown = shown_name(name, most)
    plain = "".join(filter(str.isprintable, name))
    assert len(shown.encode()) <= most
    assert shown == plain or (shown.endswith("…") and plain.startswith(shown[:-1]))
    assert shown_name(shown, most) == shown
