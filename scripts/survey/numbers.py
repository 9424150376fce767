"""The tree's numbers, as one flat record that can stand beside another checkout's."""

from collections import Counter
from statistics import median
from typing import Any

from .circles import Graph, circles
from .floors import Room, sort_into
from .tree import Module

Tree = dict[str, Module]


def module_graph(tree: Tree) -> Graph:
    """Give whom each module imports."""
    return {name: set(module.imports) for name, module in tree.items()}


def room_graph(tree: Tree, rooms: list[Room]) -> Graph:
    """Give whom each room imports, by the names of rooms."""
    of = sort_into(tree, rooms)
    graph: Graph = {room.name: set() for room in of.values()}
    for name, module in tree.items():
        graph[of[name].name] |= {of[one].name for one in module.imports} - {of[name].name}
    return graph


def per_folder(tree: Tree) -> dict[str, int]:
    """Count the files of each folder, ``__init__.py`` included."""
    return dict(sorted(Counter(module.folder for module in tree.values()).items()))


def long_functions(tree: Tree, over: int = 40) -> list[tuple[str, int]]:
    """Name each function with more lines than that, such as ``file:function``, and its lines."""
    return sorted(
        (f"{module.file}:{one.name}", one.lines)
        for module in tree.values()
        for one in module.functions
        if one.lines > over
    )


def numbers(tree: Tree, rooms: list[Room]) -> dict[str, Any]:
    """Give every number; lengths are lines, blank lines and comments included."""
    by_lines = sorted(tree.values(), key=lambda one: (-one.lines, one.name))
    functions = sorted((f.lines, f"{m.file}:{f.name}") for m in tree.values() for f in m.functions)
    return {
        "folders": len(per_folder(tree)),
        "modules": len(tree),
        "lines": sum(module.lines for module in by_lines),
        "modules_over_250": sum(module.lines > 250 for module in by_lines),
        "modules_over_300": sum(module.lines > 300 for module in by_lines),
        "longest_module": [by_lines[0].file, by_lines[0].lines],
        "functions": len(functions),
        "functions_over_40": len(long_functions(tree)),
        "longest_function": list(functions[-1][::-1]) if functions else ["", 0],
        "median_function": median([lines for lines, _ in functions] or [0]),
        "any": sum(module.any_count for module in by_lines),
        "circles_of_modules": circles(module_graph(tree)),
        "circles_of_rooms": circles(room_graph(tree, rooms)),
        "modules_per_folder": per_folder(tree),
    }
