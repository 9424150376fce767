"""Each block of the documentation is checked: shell by its commands, TOML by the daemon's reader.

``RUN`` names the blocks that another test runs for real.
"""

import ast
import copy
import io
import json
import os
import re
import subprocess
import textwrap
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from havpn_core.cli import havpn
from havpn_core.config.check import build
from havpn_core.plugging.registry import Registry
from havpn_core.site.reading import model_of
from tests.docs.pages import FENCE, REPO, blocks, command_lines, name, pages
from tests.site.figure import tables

RUN = {
    "conntrackd": "tests/lab/test_conntrackd.py",
    "nft": "tests/core/test_quickstart.py",
    "crmsh": "tests/ocf/test_policies.py",
    "pcs": "tests/ocf/test_policies.py",
    "ini": "tests/lab/test_conntrackd.py",
}
"""Languages whose blocks other tests load into the programs themselves."""
CHECKED = {"sh", "toml", "json", "yaml", "python", "text"}
DEBIAN = {
    "apt": "apt", "chmod": "coreutils", "chown": "coreutils", "echo": "coreutils",
    "install": "coreutils", "ln": "coreutils", "mkdir": "coreutils", "printf": "coreutils",
    "rm": "coreutils", "cd": "dash", ".": "dash", "sed": "sed", "scp": "openssh-client",
    "ssh": "openssh-client", "sysctl": "procps", "systemctl": "systemd",
    "journalctl": "systemd", "systemd-sysusers": "systemd", "python3": "python3",
    "make": "make", "crm": "crmsh", "pcs": "pcs", "pipx": "pipx", "git": "git",
    "$EDITOR": "editor",
    "tar": "tar", "for": "dash", "do": "dash", "done": "dash", "ansible-playbook": "ansible-core",
}  # fmt: skip
"""Programs that a page may call, and Debian's package of each."""
IN_ENVIRONMENT = ("pip", "pytest", "python", "pre-commit", "ruff", "mypy", "havpn-alert")
"""Programs of a virtual environment that a page has made."""
ELSEWHERE = {"wireguard", "foo", "apprise", "my-probe", "motd"}
"""Plugins that a page enables and that are in packages of their own."""
REGISTRY = Registry.load()
BASE = tomllib.loads(
    """
[path.vpn1.probe.base]
type = "udp-echo"
host = "192.0.2.6"
[action.base]
type = "alias-arp"
device = "lan"
addresses = ["10.1.255.254/16"]
"""
)
PAIR = {"priority": 150, "key_file": "/etc/havpn/pair.key"}
LINK = {"base": {"type": "udp", "local": "10.1.255.252", "peer": "10.1.255.253"}}


def ids(found):
    return [f"{each.page}-{number}" for number, each in enumerate(found)]


@pytest.mark.parametrize("page", pages(), ids=name)
def test_each_block_is_seen(page):
    """One that is indented without a fence, or fenced by other signs, would not be checked."""
    text = page.read_text()
    fences = len(re.findall(r"^[ \t]*(?:>[ \t]*)?(?:```|~~~)", text, re.M))
    assert fences == 2 * len([each for each in blocks() if each.page == name(page)])
    assert re.search(r"(?:\A|\n\n) {4,}(?![-*+] |\d+\. )\S", FENCE.sub("", text)) is None


def test_no_block_is_of_an_unknown_language():
    found = {(each.page, each.language) for each in blocks()}
    assert {each for each in found if each[1] not in CHECKED | set(RUN)} == set()


@pytest.mark.parametrize("language", RUN)
def test_what_is_run_elsewhere_is(language):
    text = (REPO / RUN[language]).read_text()
    assert language in text or language == "ini"


# --- shell ---------------------------------------------------------------------------------------

SHELL = blocks("sh")
SESSIONS = [
    each._replace(text="\n".join(typed))
    for each in blocks("text")
    if (typed := re.findall(r"^\$ (.+)", each.text, re.M))
]
"""What is typed in the blocks that show what a command prints."""
TYPED = [*SHELL, *SESSIONS]


@pytest.mark.parametrize("block", TYPED, ids=ids(TYPED))
def test_a_shell_takes_each_block(block):
    argv = ["bash", "-n"]
    done = subprocess.run(argv, input=block.text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("block", TYPED, ids=ids(TYPED))
def test_each_command_is_there(block, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b".")))
    for argv in command_lines(block.text):
        program, *arguments = argv
        assert_files(argv)
        if program.endswith("/pip") or Path(program).name in IN_ENVIRONMENT:
            checks = {"python": of_python}.get(Path(program).name)
            if checks:
                checks(arguments)
        elif Path(program).name == "havpn":
            accepted(arguments)
        elif program.startswith("scripts/"):
            assert os.access(REPO / program, os.X_OK), argv
        elif program == "make":
            assert_target(arguments)
        else:
            assert program in DEBIAN, f"{block.page}: {program}"
            if program == "apt":
                packaged(arguments)


def test_there_are_sessions():
    assert len(SESSIONS) >= 3


FOLDERS = ("havpn_core", "plugins", "tests", "scripts", "docs", "examples", "packaging", "ocf")


def assert_files(words):
    """Files of the repository that are named are there."""
    for word in words:
        place = word.partition("::")[0]
        if place.startswith(tuple(f"{folder}/" for folder in FOLDERS)) and "*" not in place:
            assert (REPO / place).exists(), word


@pytest.mark.parametrize("page", pages(), ids=name)
def test_each_target_and_file_within_the_text_is_there(page):
    text = page.read_text()
    for line in re.findall(r"`make ([^`]+)`", text):
        assert_target(line.split())
    named = re.findall(r"`([\w.]+/[\w./-]+)`", text)
    assert_files([each for each in named if "foo" not in each])


