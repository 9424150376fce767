"""The pictures of the documentation: what each is drawn from, and the moving one."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from havpn_core.study.timeline import LEFT, WIDTH

ROOT = Path(__file__).parents[2]
DECIDES = ROOT / "docs" / "decides.md"
FAILOVER = ROOT / "docs" / "failover.svg"
HOLD_S = 4.0
"""How long the whole picture stands before it begins again."""
TOP = 8


def simulations() -> list[list[str]]:
    """Give the commands of the page that draw a picture."""
    lines = re.findall(r"^havpn (simulate .*--plot .*)$", DECIDES.read_text(), re.M)
    return [shlex.split(line) for line in lines]


def simulate() -> None:
    """Draw the pictures of the page how it decides, by the commands that it shows."""
    for arguments in simulations():
        subprocess.run([sys.executable, "-m", "havpn_core", *arguments], cwd=ROOT, check=True)


def demonstrate() -> None:
    """Run the demo and draw its timeline as it came about."""
    argv = [sys.executable, "-m", "havpn_core", "demo", "-o", str(FAILOVER)]
    subprocess.run(argv, cwd=ROOT, check=True)
    FAILOVER.write_text(moving(FAILOVER.read_text()))


def seconds_of(timeline: str) -> float:
    """Give how long a timeline lasts, by its scale."""
    marks = re.findall(r'<text class="mid" x="([\d.]+)" y="[\d.]+">([\d.]+)</text>', timeline)
    x, seconds = max((float(x), float(value)) for x, value in marks)
    return seconds * WIDTH / (x - LEFT)


def moving(timeline: str) -> str:
    """Uncover a timeline in its own time from its first bar on, again and again.

    Where nothing moves, as on paper, the whole of it is seen.
    """
    end = LEFT + WIDTH
    bars = re.findall(r'</title><rect x="([\d.]+)"', timeline)
    start = max(LEFT, min(map(float, bars), default=LEFT) - 10)
    seconds = seconds_of(timeline) * (end - start) / WIDTH
    whole = seconds + HOLD_S
    bottom = max(float(y) for y in re.findall(r'<path d="M[\d.]+ [\d.]+V([\d.]+)"', timeline))
    times = f'keyTimes="0;{seconds / whole:.4f};1" dur="{whole:.2f}s" repeatCount="indefinite"'
    moves = f'<animate attributeName="x" values="{start:g};{end:g};{end:g}" {times}/>'
    size = f'x="{end:g}" y="{TOP}" height="{bottom - TOP:g}"'
    wide = f'values="{end - start + 20:g};0;0"'
    cover = (
        f'<rect {size} width="0" fill="#fff">{moves}'
        f'<animate attributeName="width" {wide} {times}/></rect>'
        f'<rect {size} width="1.5" fill="#d55e00">{moves}</rect>\n'
    )
    return timeline.replace("</svg>", f"{cover}</svg>")
