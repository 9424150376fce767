"""The tool that changes the rules one way at a time, on a small package made for it."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from mutation.marks import NOTE, marked  # noqa: E402
from mutation.sites import mutants, mutated  # noqa: E402

ADD = '''
"""A module."""

LIMIT = 3


def clipped(number):
    """Keep a number at the limit."""
    return min(number, LIMIT)


def is_odd(number):
    return number % 2 > 0


def never_run(number):
    return number + 5
'''
TEST = """
import pytest

from box.add import clipped, is_odd


@pytest.mark.parametrize(("given", "found"), [(1, 1), (3, 3), (9, 3)])
def test_clipped(given, found):
    assert clipped(given) == found


def test_is_odd():
    assert is_odd(5)
    assert not is_odd(4)
"""
ENDLESS = """
def turns(numbers):
    count = 0
    while numbers:
        numbers = numbers[1:]
        count += 1
    return count
"""
TEST_ENDLESS = """
from box.ends import turns


def test_turns():
    assert turns([7, 8]) == 2
"""
START = "SIZES = [7]\nFIRST = SIZES[0]\n"
TEST_START = """
import pytest

from box.start import FIRST, SIZES


@pytest.mark.parametrize("size", SIZES)
def test_size(size):
    assert size == FIRST == 7
"""
PLAN = 'modules = ["box"]'
SAME = """
[[equivalent]]
module = "box/add.py"
function = "is_odd"
change = "number % 2 > 0 -> number % 2 >= 0"
reason = "made up"
"""


def made(folder, plan=PLAN, test=TEST):
    for name, text in {
        "box/__init__.py": "",
        "box/add.py": ADD,
        "tests/test_add.py": test,
        "box/ends.py": ENDLESS,
        "tests/test_that_it_ends.py": TEST_ENDLESS,
        "box/start.py": START,
        "tests/test_start.py": TEST_START,
        "tests/conftest.py": "import box.start\n",
        "scripts/mutants.toml": plan,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def run(folder, *words):
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "mutants", "--root", folder, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def tried(folder, *words):
    """Give what became of each mutant, by its function and change."""
    ran = run(folder, "--json", *words)
    found = json.loads(ran.stdout) if ran.stdout else {"stale": [], "mutants": []}
    results = {f"{one['function']}: {one['change']}": one for one in found["mutants"]}
    return ran, found, results


def changes_of(text):
    return [one.change for one in mutants(ast.parse(text))]


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("a < b", ["a < b -> a <= b", "a < b -> a >= b"]),
        ("a <= b", ["a <= b -> a < b", "a <= b -> a > b"]),
        ("a == b", ["a == b -> a != b"]),
        ("a is not b", ["a is not b -> a is b"]),
        ("a in b", ["a in b -> a not in b"]),
        ("not a", ["not a -> a"]),
        (
            "a or not b",
            ["a or not b -> a and (not b)", "a or not b -> not a or not b", "not b -> b"],
        ),
        ("True", ["True -> False"]),
        ("a - b", ["a - b -> a + b"]),
        ("a * b", ["a * b -> a / b"]),
        ("a += b", ["a += b -> a -= b"]),
        ("-a", ["-a -> a"]),
        ("0", ["0 -> 1"]),
        ("1", ["1 -> 2", "1 -> 0"]),
        ("2.5", ["2.5 -> 3.5"]),
        ("if a: pass", ["if a -> if not (a)"]),
        ("while a: pass", ["while a -> while not (a)"]),
        ("b if a else c", ["if a -> if not (a)"]),
        ("[b for b in c if b]", ["if b -> if not (b)"]),
        ("if not a: pass", ["not a -> a"]),
        ("if a is b: pass", ["a is b -> a is not b"]),
        ("match a:\n    case b if c: pass", ["if c -> if not (c)"]),
        ("def f(): return a", ["return a -> return None"]),
        ("def f() -> bool: return a", ["return a -> return not (a)"]),
        ("def f() -> bool: return a is b", ["a is b -> a is not b"]),
        ("def f(): return None", []),
        ("def f(a=1.5): pass", ["1.5 -> 2.5"]),
        ("lambda: a", ["lambda: a -> lambda: not a"]),
        ("min(a)", ["min(a) -> max(a)"]),
        ("any(a)", ["any(a) -> all(a)"]),
        ("'text'", []),
        ("a: list[Literal[1]] = b", []),
        ("a: Annotated[int, Meta(ge=5)]", ["5 -> 6"]),
        ("A = B | None", []),
        ("@dataclass(frozen=True)\nclass A(B, frozen=True): pass", []),
        ("if TYPE_CHECKING: a = 1", []),
        ("a == b\na == b", ["a == b -> a != b", "a == b -> a != b #2"]),
    ],
)
def test_the_changes_of_a_text(text, changes):
    assert changes_of(text) == changes


def test_a_change_is_carried_out_in_its_one_place():
    tree = ast.parse("def f(a):\n    return [a + 1, a + 1]\n")
    after = [ast.unparse(mutated(tree, one)).splitlines()[1].strip() for one in mutants(tree)]
    assert after == [
        "return None",
        "return [a - 1, a + 1]",
        "return [a + 2, a + 1]",
        "return [a + 0, a + 1]",
        "return [a + 1, a - 1]",
        "return [a + 1, a + 2]",
        "return [a + 1, a + 0]",
    ]
    assert ast.unparse(tree) == "def f(a):\n    return [a + 1, a + 1]"


def test_each_mutant_is_reached_by_the_mark_of_its_statement():
    text = ADD + "\n\ntable = {0: lambda number: number if number > 7 else -number}\n"
    seen = set()
    module = {NOTE: seen.add}
    exec(compile(marked(ast.parse(text), "m"), "m", "exec"), module)
    assert seen == set()
    assert module["table"][0](8) == 8
    by_lambda, seen = seen.copy(), seen.clear() or seen
    module["is_odd"](1)
    of = {
        function: {f"m:{one.mark}" for one in mutants(ast.parse(text)) if one.function == function}
        for function in ("is_odd", "never_run")
    }
    assert of["is_odd"] <= seen
    assert not of["never_run"] & seen
    assert {f"m:{o.mark}" for o in mutants(ast.parse(text)) if "7 -> 8" in o.change} == by_lambda
    assert {one.mark for one in mutants(ast.parse(text)) if one.function == "-"} >= {None}


def test_killed_survived_or_never_run(tmp_path):
    ran, found, results = tried(made(tmp_path), "box/add.py", "--jobs", "2")
    assert (ran.returncode, found["stale"]) == (1, [])
    became = {change: one["result"] for change, one in results.items()}
    assert became == {
        "-: 3 -> 4": "killed",
        "clipped: return min(number, LIMIT) -> return None": "killed",
        "clipped: min(number, LIMIT) -> max(number, LIMIT)": "killed",
        "is_odd: return number % 2 > 0 -> return None": "killed",
        "is_odd: number % 2 > 0 -> number % 2 >= 0": "killed",
        "is_odd: number % 2 > 0 -> number % 2 <= 0": "killed",
        "is_odd: number % 2 -> number * 2": "killed",
        "is_odd: 2 -> 3": "killed",
        "is_odd: 0 -> 1": "killed",
        "never_run: return number + 5 -> return None": "never run",
        "never_run: number + 5 -> number - 5": "never run",
        "never_run: 5 -> 6": "never run",
    }
    assert found["share"] == 9 / 12


@pytest.mark.more
def test_a_survivor_is_named_with_its_place(tmp_path):
    made(tmp_path, test=TEST.replace("    assert not is_odd(4)\n", ""))
    ran = run(tmp_path, "box/add.py")
    assert ran.returncode == 1
    assert "box/add.py:13 is_odd: number % 2 > 0 -> number % 2 >= 0\n" in ran.stdout
    assert "box/add.py:17 never_run: 5 -> 6 (never run)\n" in ran.stdout
    assert ["box/add.py", "12", "6", "0", "0", "6", "50.0%"] in [
        line.split() for line in ran.stdout.splitlines()
    ]


@pytest.mark.more
def test_what_comes_to_no_end_is_caught(tmp_path):
    """Its tests are found by what they import."""
    ran, _, results = tried(made(tmp_path), "box/ends.py")
    became = {change: one["result"] for change, one in results.items()}
    assert ran.returncode == 0
    assert became["turns: 1 -> 0"] == "timeout"
    assert set(became.values()) == {"killed", "timeout"}


@pytest.mark.more
def test_an_import_that_raises_and_a_test_of_another_name_are_no_escape(tmp_path):
    ran, _, results = tried(made(tmp_path), "box/start.py")
    assert {change: one["result"] for change, one in results.items()} == {
        "-: 7 -> 8": "killed",
        "-: 0 -> 1": "killed",
    }
    assert ran.returncode == 0


@pytest.mark.more
def test_equivalents_are_left_out_of_the_count_and_named_where_caught_or_gone(tmp_path):
    same = [
        ("is_odd", "number % 2 > 0 -> number % 2 >= 0"),
        ("never_run", "return number + 5 -> return None"),
        ("never_run", "5 -> 6"),
        ("gone", "5 -> 6"),
    ]
    plan = PLAN + "".join(
        SAME.replace("is_odd", function).replace("number % 2 > 0 -> number % 2 >= 0", change)
        for function, change in same
    )
    ran, found, results = tried(made(tmp_path, plan), "box/add.py")
    assert found["share"] == 9 / 10
    assert ran.returncode == 1
    assert found["stale"] == [
        "a test catches it, so it is not equivalent: box/add.py is_odd "
        "number % 2 > 0 -> number % 2 >= 0",
        "no such mutant any more, take it out: box/add.py gone 5 -> 6",
    ]
    assert sum(one["known"] == "made up" for one in results.values()) == 3


@pytest.mark.more
def test_a_lot_is_drawn_again_by_its_seed(tmp_path):
    made(tmp_path)
    one, two = (tried(tmp_path, "box/add.py", "--sample", "3", "--seed", "7")[2] for _ in range(2))
    assert len(one) == 3
    assert one == two


@pytest.mark.parametrize(
    ("plan", "words", "what"),
    [
        (PLAN + SAME.replace("add", "sub"), [], "box/sub.py, which is no module of the plan"),
        (PLAN, ["box/sub.py"], "no module of"),
        (PLAN + '\n[tests]\n"box/add.py" = ["tests/gone.py"]', [], "tests/gone.py"),
    ],
)
def test_a_plan_that_does_not_fit_is_said(tmp_path, plan, words, what):
    ran, _, _ = tried(made(tmp_path, plan), *words)
    assert ran.returncode == 2
    assert what in ran.stderr


@pytest.mark.more
def test_tests_that_fail_without_a_change_prove_nothing(tmp_path):
    ran, _, _ = tried(made(tmp_path, test=TEST.replace("(9, 3)", "(9, 4)")))
    assert ran.returncode == 2
    assert "the tests do not pass as they are: tests/test_add.py::test_clipped[9-4]" in ran.stderr


def test_the_plan_of_this_checkout_fits_it():
    from mutation.plan import read_plan

    plan = read_plan(ROOT, ROOT / "scripts" / "mutants.toml", [])
    every = {
        (target.file, one.function, one.change)
        for target in plan.targets
        for one in mutants(target.tree)
    }
    known = [(each.module, each.function, each.change) for each in plan.equivalents]
    assert [each for each in known if each not in every] == []
    assert len(set(known)) == len(known)
    assert all(each.reason.endswith(".") for each in plan.equivalents)
