"""Pure: rows of a status as a picture of a terminal, the same for the same rows, as SVG."""

from collections.abc import Iterator, Sequence
from html import escape

from havpn_core.showing.rows import USUAL, Line, Mood, Row, laid_out

WIDTH, HEIGHT, EDGE = 8.4, 18, 14
"""Of one character, of one line and of the edge, in pixels."""
COLOURS = {
    Mood.PLAIN: "#d0d0d0",
    Mood.GOOD: "#7fd08a",
    Mood.WARNING: "#f0c050",
    Mood.BAD: "#ff8080",
}
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
    'width="{width:g}" height="{height:g}" font-family="monospace" font-size="14" fill="#d0d0d0">\n'
    "<title>{title}</title>\n"
    '<rect width="100%" height="100%" rx="8" fill="#1b1f24"/>\n'
)


def svg(rows: Sequence[Row], title: str, width: int = USUAL) -> str:
    """Draw rows as they look in a terminal of so many columns."""
    lines = laid_out(rows, width)
    size = {"width": 2 * EDGE + width * WIDTH, "height": 2 * EDGE + len(lines) * HEIGHT}
    drawn = "".join(_text(line, EDGE + HEIGHT * (n + 0.8)) for n, line in enumerate(lines))
    return HEAD.format(title=_safe(title), **size) + drawn + "</svg>\n"


def _text(line: Line, y: float) -> str:
    return "".join(
        f'<text x="{EDGE + column * WIDTH:g}" y="{y:g}" textLength="{len(text) * WIDTH:g}" '
        f'lengthAdjust="spacingAndGlyphs" xml:space="preserve"{style}>{_safe(text)}</text>\n'
        for column, text, style in _parts(line)
    )


def _parts(line: Line) -> Iterator[tuple[int, str, str]]:
    """Give column, text and style of what stands in a line, without the spaces around it."""
    colour = f' fill="{COLOURS[line.mood]}"'
    column = 0
    for text, style in (
        (line.mark, colour + ' font-weight="bold"'),
        (line.label, ' font-weight="bold"'),
        (line.text, colour),
    ):
        if shown := text.strip():
            yield column + len(text) - len(text.lstrip()), shown, style
        column += len(text)


def _safe(text: str) -> str:
    return escape(text, quote=False)
