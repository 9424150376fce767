"""``make release``: each thing that must be done before a version is published is said."""

import json
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from releasing import builds, command, texts  # noqa: E402

TODAY = date(2026, 11, 27)
GOOD = {
    "project": {"dynamic": ["version"]},
    "tool": {"setuptools": {"dynamic": {"version": {"attr": "havpn_core.version.__version__"}}}},
}


def test_the_version_stands_in_one_place_and_is_new():
    assert texts.version_of('"""Which."""\n\n__version__ = "1.2.3"\n') == "1.2.3"
    assert texts.version_of('__version__ = "1"\n__version__ = "2"\n') is None
    assert texts.version_problems("1.2.3", GOOD, ["v1.2.2"]) == []
    for version in ("1.2", "v1.2.3", "01.2.3", "1.2.3rc1", ""):
        (said,) = texts.version_problems(version, GOOD, [])
        assert said.endswith("write as 1.2.3")
    assert "write one line" in texts.version_problems(None, GOOD, [])[0]
    (said,) = texts.version_problems("1.2.3", GOOD, ["v1.2.10", "v1.2.9", "v1.3.0", "v9", "x"])
    assert said.startswith("v1.2.10 is a later release: raise the version")
    (said,) = texts.version_problems("1.2.3", GOOD, ["v1.2.3"])
    assert "was released already: raise the version" in said
    second = {**GOOD, "project": {"version": "1.2.3"}}
    assert "a second place for the version" in texts.version_problems("1.2.3", second, [])[0]
    assert "does not come from the program" in texts.version_problems("1.2.3", {}, [])[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# C\n\n## 1.2.3 (2026-11-27)\n\n* New.\n\n## 1.2.2 (2026-01-01)\n\n* Old.\n", None),
        ("# C\n\n## 1.2.3 (2026-11-20)\n\n* New.\n", None),
        ("# C\n", "there is no heading"),
        ("## 1.2.3 (unreleased)\n\n* New.\n", "'unreleased' is no date"),
        ("## 1.2.3\n\n* New.\n", "the newest heading is '1.2.3'"),
        ("## 1.2.4 (2026-11-27)\n\n* New.\n", "the newest heading is '1.2.4 (2026-11-27)'"),
        ("## 1.2.3 (2026-11-28)\n\n* New.\n", "is in the future"),
        ("## 1.2.3 (2026-02-30)\n\n* New.\n", "is no date"),
        ("## 1.2.3 (20261120)\n\n* New.\n", "'20261120' is no date"),
        ("## 1.2.3 (2026-W47-5)\n\n* New.\n", "'2026-W47-5' is no date"),
        ("## 1.2.3 (2026-11-27)\n\n### Added\n\n<!-- nothing -->\n", "nothing stands below"),
        ("## 1.2.3 (2026-11-27)\n\n* A.\n\n## 1.2.3 (2026-11-26)\n\n* B.\n", "2 headings"),
        ("## 1.2.3 (2026-11-27)\n\n## 1.2.2 (2026-01-01)\n\n* Old.\n", "nothing stands below"),
    ],
)
def test_the_changelog_has_the_version_its_date_and_what_has_changed(text, said):
    found = texts.changelog_problems(text, "1.2.3", TODAY)
    if said is None:
        assert found == []
    else:
        assert len(found) == 1
        assert said in found[0]
        assert (
            "nothing" in said
            or "headings" in said
            or found[0].endswith("write ## 1.2.3 (2026-11-27)")
        )


def test_the_manual_pages_are_those_of_the_version():
    good = dict.fromkeys(texts.PAGES, '.TH HAVPN 8 "" "havpn 1.2.3"\n')
    assert texts.page_problems(good, "1.2.3") == []
    page, other = texts.PAGES
    old, none = texts.page_problems({**good, other: "nothing\n"}, "1.2.4")
    assert f"{page}: it is of version 1.2.3: run make pages" in old
    for pages, lost in (({}, texts.PAGES), ({page: good[page]}, [other])):
        found = texts.page_problems(pages, "1.2.3")
        assert found == [f"{each}: it is missing: run make pages, and commit" for each in lost]
    assert "of version none" in none


def test_what_is_not_committed_is_named():
    assert texts.tree_problems("") == []
    assert texts.tree_problems(" M a\n?? b\n") == ["not committed: a, b: commit or remove them"]
    (said,) = texts.tree_problems("".join(f"?? f{n}\n" for n in range(7)))
    assert "f4 and 2 more" in said


@pytest.fixture
def tree(tmp_path):
    """A repository with what the quick checks look at."""
    files = {
        "havpn_core/version.py": '__version__ = "1.2.3"\n',
        "pyproject.toml": (
            '[project]\ndynamic = ["version"]\n'
            '[tool.setuptools.dynamic]\nversion = { attr = "havpn_core.version.__version__" }\n'
        ),
        "CHANGELOG.md": "# Changelog\n\n## 1.2.3 (2026-01-01)\n\n* New.\n",
        **dict.fromkeys(texts.PAGES, '.TH HAVPN 8 "" "havpn 1.2.3"\n'),
        "Makefile": "docs:\n\t@true\n",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for argv in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", tmp_path, *argv],
            check=True, timeout=30,
        )  # fmt: skip
    return tmp_path


