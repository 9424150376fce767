"""What was edited by hand on a gateway is found, with a remedy and without any secret."""

import json

import pytest

from havpn_core.site.drift.difference import What
from havpn_core.site.drift.whole import HAVPN, compare
from havpn_core.site.live.copies import in_copies, in_tree, inside
from tests.site.gateways import CONNECTIONS, PAIR_KEY, SITE, SWANCTL, Gateways, rendered

REMEDY = "carry the rendered tree over"


@pytest.fixture
def gateways(tmp_path):
    return Gateways(tmp_path)


def drift(gateways, known=None, files=None):
    """Compare the folders with what is rendered; no secret is in what is said of it."""
    files = files or gateways.files
    found = compare(files, in_copies(gateways.folder, files), known or {}, REMEDY)
    said = json.dumps([[str(each), *each.lines] for each in found.differences])
    for secret in ("INLINE-SECRET", "BY-HAND", *gateways.secrets.values()):
        assert secret not in said
    return list(found.differences)


def test_an_untouched_tree_has_none(gateways):
    found = compare(gateways.files, in_copies(gateways.folder, gateways.files), {}, REMEDY)
    assert (found.differences, found.unseen) == ((), ())
    assert drift(gateways, gateways.secrets) == []


def test_comparing_changes_nothing_and_says_the_same_again(gateways):
    gateways.edit("gw-aa", HAVPN, "line1", "line9")
    before = {f: f.read_bytes() for f in gateways.folder.rglob("*") if f.is_file()}
    assert drift(gateways) == drift(gateways) != []
    assert {f: f.read_bytes() for f in gateways.folder.rglob("*") if f.is_file()} == before


def remove(path):
    return lambda g: g.place("gw-aa", path).unlink()


def edit(path, before, after):
    return lambda g: g.edit("gw-aa", path, before, after)


def load(before, after):
    """Load a file that was edited, and put the right one back."""

    def do(gateways):
        kept = gateways.place("gw-aa", SWANCTL).read_text()
        gateways.edit("gw-aa", SWANCTL, before, after)
        gateways.load("gw-aa")
        gateways.place("gw-aa", SWANCTL).write_text(kept)

    return do


def reload_edited(gateways):
    """Reload a file that was edited, and put the right one back."""
    kept = gateways.place("gw-aa", HAVPN).read_text()
    gateways.edit("gw-aa", HAVPN, 'profile = "fast"', 'profile = "balanced"')
    gateways.run("gw-aa")
    gateways.place("gw-aa", HAVPN).write_text(kept)


def left_over(gateways):
    text = gateways.place("gw-aa", PAIR_KEY).read_text()
    gateways.write("gw-aa", "/etc/havpn/line-old.key", text, 0o600)


def other_pair_key(gateways):
    gateways.edit("gw-aa", PAIR_KEY, gateways.secrets["pair-a"], "BY-HAND")


def other_psk(gateways):
    gateways.edit("gw-aa", SWANCTL, gateways.secrets["psk-line1"], "BY-HAND")


