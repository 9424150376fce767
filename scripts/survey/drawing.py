"""Draw docs/house.svg: floors as rows, rooms as boxes, whom they import as arrows."""

from collections.abc import Iterator
from html import escape
from math import ceil

from .circles import reduced
from .floors import Room, sort_into
from .layout import Item, Way, lay_out
from .numbers import Tree, room_graph

LETTER, LINE, MARGIN, LEFT, BETWEEN = 6.7, 15.0, 10.0, 70.0, 46.0
LIST_LENGTH = 5
STYLE = """
text { font: 11px "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1f2328 }
text.room { font-weight: bold; font-size: 12px }
text.soft { fill: #57606a }
.paper { fill: #ffffff }
.box { fill: #f3f5f8; stroke: #6e7781 }
.floor { stroke: #6e7781; stroke-dasharray: 1 5 }
.way { fill: none; stroke: #0969da; stroke-width: 1.3 }
.head { fill: #0969da }
.wrong { fill: none; stroke: #cf222e; stroke-width: 2; stroke-dasharray: 6 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  text.soft { fill: #a3adb8 }
  .paper { fill: #0d1117 }
  .box { fill: #1c232d; stroke: #8b949e }
  .floor { stroke: #8b949e }
  .way { stroke: #58a6ff }
  .head { fill: #58a6ff }
  .wrong { stroke: #ff7b72 }
}
"""
CAPTION = (
    "Each row is a floor; imports go down only. An arrow that others cover is left out;",
    "the last lines of a box name every room below that its modules import.",
)


class Box:
    """What is written into one room."""

    def __init__(self, name: str, modules: list[str], below: list[str]) -> None:
        columns = max(1, ceil(len(modules) / LIST_LENGTH))
        high = ceil(len(modules) / columns)
        self.title = name
        listed = [modules[at : at + high] for at in range(0, len(modules), high or 1)]
        self.columns = [(column, max(map(len, column)) + 2) for column in listed]
        wide = max(sum(width for _, width in self.columns), len(name) + 3, 22)
        self.below = _wrap(below, wide)
        self.width = wide * LETTER + 2 * MARGIN
        self.rows = high
        self.height = (1 + high + len(self.below)) * LINE + 2 * MARGIN

    def drawn(self, x: float, y: float) -> Iterator[str]:
        """Give the box's lines with its corner there."""
        yield f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{self.width:.1f}" ' + (
            f'height="{self.height:.1f}" rx="4"/>'
        )
        left, line = x + MARGIN, y + MARGIN + LINE - 4
        yield _text(left, line, self.title, "room")
        for column, width in self.columns:
            for number, module in enumerate(column, 1):
                yield _text(left, line + number * LINE, module)
            left += width * LETTER
        for number, words in enumerate(self.below, self.rows + 1):
            yield _text(x + MARGIN, line + number * LINE, words, "soft")


def draw(tree: Tree, rooms: list[Room]) -> str:
    """Draw the tree as one picture; the same tree gives the same text."""
    of = sort_into(tree, rooms)
    graph = room_graph(tree, rooms)
    floor = {room.name: room.floor for room in of.values()}
    down = {a: {b for b in others if floor[b] < floor[a]} for a, others in graph.items()}
    wrong = sorted((a, b) for a, others in graph.items() for b in others - down[a])
    boxes = {name: _box(name, tree, of, down[name]) for name in sorted(floor)}
    levels = sorted(set(floor.values()), reverse=True)
    arrows = sorted((a, b) for a, others in reduced(down).items() for b in others)
    placed, ways = lay_out(
        [[(n, boxes[n].width) for n in sorted(floor) if floor[n] == level] for level in levels],
        arrows,
    )
    tops, y = [], 16.0
    for row in placed:
        tops.append(y)
        y += max(boxes[item.name].height for item in row if item.name) + BETWEEN
    width = LEFT + max(item.x + item.width for row in placed for item in row) + 20
    height = y + len(CAPTION) * LINE
    lines = [*_floors(levels, tops, width)]
    lines += [line for arrow in arrows for line in _arrow(ways[arrow], placed, tops, boxes)]
    for row, top in zip(placed, tops, strict=True):
        for item in row:
            if item.name:
                lines += boxes[item.name].drawn(LEFT + item.x, top)
    lines += _against(wrong, placed, tops, boxes)
    lines += [_text(LEFT, y + n * LINE, words, "soft") for n, words in enumerate(CAPTION)]
    return _page(width, height, lines)


