"""The picture of the page in the docs is one of the page as it is."""

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_picture_is_of_this_page():
    """The digests are written by the command that takes the picture, and by nothing else."""
    loader = SourceFileLoader("shoot_page", str(ROOT / "scripts" / "shoot-page"))
    command = importlib.util.module_from_spec(importlib.util.spec_from_loader("shoot_page", loader))
    loader.exec_module(command)
    assert command.DIGEST.read_text() == command.digests(), "make page"
    assert command.PICTURE.read_bytes().startswith(b"\x89PNG")
    assert command.PICTURE.stat().st_size < 150_000
    assert "page.png" in (ROOT / "docs" / "metrics.md").read_text()