EDITS = {
    "a probe's host": (edit(HAVPN, "192.0.2.6", "192.0.2.7"), What.CHANGED, HAVPN),
    "a comment": (edit(HAVPN, "[node]", "# by Bob\n[node]"), What.CHANGED, HAVPN),
    "a table that is gone": (edit(HAVPN, "[pair.link.cable]", "# "), What.CHANGED, HAVPN),
    "a profile": (edit(HAVPN, '"fast"', '"balanced"'), What.CHANGED, HAVPN),
    "a priority": (edit(HAVPN, "priority = 150", "priority = 90"), What.CHANGED, HAVPN),
    "a header with a secret": (edit(HAVPN, '"INLINE', '"BY-HAND'), What.CHANGED, HAVPN),
    "the mark": (edit(HAVPN, "Rendered by", "By"), What.CHANGED, HAVPN),
    "no TOML any more": (edit(HAVPN, "[node]", "[node"), What.CHANGED, HAVPN),
    "a file that is gone": (remove(SWANCTL), What.MISSING, SWANCTL),
    "a file of nothing": (lambda g: g.write("gw-aa", HAVPN, ""), What.CHANGED, HAVPN),
    "a file that is no text": (
        lambda g: g.place("gw-aa", HAVPN).write_bytes(b"\xff\xfe"), What.CHANGED, HAVPN,
    ),
    "a key that is gone": (remove(PAIR_KEY), What.MISSING, PAIR_KEY),
    "a key that everybody may read": (
        lambda g: g.place("gw-aa", PAIR_KEY).chmod(0o644), What.READABLE, PAIR_KEY,
    ),
    "another key of the pair": (other_pair_key, What.SECRET, PAIR_KEY),
    "another PSK": (other_psk, What.SECRET, SWANCTL),
    "another selector": (edit(SWANCTL, "10.31.0.0/20", "10.31.0.0/16"), What.CHANGED, SWANCTL),
    "another proposal": (edit(SWANCTL, "aes128gcm16-", "3des-"), What.CHANGED, SWANCTL),
    "one more secret": (
        edit(SWANCTL, "secrets {", "secrets {\n  ppk-x {\n    secret = BY-HAND\n  }"),
        What.CHANGED, SWANCTL,
    ),
    "a file that is left over": (left_over, What.ADDITIONAL, "/etc/havpn/line-old.key"),
    "a reload of another file": (reload_edited, What.STATUS, "status"),
    "a daemon that was stopped": (lambda g: g.run("gw-aa", state="stopped"), What.STATUS, "status"),
    "the status of another gateway": (lambda g: g.run("gw-aa", node="x"), What.STATUS, "status"),
    "a tunnel that is not loaded": (load("line1 {", "other {"), What.TUNNEL, "tunnel line1"),
    "another far end as loaded": (load("192.0.2.6", "192.0.2.9"), What.TUNNEL, "tunnel line1"),
    "another own end as loaded": (load("192.0.2.2", "192.0.2.3"), What.TUNNEL, "tunnel line1"),
    "another selector as loaded": (load("10.1.0.0/16", "10.1.0.0/17"), What.TUNNEL, "tunnel line1"),
    "one network less as loaded": (
        load("10.1.0.0/16,2001:db8:1::/64", "10.1.0.0/16"), What.TUNNEL, "tunnel line1",
    ),
    "another identity as loaded": (load("id = gw-ba", "id = gw-bb"), What.TUNNEL, "tunnel line1"),
    "a child of another name as loaded": (load("lans {", "nets {"), What.TUNNEL, "tunnel line1"),
}  # fmt: skip


@pytest.mark.parametrize("known", [False, True], ids=["secrets unknown", "secrets known"])
@pytest.mark.parametrize(("do", "what", "place"), EDITS.values(), ids=EDITS)
def test_each_edit_is_found(gateways, do, what, place, known):
    do(gateways)
    found = drift(gateways, gateways.secrets if known else None)
    seen = [(each.what, each.place) for each in found if each.gateway == "gw-aa"]
    if what is What.SECRET and not known:
        # Which of both ends is right nobody knows: the other one is named.
        seen = [(each.what, each.place) for each in found]
    assert (what, place) in seen
    assert all(each.remedy for each in found)
    assert {each.gateway for each in found} <= {"gw-aa", "gw-ab", "gw-ba"}


@pytest.mark.parametrize(
    ("path", "before", "after", "shown"),
    [
        (HAVPN, "192.0.2.6", "192.0.2.7", ('-host = "192.0.2.6"', '+host = "192.0.2.7"')),
        (HAVPN, '"INLINE', '"BY-HAND', ("-X-Own = ***", "+X-Own = ***")),
        (SWANCTL, "version = 2", "version = 7",
         ("-    version = 2", "+    version = ***")),
        (SWANCTL, "id = gw-ba", "id = gw-aa", ("-      id = gw-ba", "+      id = gw-aa")),
    ],
)  # fmt: skip
def test_the_lines_are_shown_as_far_as_they_may_be(gateways, path, before, after, shown):
    gateways.edit("gw-aa", path, before, after)
    (found,) = (each for each in drift(gateways) if each.place == path)
    assert set(shown) <= set(found.lines)


def test_a_secret_in_a_place_of_its_own_is_not_shown(gateways):
    gateways.write("gw-aa", PAIR_KEY, "BY-HAND BY-HAND\nBY-HAND = c2VjcmV0\n", 0o600)
    assert [each.what for each in drift(gateways)] == [What.CHANGED]


def test_a_key_may_have_a_second_line_while_it_is_changed(gateways):
    both = f"{gateways.secrets['pair-a']}\nNEXT-SECRET"
    for gateway in ("gw-aa", "gw-ab"):
        gateways.edit(gateway, PAIR_KEY, gateways.secrets["pair-a"], both)
    assert drift(gateways) == []
    assert drift(gateways, {**gateways.secrets, "pair-a": both}) == []
    assert [each.what for each in drift(gateways, gateways.secrets)] == [What.SECRET] * 2


