"""The documents say what the program does; the program imports no more than it needs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from havpn_core.cli import COMMANDS, havpn, reference
from havpn_core.plugging.registry import KINDS, Registry

REPO = Path(__file__).parents[2]
REGISTRY = Registry.load()
TEXT = (REPO / "docs" / "reference.md").read_text()


def test_the_reference_is_current():
    """Bring it up to date with `python -m havpn_core.cli.reference > docs/reference.md`."""
    assert reference.markdown(REGISTRY) == TEXT


def test_every_hook_is_documented_with_its_exact_signature():
    found = list(reference.hooks())
    assert [name for name, _, _ in found] == [hook for hook, _ in KINDS.values()]
    for name, signature, text in found:
        assert f"```python\n{name}{signature}\n```" in TEXT
        assert text


def test_every_hook_is_tested():
    tests = "".join(file.read_text() for file in (REPO / "tests").rglob("*.py"))
    used = "".join(
        file.read_text() for room in ("plugins", "examples") for file in (REPO / room).rglob("*.py")
    )
    for hook, _ in KINDS.values():
        assert f"def {hook}(" in used
    assert "havpn_register_{kind}s" in tests or "havpn_register_probes" in tests


@pytest.mark.parametrize("kind", KINDS)
def test_every_bundled_type_and_option_is_documented(kind):
    from havpn_core.config.describe import options_of

    for each, _ in REGISTRY.types(kind):
        section = re.search(rf"### `{each.name}`\n(.*?)(?=\n##|\Z)", TEXT.partition(
            f"## {kind.capitalize()} types")[2], re.S)[1]  # fmt: skip
        for option in options_of(each.config):
            assert f"| `{option.name}` |" in section


def test_every_command_is_in_the_manual_and_the_readme():
    page, readme = reference.manual_of_commands(havpn), (REPO / "README.md").read_text()
    for name in COMMANDS:
        assert f".B {name}" in page
        assert re.search(rf"\b{name}\b", readme), name


@pytest.mark.parametrize("page", ["havpn.8", "havpn.toml.5"])
def test_manual_pages_are_good_roff(page):
    text = CliRunner().invoke(havpn, ["man", page]).output
    assert shutil.which("groff"), "install groff-base"
    argv = ["groff", "-man", "-ww", "-z", "-Tascii"]
    ended = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    argv = ["groff", "-man", "-Tascii"]
    shown = subprocess.run(argv, input=text, capture_output=True, text=True, check=True).stdout
    plain = re.sub("\x1b\\[[0-9;]*m|.\x08", "", shown)
    assert ("udp-echo" if page == "havpn.toml.5" else "switch") in plain


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    script = CliRunner().invoke(havpn, ["completion", shell]).output
    assert "_HAVPN_COMPLETE" in script
    env = {**os.environ, "_HAVPN_COMPLETE": f"{shell}_complete", "COMP_WORDS": "havpn plu",
           "COMP_CWORD": "plu" if shell == "fish" else "1"}  # fmt: skip
    ended = subprocess.run(
        [Path(sys.executable).parent / "havpn"], env=env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "plugin" in ended.stdout


def test_importing_the_public_names_pulls_in_nothing_heavy():
    program = "import sys, havpn_core; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"asyncio", "click", "rich", "psutil", "serial", "ssl", "pytest", "matplotlib"}
    assert not heavy & set(loaded)
    ours = {name for name in loaded if name.startswith("havpn_plugins")}
    assert not ours


@pytest.mark.parametrize("version", ["==1.3.0", "<2"])
def test_the_oldest_and_the_newest_pluggy(version, tmp_path):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run(
        [*pip, str(tmp_path), f"pluggy{version}"], check=True, capture_output=True, timeout=100
    )
    info = tmp_path / "havpn_bad-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: havpn-bad\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[havpn]\nbad = havpn_bad\ngood = havpn_good\n")
    head = "from havpn_core import hookimpl\n@hookimpl\n"
    (tmp_path / "havpn_bad.py").write_text(f"{head}def havpn_register_nothing(): yield 1\n")
    (tmp_path / "havpn_good.py").write_text(f"{head}def havpn_register_probes(): return []\n")
    (tmp_path / "havpn.toml").write_text('[plugins]\nenable = ["bad", "good"]\n')
    program = (
        "import pluggy; from havpn_core.plugging.registry import Registry\n"
        "print(pluggy.__file__)\n"
        "for r in Registry.load(['bad', 'good']).records: print(r.name, r.status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith(str(tmp_path))
    assert "probes.udp_echo active" in done.stdout
    assert "bad failed" in done.stdout
    assert "good active" in done.stdout


def test_types_are_completed():
    env = {**os.environ, "_HAVPN_COMPLETE": "bash_complete", "COMP_CWORD": "3",
           "COMP_WORDS": "havpn plugin show udp"}  # fmt: skip
    program = Path(sys.executable).parent / "havpn"
    ended = subprocess.run([program], env=env, capture_output=True, text=True, check=False)
    assert "udp-echo" in ended.stdout
