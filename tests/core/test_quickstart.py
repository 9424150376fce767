"""What the pages for beginners show holds: the files are good, each command has these options."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from havpn_core.cli import havpn
from havpn_core.config.read import load
from havpn_core.plugging.registry import Registry

REPO = Path(__file__).parents[2]
DOCS = REPO / "docs"
PAGES = (DOCS / "quickstart.md", DOCS / "heartbeat.md", REPO / "README.md")
COMMANDS = {
    "quickstart.md": (
        "check", "doctor", "events", "keygen", "pause", "resume", "status", "switch",
    ),
    "heartbeat.md": ("check", "doctor", "status", "switch"),
    "README.md": ("check", "doctor", "keygen", "status"),
}  # fmt: skip
"""What each page must show, so that no block is passed over unseen."""
SYSTEM = (
    "apt", "chmod", "chown", "echo", "install", "make", "python3", "scp", "sysctl", "systemctl",
)  # fmt: skip
"""Programs of Debian that a page may call."""
PACKAGED = "/usr/share/havpn/systemd/"


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.S)


def lines(page):
    """Give all command lines of a page: of its blocks, and of the tables that say what to type."""
    text = page.read_text()
    typed = re.findall(r"`(havpn [^`]+)`", text) if page.parent == DOCS else []
    found = [line for block in blocks(page, "sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in [*found, *typed]]


def of_havpn(page):
    return [argv[1:] for argv in lines(page) if argv[0] == "havpn"]


@pytest.fixture
def key(tmp_path):
    file = tmp_path / "pair.key"
    file.write_text("ab" * 32)
    file.chmod(0o600)
    return file


def loaded(text, key, folder):
    """Read a configuration of a page as the daemon does."""
    file = folder / "havpn.toml"
    file.write_text(text.replace("/etc/havpn/pair.key", str(key)))
    file.chmod(0o600)
    return load(file)[0]


def test_the_pair_of_the_quick_start_is_good_with_one_link_and_with_two(key, tmp_path):
    whole, pair = blocks(PAGES[0], "toml")
    other = re.sub(r"\[pair\].*?(?=\[notifier)", pair, whole, flags=re.S)
    one, two = loaded(whole, key, tmp_path), loaded(other, key, tmp_path)
    assert "serial" not in whole
    assert [link.type.name for link in one.pair.links] == ["udp"]
    assert {link.type.name for link in two.pair.links} == {"udp", "serial"}
    assert [action.type.name for action in one.actions] == ["alias-arp"]


def test_the_file_of_heartbeat_is_good(key, tmp_path):
    (whole,) = blocks(PAGES[1], "toml")
    config = loaded(whole, key, tmp_path)
    assert config.pair is None
    assert [action.type.name for action in config.actions] == ["heartbeat"]


def table():
    """Give the quick start's table of the four gateways: a row's values by its first word."""
    rows = re.findall(r"^\| (\w[^|]*?) \| (.*?) \|$", PAGES[0].read_text(), re.M)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}


def test_the_table_of_the_gateways_is_consistent_and_the_file_is_that_of_the_first():
    rows = table()
    wan, lan = rows["own WAN address"], rows["own LAN address"]
    far, partner = [2, 3, 0, 1], [1, 0, 3, 2]
    assert rows["far gateway's WAN address"] == [wan[n] for n in far]
    assert rows["far gateway's LAN address"] == [lan[n] for n in far]
    assert rows["partner's LAN address"] == [lan[n] for n in partner]
    assert rows["priority"] == ["150", "100"] * 2
    file = tomllib.loads(blocks(PAGES[0], "toml")[0])
    probes = file["path"]["vpn1"]["probe"]
    assert probes["line"]["host"] == wan[2]
    assert (probes["tunnel"]["host"], probes["tunnel"]["source"]) == (lan[2], lan[0])
    assert file["respond"]["listen"] == [f"{wan[0]}:7", f"{lan[0]}:7"]
    assert file["respond"]["allow"] == [f"{wan[2]}/32", f"{lan[2]}/32"]
    assert file["pair"]["link"]["lan"] == {"type": "udp", "local": lan[0], "peer": lan[1]}
    assert file["action"]["gateway"]["addresses"] == [rows["shared address"][0]]
    assert str(file["pair"]["priority"]) == rows["priority"][0]


def test_the_ports_to_open_are_those_that_are_used():
    text, registry = PAGES[0].read_text(), Registry.load()
    ports = [default_port(registry, *kind) for kind in TYPES]
    assert ports == [7, 694, 7037]
    for port in ports:
        assert re.search(rf"^\|[^|]*\| {port} \|", text, re.M), port
        assert f"udp dport {port} accept" in text


TYPES = (("probe", "udp-echo"), ("link", "udp"), ("probe", "stream"))


def default_port(registry, kind, name):
    fields = registry.get(kind, name).config
    names, defaults = fields.__struct_fields__, fields.__struct_defaults__
    return defaults[names.index("port") - len(names)]


@pytest.mark.lab
def test_the_rules_of_the_firewall_are_accepted_by_nft():
    (rules,) = blocks(PAGES[0], "nft")
    argv = ["unshare", "--net", "nft", "-c", "-f", "-"]
    done = subprocess.run(argv, input=rules, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_shell_takes_every_block_and_every_program_is_debians_or_ours(page):
    found = blocks(page, "sh")
    assert found
    for block in found:
        done = subprocess.run(
            ["bash", "-n"], input=block, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), block
    for argv in lines(page):
        assert argv[0] in ("havpn", *SYSTEM), argv


@pytest.mark.parametrize("page", PAGES[:2], ids=lambda page: page.name)
def test_every_drop_in_is_packaged(page):
    named = re.findall(rf"{PACKAGED}(\S+)", page.read_text())
    assert named
    for name in named:
        assert (REPO / "packaging" / "systemd" / name).is_file(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_there_with_these_options(page):
    found = of_havpn(page)
    assert sorted({argv[0] for argv in found}) == list(COMMANDS[page.name])
    outer = click.Context(havpn, info_name="havpn")
    for name, *options in found:
        command = havpn.get_command(outer, name)
        assert command is not None, f"{page.name} names havpn {name}, which there is not"
        try:
            command.make_context(name, options, parent=outer)
        except click.UsageError as problem:
            pytest.fail(f"{page.name}: havpn {name} {' '.join(options)}: {problem.message}")


def test_the_links_between_the_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+\.(?:md|toml|service))", page.read_text()):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"
