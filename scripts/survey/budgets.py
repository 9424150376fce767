"""What the house must keep to. Each list of exceptions may only get shorter."""

from .circles import circles
from .floors import Room, sort_into
from .numbers import Tree, long_functions, module_graph, per_folder, room_graph

MODULE_LINES = 300
FUNCTION_LINES = 40
FOLDER_MODULES = 15
# One module a command.
LARGE_FOLDERS = frozenset({"havpn_core/cli"})
# These may be longer than FUNCTION_LINES.
LONG_FUNCTIONS: frozenset[str] = frozenset()


def faults(tree: Tree, rooms: list[Room]) -> list[str]:
    """Say in a sentence each what breaks a rule; nothing if all is well."""
    return [*_circles(tree, rooms), *_floors(tree, rooms), *_sizes(tree), *_functions(tree)]


def _circles(tree: Tree, rooms: list[Room]) -> list[str]:
    modules, folders = circles(module_graph(tree)), circles(room_graph(tree, rooms))
    return [f"modules import each other: {', '.join(one)}" for one in modules] + [
        f"rooms import each other: {', '.join(one)}" for one in folders
    ]


def _floors(tree: Tree, rooms: list[Room]) -> list[str]:
    of = sort_into(tree, rooms)
    homeless = sorted({room.name for room in of.values()} - {room.name for room in rooms})
    found = [f"{name}/ has no row in the table of docs/architecture.md" for name in homeless]
    for name, module in tree.items():
        for other in sorted(module.imports):
            below, own = of[other], of[name]
            if below.floor >= own.floor and below != own:
                found.append(
                    f"{module.file} on floor {own.floor} imports {other} on floor {below.floor}"
                )
    return found


def _sizes(tree: Tree) -> list[str]:
    found = [
        f"{module.file} has {module.lines} lines, more than {MODULE_LINES}"
        for module in tree.values()
        if module.lines > MODULE_LINES
    ]
    return found + [
        f"{folder}/ has {count} modules, more than {FOLDER_MODULES}"
        for folder, count in per_folder(tree).items()
        if count > FOLDER_MODULES and folder not in LARGE_FOLDERS
    ]


def _functions(tree: Tree) -> list[str]:
    lines = dict(long_functions(tree, FUNCTION_LINES))
    return [
        f"{name} has {lines[name]} lines, more than {FUNCTION_LINES}"
        for name in sorted(set(lines) - LONG_FUNCTIONS)
    ] + [
        f"{name} is no longer too long: take it out of LONG_FUNCTIONS in scripts/survey/budgets.py"
        for name in sorted(LONG_FUNCTIONS - set(lines))
    ]
