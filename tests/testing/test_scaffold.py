"""``havpn plugin new``: each kind of package passes its own tests, ruff and mypy, at once."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from havpn_core.errors import HavpnError
from havpn_core.plugging.scaffold import write_package

REPO = Path(__file__).parents[2]
KINDS = ("probe", "action", "notifier", "link", "renderer")


def run(folder, *argv):
    # An editable havpn is found through a hook that mypy does not run.
    env = {**os.environ, "PYTHONPATH": str(folder), "MYPYPATH": str(REPO)}
    done = subprocess.run(
        [sys.executable, "-m", *argv], cwd=folder, env=env, capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_passes_its_own_tests_at_once(kind, tmp_path):
    made = write_package(f"my-{kind}", kind, tmp_path)
    module = made / f"havpn_my_{kind}.py"
    assert len(module.read_text().splitlines()) <= 40
    assert "passed" in run(made, "pytest", "-q", "-p", "no:cacheprovider")
    run(made, "ruff", "check", "--no-cache", ".")
    run(made, "mypy", "--strict", module.name)
    assert {"pyproject.toml", "README.md", "LICENSE", ".github"} <= {p.name for p in made.iterdir()}


def test_the_workflows_are_yaml_and_publish_what_is_gold(tmp_path):
    made = write_package("foo", "probe", tmp_path)
    found = {}
    for name in ("test", "release"):
        text = (made / ".github" / "workflows" / f"{name}.yml").read_text()
        assert "$$" not in text
        found[name] = yaml.safe_load(text)
        jobs = found[name]["jobs"].values()
        runs = [step.get("run", "") for job in jobs for step in job["steps"]]
        assert "pytest" in runs
        assert "havpn plugin grade ./ --at-least gold" in runs
    publish = found["release"]["jobs"]["publish"]
    # The token that PyPI trusts, and nothing else, is what the job may have.
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["needs"] == "build"
    assert publish["environment"] == "pypi"
    # YAML 1.1 reads the key "on" as true.
    assert found["release"][True] == {"push": {"tags": ["v*"]}}


def test_only_a_tag_of_the_version_is_released(tmp_path):
    made = write_package("foo", "probe", tmp_path)
    workflow = yaml.safe_load((made / ".github" / "workflows" / "release.yml").read_text())
    steps = workflow["jobs"]["build"]["steps"]
    check = next(step["run"] for step in steps if step.get("name") == "The tag is the version")
    for tag, status in (("v0.1.0", 0), ("v0.1", 1), ("v0.2.0", 1), ("v0.1..", 1)):
        done = subprocess.run(
            ["bash", "-ec", check], cwd=made, env={**os.environ, "GITHUB_REF_NAME": tag},
            timeout=20, check=False,
        )  # fmt: skip
        assert done.returncode == status, tag


def test_the_readme_names_the_contract_the_grade_and_the_release(tmp_path):
    text = (write_package("foo", "link", tmp_path) / "README.md").read_text()
    for words in (
        "check_link_type",
        "plugin grade ./ --at-least gold",
        "plugin trace foo",
        "git tag",
    ):
        assert words in text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name",
    ["none", "true", "class", "options", "struct", "meta", "context", "sample", "role", "event",
     "path", "iterable", "annotated", "duration", "a--b"],
)  # fmt: skip
def test_a_name_that_means_something_else_in_python_is_one_like_any_other(name, kind, tmp_path):
    made = write_package(name, kind, tmp_path)
    (module,) = made.glob("*.py")
    tree = ast.parse(module.read_text())
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {alias.name for node in imports for alias in node.names}
    assert len(set(classes)) == 2
    assert imported.isdisjoint(classes)


@pytest.mark.parametrize("name", ["core", "plugins", "ocf"])
def test_no_package_takes_the_place_of_havpn_itself(name, tmp_path):
    with pytest.raises(HavpnError, match="havpn's own module: choose another name"):
        write_package(name, "notifier", tmp_path)


@pytest.mark.parametrize("name", ["Foo", "1st", "", "a b", "../x", "foo-", "x" * 41, "havpn-foo"])
def test_names_that_cannot_be(name, tmp_path):
    with pytest.raises(HavpnError):
        write_package(name, "probe", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_is_there_is_written_over(tmp_path):
    made = write_package("foo", "probe", tmp_path)
    (made / "README.md").write_text("mine")
    with pytest.raises(HavpnError, match="is there already"):
        write_package("foo", "probe", tmp_path)
    assert (made / "README.md").read_text() == "mine"
    assert Path(made).name == "havpn-foo"


def test_a_package_that_cannot_be_written_whole_leaves_nothing_behind(tmp_path):
    """As on a full disk; here the limit on the size of a file plays that part."""
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from havpn_core.plugging.scaffold import write_package\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
        "try: write_package('foo', 'probe', Path(sys.argv[1]))\n"
        "except OSError as problem: print(problem.errno)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True,
        timeout=60, check=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.stdout.split() == ["27"]
    assert list(tmp_path.iterdir()) == []
