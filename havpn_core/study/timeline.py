"""Pure: draw who did what when, as an SVG that needs no library.

Each state has a shape of its own besides its colour: a height, and a pattern of lines or dots; a
legend names them. The colours are those of Okabe and Ito, which colour-blind people tell apart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Look:
    """How a state is drawn.

    :param colour: of the bar.
    :param height: of the bar, as a share of the row.
    :param pattern: what lies over the colour, as SVG in a square of 8 x 8; empty for nothing.
    :param words: what the legend says of it.
    """

    colour: str
    height: float
    pattern: str
    words: str


_RISING = '<path d="M-2 2L2 -2M0 8L8 0M6 10L10 6" stroke="#000" stroke-width="1.4"/>'
_CROSSED = '<path d="M0 0L8 8M8 0L0 8" stroke="#000" stroke-width="1.6"/>'
_DOTTED = '<circle cx="4" cy="4" r="1.6" fill="#000"/>'
_LINED = '<path d="M0 4H8" stroke="#000" stroke-width="1"/>'

LOOKS = {
    "active": Look("#0072b2", 0.8, "", "has the shared address"),
    "up": Look("#009e73", 0.4, "", "line up"),
    "failing": Look("#f0e442", 0.6, _RISING, "failing"),
    "down": Look("#d55e00", 0.8, _CROSSED, "down"),
    "recovering": Look("#56b4e9", 0.6, _DOTTED, "recovering"),
    "unknown": Look("#d0d7de", 0.4, _LINED, "unknown"),
    "flows": Look("#cc79a7", 0.4, "", "traffic flows"),
    "lost": Look("#000000", 1.0, "", "traffic lost"),
}
"""The states that have a look of their own; any other is drawn as ``unknown``."""

ROW, TOP, LEFT, WIDTH, RIGHT = 26.0, 40.0, 210.0, 640.0, 20.0
"""Sizes in the picture's units: of a row, the space above and left, the bars, the space right."""
LEGEND_COLUMNS = 4
LEAST = 1.6
"""Width of the shortest bar: an outage of a tenth of a second is seen, too."""
LETTER = 6.6


@dataclass(frozen=True)
class Bar:
    """One state for a time, from and until in seconds of one clock."""

    since: float
    until: float
    word: str


@dataclass(frozen=True)
class Row:
    """One line of the picture; later bars lie over earlier ones."""

    name: str
    bars: tuple[Bar, ...]


def timeline(
    rows: Sequence[Row], acts: Sequence[tuple[float, str]], span: tuple[float, float]
) -> str:
    """Draw the rows below each other, with a mark for each act and a legend.

    :param acts: what was done when, in seconds of the rows' clock.
    :param span: the begin and the end of the picture, in seconds of that clock.
    :returns: a whole SVG file.
    :raises ValueError: if the end is not after the begin.
    """
    began, end = span
    if not end > began:
        raise ValueError(f"a timeline from {began:g} to {end:g} s shows nothing")
    scale = WIDTH / (end - began)
    bottom = TOP + ROW * len(rows)
    used = [word for word in LOOKS if any(_look(b) == word for row in rows for b in row.bars)]
    legend_at = bottom + 48
    height = legend_at + 22 * -(-len(used) // LEGEND_COLUMNS) + 6
    # Names that are longer than those of the article's figure begin left of where those begin.
    begin = min(0.0, LEFT - 8 - LETTER * max((len(row.name) for row in rows), default=0))
    total = LEFT + WIDTH + RIGHT - begin
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{begin:g} 0 {total:g} {height:g}" '
        f'role="img" width="{total:g}" '
        'aria-label="Timeline of a failover: states by colour and pattern">',
        "<style>text { font: 12px sans-serif; fill: #1f2328 } .end { text-anchor: end } "
        ".mid { text-anchor: middle } .over { font-size: 10px }</style>",
        f"<defs>{''.join(_patterns(used))}</defs>",
        f'<rect x="{begin:g}" width="{total:g}" height="{height:g}" fill="#fff"/>',
        *_scale(end - began, scale, bottom),
    ]
    for number, row in enumerate(rows):
        middle = TOP + ROW * (number + 0.5)
        parts.append(f'<text class="end" x="{LEFT - 8:g}" y="{middle + 4:g}">{escape(row.name)}')
        parts.append("</text>")
        for bar in row.bars:
            parts += _bar(bar, began, scale, middle)
    parts += _acts(acts, began, scale, bottom)
    parts += _legend(used, legend_at)
    return "\n".join([*parts, "</svg>", ""])