QUICK = [f"--only={name}" for name in ("version", "changelog", "pages", "tree", "docs")]


def test_a_tree_that_is_ready_says_how_to_publish_it(tree, capsys, monkeypatch):
    assert command.main(QUICK, tree) == 0
    said = capsys.readouterr().out
    assert said.count("ok ") == 5
    assert "git tag" not in said
    assert "the other checks were left out" in said
    for name in ("distributions", "deb"):
        monkeypatch.setitem(command.CHECKS, name, lambda root, version: "built")
    assert command.main([], tree) == 0
    said = capsys.readouterr().out
    assert said.endswith("To do so: git tag v1.2.3 && git push origin v1.2.3\n")


def test_all_that_is_missing_is_said_at_once(tree, capsys):
    (tree / "CHANGELOG.md").write_text("## 1.2.3 (unreleased)\n\n* New.\n")
    (tree / "packaging" / "man" / "havpn.8").write_text('.TH HAVPN 8 "" "havpn 1.2.2"\n')
    (tree / "Makefile").write_text("docs:\n\t@echo no page; exit 3\n")
    subprocess.run(["git", "-C", tree, "tag", "v1.2.3"], check=True, timeout=30)
    assert command.main(QUICK, tree) == 1
    said = capsys.readouterr().out
    for words in (
        "FAILED  version: v1.2.3 was released already",
        "FAILED  changelog: ",
        "FAILED  pages: ",
        "FAILED  tree: not committed: CHANGELOG.md, Makefile",
        "FAILED  docs: make ended with status 2",
        "5 of the checks failed; nothing was published",
    ):
        assert words in said


def test_what_no_page_is_built_from_is_no_documentation(tree, capsys):
    (tree / "Makefile").write_text("all:\n")
    assert command.main(["--only=docs"], tree) == 1
    assert "FAILED  docs: the Makefile has no target docs" in capsys.readouterr().out


def test_a_file_that_git_does_not_show_by_itself_is_not_overlooked(tree):
    (tree / "left").touch()
    subprocess.run(
        ["git", "-C", tree, "config", "status.showUntrackedFiles", "no"], check=True, timeout=30
    )
    with pytest.raises(builds.Failed, match="not committed: left"):
        command._tree(tree, "1.2.3")


@pytest.mark.parametrize(
    ("packed", "listed", "said"),
    [
        (["havpn_core/version.py"], [], None),
        ([], [], "lacks havpn_core/version.py: name its package in pyproject.toml"),
        (["havpn_core/version.py"], ["No module named x"], "links.udp: No module named x: see"),
    ],
)
def test_a_wheel_that_lacks_a_part_is_not_released(tree, monkeypatch, packed, listed, said):
    """Neither a module that pyproject.toml forgets nor a bundled plugin that does not load."""

    def wheel(root, folder):
        with zipfile.ZipFile(folder / "havpn.whl", "w") as made:
            for name in packed:
                made.writestr(name, "")
        (folder / "havpn.tar.gz").touch()
        return folder / "havpn.whl"

    def run(argv, remedy, cwd=None):
        if "ls-files" in argv:
            return "havpn_core/version.py\n"
        errors = [{"name": "links.udp", "error": each} for each in listed or [None]]
        return json.dumps(errors) if "list" in argv else "havpn 1.2.3"

    monkeypatch.setattr(builds.source, "wheel", wheel)
    monkeypatch.setattr(builds, "run", run)
    folder = tree / "built"
    folder.mkdir()
    if said is None:
        assert "build and install" in builds.distributions(tree, folder, "1.2.3")
        return
    with pytest.raises(builds.Failed, match=said):
        builds.distributions(tree, folder, "1.2.3")


def test_each_folder_of_the_program_is_compared_with_the_wheel():
    project = command.tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert {each.partition(".")[0] for each in project["packages"]} == {*builds.PACKAGES.values()}


def test_a_folder_that_is_no_clone_is_said(tmp_path):
    with pytest.raises(builds.Failed, match="release from a clone of the repository"):
        command._tree(tmp_path, "1.2.3")


def test_a_program_that_fails_hangs_or_is_not_there_is_said_with_the_remedy(monkeypatch):
    monkeypatch.setattr(builds, "LONGEST_S", 0.2)
    for argv, said in (
        (["sh", "-c", "echo one; echo two >&2; exit 3"], r"status 3 \(one / two\): do this"),
        (["sleep", "60"], "timed out .*: do this"),
        (["/no/such/program"], "No such file.*: do this"),
    ):
        with pytest.raises(builds.Failed, match=said):
            builds.run(argv, "do this")


def test_this_tree_has_its_version_in_one_place():
    """What the other checks ask for, a date among them, is the work of a release."""
    ended = subprocess.run(
        [sys.executable, "scripts/release", "--only", "pages"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
    text = (ROOT / texts.VERSION_FILE).read_text()
    project = command.tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert texts.version_problems(texts.version_of(text), project, []) == []