def test_what_was_rendered_from_another_site_file_is_told_from_what_was_edited(gateways):
    other = rendered(SITE.replace('"192.0.2.6"', '"192.0.2.9"'))
    (one, *_) = (e for e in drift(gateways, files=other) if e.place == HAVPN)
    assert one.text == "1 line differs: it was rendered from another site file"
    gateways.edit("gw-aa", HAVPN, "192.0.2.6", "192.0.2.9")
    gateways.edit("gw-aa", HAVPN, "priority = 150", "priority = 90")
    (one, *_) = (e for e in drift(gateways) if e.place == HAVPN)
    assert one.text == "2 lines differ: it was edited by hand"
    gateways.edit("gw-aa", HAVPN, "Rendered by HA-VPN", "Made by me")
    (one, *_) = (e for e in drift(gateways) if e.place == HAVPN)
    assert one.text.endswith("it has no mark of HA-VPN")


def test_a_file_that_was_edited_and_not_reloaded_is_told_from_one_that_was(gateways):
    gateways.edit("gw-aa", HAVPN, "priority = 150", "priority = 90")
    assert [each.place for each in drift(gateways)] == [HAVPN]
    gateways.run("gw-aa")
    assert [each.place for each in drift(gateways)] == [HAVPN, "status"]
    gateways.edit("gw-aa", HAVPN, "priority = 90", "priority = 150")
    (one,) = drift(gateways)
    assert (one.place, one.remedy) == ("status", "run havpn reload there")


def test_a_status_of_an_older_release_has_no_digest_to_compare(gateways):
    gateways.run("gw-aa", config=None)
    assert drift(gateways) == []


@pytest.mark.parametrize(
    ("path", "words"), [("/run/havpn/status.json", "status"), (CONNECTIONS, "loaded tunnels")]
)
def test_what_is_not_there_to_compare_is_said_and_no_drift(gateways, path, words):
    gateways.place("gw-ab", path).unlink()
    found = compare(gateways.files, in_copies(gateways.folder, gateways.files), {}, REMEDY)
    assert found.differences == ()
    (said,) = found.unseen
    assert said.startswith(f"gw-ab: {words}: ")


def test_a_gateway_that_is_not_there_is_one_difference(gateways):
    gateways.place("gw-bb", "").rename(gateways.folder / "gw-bc")
    found = drift(gateways)
    assert [(each.gateway, each.what) for each in found] == [
        ("gw-bb", What.UNREACHABLE), ("gw-bc", What.ADDITIONAL),
    ]  # fmt: skip


def test_a_folder_of_something_else_is_none_of_ours(gateways):
    (gateways.folder / "notes").mkdir()
    assert drift(gateways) == []


def test_in_the_rendered_tree_every_file_counts(gateways):
    gateways.write("gw-ba", "/etc/other/of-ours", gateways.place("gw-ba", HAVPN).read_text())
    gateways.write("gw-ba", "/etc/other/not-ours", "by hand")
    found = compare(gateways.files, in_tree(gateways.folder, gateways.files), {}, REMEDY)
    assert [(e.what, e.place) for e in found.differences] == [
        (What.ADDITIONAL, "/etc/other/of-ours")
    ]


def test_links_are_followed_within_the_copy(gateways):
    place = gateways.place("gw-aa", "/etc/havpn")
    place.rename(gateways.place("gw-aa", "/srv"))
    place.symlink_to("/srv")
    assert drift(gateways) == []
    place.unlink()
    place.symlink_to("/srv/../../../../srv")
    assert drift(gateways) == []
    gateways.place("gw-aa", HAVPN)
    place.unlink()
    place.symlink_to("havpn")
    assert {each.what for each in drift(gateways)} == {What.MISSING}


def test_a_link_out_of_the_copy_leads_to_nothing(gateways, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "file"
    outside.write_text("not of the gateway")
    gateways.place("gw-aa", HAVPN).unlink()
    gateways.place("gw-aa", HAVPN).symlink_to(outside)
    assert inside(gateways.place("gw-aa", ""), HAVPN) is None
    assert [each.what for each in drift(gateways)] == [What.MISSING]


def test_what_is_in_a_file_s_place_is_said(gateways):
    gateways.place("gw-aa", HAVPN).unlink()
    gateways.place("gw-aa", HAVPN).mkdir()
    (found,) = drift(gateways)
    assert found.what is What.UNREADABLE