def _box(name: str, tree: Tree, of: dict[str, Room], below: set[str]) -> Box:
    inside = sorted(module.file for key, module in tree.items() if of[key].name == name)
    modules = [file.rpartition("/")[2].removesuffix(".py") for file in inside]
    if name.endswith(".py"):
        only = name if len(modules) == 1 else name.rpartition("/")[2]
        return Box(_short(only), [], sorted(below))
    shown = [module for module in modules if module != "__init__"]
    return Box(f"{_short(name)}/", shown, sorted(below))


def _short(name: str) -> str:
    return name if name == "havpn_core/__init__.py" else name.removeprefix("havpn_core/")


def _wrap(below: list[str], wide: int) -> list[str]:
    lines = ["→"] if below else []
    for room in below:
        word = _short(room).rpartition("/")[2].split()[0].removesuffix(".py")
        shown = {"__init__": "havpn_core"}.get(word, word)
        if len(lines[-1]) + 1 + len(shown) > wide:
            lines.append(" ")
        lines[-1] += f" {shown}"
    return lines


def _floors(levels: list[int], tops: list[float], width: float) -> Iterator[str]:
    for level, top in zip(levels, tops, strict=True):
        yield _text(12, top + 20, f"floor {level}", "soft")
        line = top - BETWEEN / 2
        if line > 0:
            yield f'<path class="floor" d="M8 {line:.1f}H{width - 8:.1f}"/>'


def _arrow(
    way: Way, placed: list[list[Item]], tops: list[float], boxes: dict[str, Box]
) -> Iterator[str]:
    """Draw one way: out of the first box's floor, past the floors between, to the last's roof."""
    row_of = {id(item): number for number, row in enumerate(placed) for item in row}
    first, last = way[0], way[-1]
    x = LEFT + _port(first, way[1], first.below)
    y = tops[row_of[id(first)]] + boxes[first.name].height
    path = f"M{x:.1f} {y:.1f}"
    for item in way[1:]:
        number = row_of[id(item)]
        end = LEFT + (_port(last, way[-2], last.above) if item is last else item.middle)
        to = tops[number] - (5 if item is last else 8)
        half = (to + max(y, to - BETWEEN)) / 2
        path += f"V{max(y, to - BETWEEN + 10):.1f}C{x:.1f} {half:.1f} {end:.1f} {half:.1f} "
        path += f"{end:.1f} {to:.1f}"
        x, y = end, to
    yield f'<path class="way" d="{path}"/>'
    yield f'<path class="head" d="M{x:.1f} {y + 5:.1f}l-4 -8h8z"/>'


def _port(box: Item, other: Item, beside: list[Item]) -> float:
    """Share a box's edge among its arrows, in the order of where they go."""
    order = sorted(beside, key=lambda one: one.middle)
    at = [id(one) for one in order].index(id(other))
    return box.x + box.width * (at + 1) / (len(order) + 1)


def _against(
    wrong: list[tuple[str, str]],
    placed: list[list[Item]],
    tops: list[float],
    boxes: dict[str, Box],
) -> Iterator[str]:
    """Draw what breaks the rule straight over everything: it is to be seen."""
    at = {
        item.name: (LEFT + item.middle, top + boxes[item.name].height / 2)
        for row, top in zip(placed, tops, strict=True)
        for item in row
        if item.name
    }
    for start, end in wrong:
        (x, y), (to_x, to_y) = at[start], at[end]
        yield f'<path class="wrong" d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}"/>'


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" xml:space="preserve">{escape(words)}</text>'


def _page(width: float, height: float, lines: list[str]) -> str:
    size = f"0 0 {width:.0f} {height:.0f}"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" width="{width:.0f}" '
        'role="img" aria-label="The rooms of HA-VPN by floors, and whom each imports">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>',
        *lines,
        "</svg>",
        "",
    ])  # fmt: skip
