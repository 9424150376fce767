"""What is shown of a file that differs, and how strongSwan's forms are read, piece by piece."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.site.drift.connections import connections_of
from havpn_core.site.drift.places import replaced
from havpn_core.site.drift.settings import settings_of
from havpn_core.site.drift.texts import count, differing_lines
from havpn_core.site.drift.tunnels import differing_tunnels

RAW = """\
no files found matching '/etc/strongswan.d/*.conf'
list-conn event {line1 {local_addrs=[192.0.2.2] remote_addrs=[192.0.2.6 far.example.com] \
version=IKEv2 reauth_time=0 rekey_time=14400 unique=UNIQUE_NO dpd_delay=30 local-1 \
{class=pre-shared key id=gw-aa groups=[] certs=[] cacerts=[]} remote-1 {class=public key \
id=C=CH, O=strongSwan Project, CN=gw-ba groups=[] cert_policy=[]} children {lans {mode=TUNNEL \
rekey_time=3600 rekey_bytes=0 local-ts=[10.1.0.0/16 2001:db8:1::/64] remote-ts=[10.31.0.0/20]} \
other {mode=TUNNEL local-ts=[dynamic] remote-ts=[0.0.0.0/0[tcp/80]]}}}}
list-conn event {line2 {local_addrs=[%any] remote_addrs=[%any] version=IKEv2 children {}}}
list-conns reply {}
"""


def shown(before, after, **how):
    how = {"private": False, "tables": True, **how}
    return differing_lines(before.split("\n"), after.split("\n"), **how)


# --- lines ----------------------------------------------------------------------------------


def test_the_lines_are_those_of_diff_with_one_line_around():
    lines = shown("a\nb\nc\nd\ne", "a\nb\nC\nd\ne")
    assert lines == ("@@ -2,3 +2,3 @@", " b", "-c", "+C", " d")
    assert count(lines) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('password = "hunter2"', "password = ***"),
        ("api-token: hunter2", "api-token: ***"),
        ('url = "https://joe:hunter2@example.com/hook?k=hunter2"', 'url = "https://example.com"'),
        ('active = ["/bin/take", "hunter2"]', "active = ***"),
        ("params = { a = 'hunter2' }", "params = ***"),
        ('key_file = "/etc/havpn/pair.key"', 'key_file = "/etc/havpn/pair.key"'),
        ('host = "192.0.2.6"', 'host = "192.0.2.6"'),
        ("# a comment", "# a comment"),
    ],
)
def test_what_a_key_calls_a_secret_is_not_shown(line, said):
    assert shown("a", f"a\n{line}")[-1] == f"+{said}"
    assert shown(f"a\n{line}", "a")[-1] == f"-{said}"


@pytest.mark.parametrize(
    "text",
    [
        'command = [\n  "/bin/x",\n  "hunter2",\n]',
        'token = """\nhunter2\n"""',
        '[notifier.mail.headers]\nX-Own = "hunter2"',
        '[action.x.params]\nip = "hunter2" # x',
    ],
)
def test_what_goes_on_in_the_next_lines_is_not_shown_either(text):
    lines = shown("a", f"a\n{text}\nlast = 1")
    assert "hunter2" not in "".join(lines)
    assert shown("a", f"a\n{text}\n[node]\nlast = 1")[-1] == "+last = 1"


def test_of_a_private_file_only_words_that_are_rendered_are_shown():
    lines = shown("id = gw-aa\nx = gw-ba", "id = gw-ba\nsecret = hunter2 gw-aa", private=True)
    assert lines[-2:] == ("+id = gw-ba", "+*** = *** gw-aa")


@given(st.text("ab=[]{}\"'#:. \n", max_size=60), st.text("ab=[]{}\"'#:. \n", max_size=60))
def test_any_two_texts_can_be_compared(before, after):
    for private in (False, True):
        assert (shown(before, after, private=private) == ()) is (before == after)


# --- places of secrets ----------------------------------------------------------------------


def test_the_places_are_put_back_whatever_the_secrets_are():
    rendered = 'a = "{{secret:one}}"\nb {{secret:two}} c\n{{secret:three}}\n'
    found = replaced(rendered, 'a = "1+/="\nb 22 c\n333\n')
    assert found.lines == rendered.split("\n")
    assert found.secrets == {"one": ("1+/=",), "two": ("22",), "three": ("333",)}


def test_two_places_of_one_form_are_told_apart_by_their_order():
    rendered = "k = {{secret:one}}\nk = {{secret:two}}\n"
    assert replaced(rendered, "k = 1\nk = 2\n").secrets == {"one": ("1",), "two": ("2",)}


def test_only_a_place_that_is_a_line_of_its_own_takes_several_lines():
    assert replaced("{{secret:one}}\n", "1\n2\n").secrets == {"one": ("1", "2")}
    assert replaced("{{secret:one}}\n", "1\n2\n").lines == ["{{secret:one}}", ""]
    several = replaced("k = {{secret:one}}\n", "k = 1\nk = 2\n")
    assert several.lines == ["k = {{secret:one}}", "k = {{secret:one}}", ""]


@given(st.text("{}:secretone k=\n", max_size=60), st.text("{}:secretone k=\n", max_size=60))
def test_any_text_can_be_looked_at_for_secrets(rendered, found):
    replaced(f"{rendered}{{{{secret:one}}}}", found)
    assert replaced(rendered, rendered).lines == rendered.split("\n")


# --- strongSwan -----------------------------------------------------------------------------


def test_loaded_connections_are_read():
    found = connections_of(RAW)
    assert list(found) == ["line1", "line2"]
    line = found["line1"]
    assert line.lists["remote_addrs"] == ("192.0.2.6", "far.example.com")
    assert line.at("local-1").values == {"class": "pre-shared key", "id": "gw-aa"}
    assert line.at("remote-1").values["id"] == "C=CH, O=strongSwan Project, CN=gw-ba"
    assert line.at("children", "lans").lists["local-ts"] == ("10.1.0.0/16", "2001:db8:1::/64")
    assert line.values["dpd_delay"] == "30"
    assert found["line2"].at("children").sections == {}
    assert connections_of("list-conns reply {}\n") == {}


@pytest.mark.parametrize("text", ["", "x", RAW[:-30], RAW.replace("}}}}", "}}}"), "list-conn {"])
def test_what_is_cut_off_is_no_list(text):
    with pytest.raises(ValueError, match=r"it|begins"):
        connections_of(text)
    (found,) = differing_tunnels("gw-aa", {"/x": ""}, text)
    assert found.text.startswith("the list of loaded connections cannot be read: ")


@given(st.text("ab={}[] \n-conlistev", max_size=80))
def test_any_output_is_read_or_refused(text):
    with contextlib.suppress(ValueError):
        connections_of(f"list-conn event {{{text}}}\nlist-conns reply {{}}\n")


SETTINGS = """\
# a comment { }
connections {
  line1 { version = 2 # a comment }
    local_addrs = 192.0.2.2, %any
    local { auth = psk
      id = "gw aa"
    }
  }
}
secrets { ike-x { secret = "a}{\\"#b" } }
include conf.d/*.conf
"""


def test_settings_are_read_as_strongswan_reads_them():
    found = settings_of(SETTINGS)
    line = found.at("connections", "line1")
    assert line.values["version"] == "2"
    assert line.listed("local_addrs") == ("192.0.2.2", "%any")
    assert line.at("local").values == {"auth": "psk", "id": "gw aa"}
    assert found.at("secrets", "ike-x").values["secret"] == 'a}{"#b'
    assert found.at("nothing", "there").listed("x", "y, z") == ("y", "z")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{SETTINGS}}}\n", "line 12: closes a section that is not open"),
        (SETTINGS.replace("secrets {", "secrets"), "line 10: is neither"),
        (SETTINGS.replace("    }\n  }\n}\n", ""), "line 5: begins a section that is not closed"),
        ("a {\n  b {\n}\n", "line 1: begins a section that is not closed"),
        ("a = 1\nb\n", "line 2: is neither a section nor a key with a value"),
    ],
)
def test_the_line_that_strongswan_would_not_read_is_named(text, words):
    with pytest.raises(ValueError, match=words):
        settings_of(text)


@given(st.text('ab={}# "\\\n', max_size=80))
def test_any_settings_are_read_or_refused(text):
    try:
        settings_of(text)
    except ValueError as problem:
        assert str(problem).startswith("line ")


def test_addresses_are_compared_as_what_they_are():
    rendered = "connections { l { remote_addrs = 2001:DB8:0::1\n children { c {\n} } } }"
    loaded = "list-conn event {l {remote_addrs=[2001:db8::1] children {c {mode=TUNNEL}}}}\n"
    assert differing_tunnels("gw-aa", {"/x": rendered}, loaded) == []
