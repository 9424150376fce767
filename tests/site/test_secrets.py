"""Secrets are made once, seen by nobody else, and said nowhere."""

import os
import stat

import pytest

from havpn_core.errors import ConfigError, HavpnError
from havpn_core.host.disk.keys import read_keys
from havpn_core.site.secrets import filled, names_in, secrets_of

KEY = "5a" * 32
MANY = f"{KEY}\n{'a5' * 32}"


def test_each_is_made_once_and_only_its_owner_reads_it(tmp_path):
    folder = tmp_path / "deep" / "secrets"
    before = os.umask(0)
    try:
        made = secrets_of(folder, ["pair-a", "psk-vpn1", "pair-a"])
    finally:
        os.umask(before)
    assert secrets_of(folder, ["psk-vpn1", "pair-a"]) == made
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {
        "pair-a.key": 0o600,
        "psk-vpn1.key": 0o600,
    }
    assert len(set(made.values())) == 2
    assert read_keys(folder / "pair-a.key") == (bytes.fromhex(made["pair-a"]),)


def test_where_none_is_wanted_nothing_is_made(tmp_path):
    assert secrets_of(tmp_path / "secrets", []) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_secret_of_one_s_own_is_taken(tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    file = folder / "psk-vpn1.key"
    file.write_text("# of the other side\nChosen-by:us/2026\n")
    file.chmod(0o600)
    assert secrets_of(folder, ["psk-vpn1"]) == {"psk-vpn1": "Chosen-by:us/2026"}


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_a_folder_that_others_look_into_is_refused(tmp_path, mode):
    folder = tmp_path / "secrets"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(HavpnError, match=f"others may look into it: run chmod 700 {folder}"):
        secrets_of(folder, ["pair-a"])
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (f"{KEY}\n", 0o644, "others may read it: run chmod 600"),
        ("# nothing\n", 0o600, "is empty: write the secret"),
        ('hush"hush\n', 0o600, "holds a character that some file would take"),
        ("hush hush\n", 0o600, "holds a character that some file would take"),
        ("hush\\hush\n", 0o600, "holds a character that some file would take"),
    ],
)
def test_all_files_that_cannot_be_used_are_named_and_none_is_made(tmp_path, content, mode, said):
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    for name in ("pair-a", "psk-vpn1"):
        (folder / f"{name}.key").write_text(content)
        (folder / f"{name}.key").chmod(mode)
    with pytest.raises(ConfigError) as raised:
        secrets_of(folder, ["pair-a", "other", "psk-vpn1"])
    assert len(raised.value.problems) == 2
    assert all(said in each for each in raised.value.problems)
    assert not any(part in str(raised.value) for part in (KEY, "hush"))
    assert not (folder / "other.key").exists()


def test_what_stands_in_a_file_s_place_is_no_secret(tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    (folder / "fifo.key").touch()
    (folder / "link.key").symlink_to("nowhere")
    (folder / "fifo.key").unlink()
    os.mkfifo(folder / "fifo.key", 0o600)
    with pytest.raises(ConfigError) as raised:
        secrets_of(folder, ["fifo", "link"])
    assert len(raised.value.problems) == 2


def test_places_are_filled():
    text = 'secret = "{{secret:psk-vpn1}}"\n{{secret:pair-a}}\n{{ other }}\n'
    assert names_in([text, text]) == ["psk-vpn1", "pair-a"]
    known = {"psk-vpn1": "x", "pair-a": MANY}
    assert filled(text, known) == f'secret = "x"\n{MANY}\n{{{{ other }}}}\n'


def test_a_secret_that_holds_a_place_is_not_filled_again():
    assert filled("{{secret:a}}", {"a": "{{secret:b}}", "b": "x"}) == "{{secret:b}}"


def test_two_keys_fit_only_where_a_file_takes_two():
    with pytest.raises(HavpnError, match="secret a: it has several lines"):
        filled('secret = "{{secret:a}}"', {"a": MANY})
    with pytest.raises(HavpnError, match="secret a: it is not known") as raised:
        filled("{{secret:a}}", {"b": KEY})
    assert KEY not in str(raised.value)
