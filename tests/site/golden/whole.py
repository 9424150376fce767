"""The rendered trees of the figure, one text a mode: ``python -m tests.site.golden.whole``."""

from pathlib import Path

from havpn_core.site.rendering.digest import unmarked
from tests.site.figure import MODES, files_of, tables

FOLDER = Path(__file__).parent


def shown(mode):
    """Give all files of all gateways in one text, without their marks."""
    parts = []
    for gateway, files in files_of(tables(mode=mode)).items():
        for path, file in files.items():
            parts.append(f"==> {gateway} {path} {file.mode:o}\n{unmarked(file.text)}")
    return "\n".join(parts)


if __name__ == "__main__":
    for each in MODES:
        (FOLDER / f"{each}.txt").write_text(shown(each))