def of_python(arguments):
    if arguments[:1] == ["-m"]:
        module = arguments[1].replace(".", "/")
        assert any((REPO / f"{module}{end}").exists() for end in (".py", "/__main__.py")), arguments
    elif arguments:
        assert (REPO / arguments[0]).exists(), arguments


def assert_target(arguments):
    targets = re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(), re.M)
    for word in arguments:
        assert word in targets or "=" in word, f"make {word}"
        if word.startswith("LANE="):
            lanes = (REPO / "scripts" / "test-lanes").read_text()
            assert f"    {word.removeprefix('LANE=')}) " in lanes, f"make {word}"


def packaged(arguments):
    verb, *packages = arguments
    assert verb in ("install", "remove", "purge")
    known = (REPO / "packages.txt").read_text().split()
    known += ["havpn", "havpn.deb", "havpn_*.deb"]
    for package in packages:
        assert Path(package).name in known, package


def accepted(arguments, *, whole=True):
    """Have click take a command line, without running it.

    :param whole: a mention in a sentence may lack what is required.
    """
    command, context = havpn, click.Context(havpn, info_name="havpn")
    while isinstance(command, click.Group):
        if not arguments or arguments[0] in ("-h", "--help", "-V"):
            return
        word, *arguments = arguments
        inner = command.get_command(context, word)
        assert inner is not None, f"there is no {word} in {context.command_path}"
        command, context = inner, click.Context(inner, info_name=word, parent=context)
    try:
        command.make_context(context.info_name, list(arguments), parent=context.parent)
    except click.UsageError as problem:
        lacking = isinstance(problem, click.MissingParameter) or "requires an" in problem.message
        said = problem.format_message()
        absent = said.endswith(("does not exist.", "there is no such file"))
        if not absent and (whole or not lacking):
            pytest.fail(f"{context.command_path} {' '.join(arguments)}: {said}")


INLINE = re.compile(r"`(havpn [^`\n]+)`")
PLACES = {"FILE": "file", "NAME": "udp-echo", "PATH|NAME": "x", "...": ""}


@pytest.mark.parametrize("page", pages(), ids=name)
def test_each_command_within_the_text_is_there(page):
    for line in INLINE.findall(page.read_text()):
        if re.search(r"[|\[\]<>]|\bCOMMAND\b|\.\.\.", line) or page.name == "commands.md":
            continue
        typed = line
        for place, word in PLACES.items():
            typed = typed.replace(place, word)
        accepted(next(iter(command_lines(typed)))[1:], whole=False)


# --- TOML ----------------------------------------------------------------------------------------

TOML = blocks("toml")


def completed(table):
    """Give a fragment with what a whole file needs besides, and without plugins of elsewhere."""
    table = copy.deepcopy(table)
    if table.keys() <= {"project", "tool"}:
        return None
    enabled = table.get("plugins", {}).get("enable", [])
    if set(enabled) & ELSEWHERE:
        table.pop("plugins")
        table = without_foreign_types(table)
    paths = table.setdefault("path", copy.deepcopy(BASE["path"]))
    for path in paths.values():
        probes = path.setdefault("probe", {})
        if not [probe for probe in probes.values() if probe.get("watches") != "road"]:
            probes |= copy.deepcopy(BASE["path"]["vpn1"]["probe"])
    table.setdefault("action", copy.deepcopy(BASE["action"]))
    if "pair" in table:
        table["pair"] = {**PAIR, "link": copy.deepcopy(LINK), **table["pair"]}
    return table


def without_foreign_types(table):
    for path in table.get("path", {}).values():
        path["probe"] = {
            key: probe for key, probe in path.get("probe", {}).items() if known("probe", probe)
        }
    for kind in ("action", "notifier"):
        if kind in table:
            table[kind] = {key: each for key, each in table[kind].items() if known(kind, each)}
    return {key: value for key, value in table.items() if value}


def known(kind, table):
    return table.get("type") in {each.name for each, _ in REGISTRY.types(kind)}


@pytest.mark.parametrize("block", TOML, ids=ids(TOML))
def test_the_daemon_takes_each_configuration(block):
    table = tomllib.loads(block.text)
    if table.keys() & {"render", "renderer"} and not table.keys() & {"site", "line"}:
        assert model_of(tables() | table).options.renderer == table["renderer"]
        return
    if table.keys() & {"site", "line", "schema"}:
        assert block.page == "docs/site.md"  # whole ones: tests/site/test_documents.py
        return
    whole = completed(table)
    if whole is None:
        assert table.get("tool", {}).get("havpn", {"grade": 0}).keys() == {"grade"}
        return  # of a pyproject.toml
    assert build(whole, REGISTRY, Path(block.page)).paths


def test_a_wrong_fragment_is_refused():
    """So that completing a fragment hides no mistake in it."""
    from havpn_core.errors import ConfigError

    for wrong in ('[lan]\ndevise = "lan"', '[path.x]\nprofile = "fast"\nfal = 3', "[pair]\nport=1"):
        with pytest.raises(ConfigError):
            build(completed(tomllib.loads(wrong)), REGISTRY, Path("wrong"))


# --- others --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", pages(), ids=name)
def test_json_yaml_and_python_are_that(page):
    for each in [found for found in blocks() if found.page == name(page)]:
        if each.language == "json":
            whole = each.text.strip()
            for part in [whole] if not whole.startswith('{"at"') else whole.splitlines():
                json.loads(part)
        elif each.language == "yaml":
            yaml.safe_load(each.text)
        elif each.language == "python" and "-> collections" not in each.text:
            ast.parse(textwrap.dedent(each.text))
