"""From an empty folder to two sites that work: the article's figure, command by command.

    python -m benchmarks.first_site

What a user types in an empty folder, and how long it takes: ``havpn site new``, ``verify`` and
``render``; then what was rendered goes to four gateways of a laboratory, their tunnels are loaded
and their daemons started, all as rendered. Its end is when both preferred gateways hold the VIPs
and a client of one site has a reply from the other. The secret of the tunnels is the laboratory's.
The hosts and their networks are there before, as a user's machines are. Needs root; status 1 if
the file has more than 40 lines.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import show
from havpn_core.site.file import tables_in
from havpn_core.site.reading import model_of
from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.daemons.supervisor import CONFIG, Supervisor
from havpn_core.testing.lab.hosts.plan import plan_of

LINES = 40
HAVPN = (sys.executable, "-m", "havpn_core")
COMMANDS = (
    ("site", "new"),
    ("site", "verify"),
    ("site", "render", "--out", "gateways"),
)
FOLDER = "etc/havpn"
WITHIN_S = 60.0


def carried(lab: TwoSite, trees: Path) -> dict[str, Supervisor]:
    """Put the files of each daemon where they belong; the lab has those of the tunnels."""
    daemons = {}
    for name in lab.plan.gateways:
        folder = trees / name
        for file in (each for each in (folder / FOLDER).rglob("*") if each.is_file()):
            lab.hosts[name].write(f"/{file.relative_to(folder)}", file.read_text(), 0o600)
        daemons[name] = lab.supervisor(name, (folder / CONFIG.lstrip("/")).read_text())
    return daemons


def working(lab: TwoSite, daemons: dict[str, Supervisor]) -> None:
    """Start the daemons, and wait until the sites reach each other over the preferred gateways."""
    for daemon in daemons.values():
        daemon.start()
    for name, site in lab.plan.sites.items():
        lab.wait_holder(name, site.preferred, WITHIN_S)
    pinger = lab.pinger()
    try:
        wait_for(pinger.answered, WITHIN_S, "a reply from the other site")
    finally:
        pinger.stop()


def main() -> None:
    """Do it once, print what it took, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.parse_args()
    rows: list[tuple[str, str]] = []

    @contextlib.contextmanager
    def timed(what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        rows.append((what, f"{time.monotonic() - began:.1f}"))

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for words in COMMANDS:
            with timed(f"havpn {' '.join(words)}"):
                subprocess.run([*HAVPN, *words], cwd=folder, check=True, capture_output=True)
        file = folder / "site.toml"
        lines = len(file.read_text().splitlines())
        with TwoSite(plan=plan_of(model_of(tables_in(file)))) as lab:
            with timed("the files to the gateways"):
                daemons = carried(lab, folder / "gateways")
            with timed("daemons started, until a reply comes over both VIPs"):
                working(lab, daemons)
            tunnels = f"{lab.timings['daemons']:.1f}"
    show(("step", "seconds"), rows)
    print(f"site.toml: {lines} lines; {len(COMMANDS)} commands; tunnels up beside, in {tunnels} s")
    if lines > LINES:
        print(f"MISSED: more than {LINES} lines")
    sys.exit(lines > LINES)


if __name__ == "__main__":
    main()