def _look(bar: Bar) -> str:
    return bar.word if bar.word in LOOKS else "unknown"


def _patterns(used: Iterable[str]) -> Iterable[str]:
    for word in used:
        if LOOKS[word].pattern:
            head = f'<pattern id="{word}" width="8" height="8" patternUnits="userSpaceOnUse">'
            yield f"{head}{LOOKS[word].pattern}</pattern>"


def _scale(seconds: float, scale: float, bottom: float) -> Iterable[str]:
    """Draw the time below, with a step that gives 5 to 15 marks."""
    step = 1.0
    while seconds / step > 15:
        step *= 5 if f"{step:g}"[0] == "1" else 2
    for number in range(int(seconds / step) + 1):
        x = LEFT + number * step * scale
        yield f'<path d="M{x:.1f} {TOP:g}V{bottom:g}" stroke="#d0d7de"/>'
        yield f'<text class="mid" x="{x:.1f}" y="{bottom + 16:g}">{number * step:g}</text>'
    yield f'<text class="mid" x="{LEFT + WIDTH / 2:g}" y="{bottom + 34:g}">seconds</text>'


def _bar(bar: Bar, began: float, scale: float, middle: float) -> Iterable[str]:
    x = LEFT + max(bar.since - began, 0.0) * scale
    wide = max((bar.until - max(bar.since, began)) * scale, LEAST)
    title = f"<title>{escape(bar.word)}, {bar.until - bar.since:.2f} s</title>"
    yield f"<g>{title}{_shape(_look(bar), x, middle, wide, ROW)}</g>"
    look = LOOKS[_look(bar)]
    if wide > LETTER * (len(bar.word) + 2) and look.height < 0.7 and not look.pattern:
        yield f'<text class="over" x="{x + 4:.1f}" y="{middle - 0.25 * ROW:.1f}">'
        yield f"{escape(bar.word)}</text>"


def _shape(word: str, x: float, middle: float, wide: float, row: float) -> str:
    look = LOOKS[word]
    high = row * look.height
    box = f'x="{x:.1f}" y="{middle - high / 2:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    over = f'<rect {box} fill="url(#{word})" stroke="#000"/>' if look.pattern else ""
    return f'<rect {box} fill="{look.colour}"/>{over}'


def _acts(
    acts: Sequence[tuple[float, str]], began: float, scale: float, bottom: float
) -> Iterable[str]:
    for at, what in acts:
        x = LEFT + (at - began) * scale
        yield f'<path d="M{x:.1f} {TOP:g}V{bottom:g}" stroke="#000" stroke-dasharray="2 3"/>'
        yield f'<path d="M{x - 5:.1f} {TOP - 8:g}h10l-5 8z" fill="#000"/>'
        yield f'<text class="mid" x="{x:.1f}" y="{TOP - 13:g}">{escape(what)}</text>'


def _legend(used: Sequence[str], top: float) -> Iterable[str]:
    wide = (LEFT + WIDTH) / LEGEND_COLUMNS
    for number, word in enumerate(used):
        x = 16 + wide * (number % LEGEND_COLUMNS)
        middle = top + 22 * (number // LEGEND_COLUMNS) + 8
        yield _shape(word, x, middle, 36, 20)
        yield f'<text x="{x + 44:g}" y="{middle + 4:g}">{LOOKS[word].words}</text>'
