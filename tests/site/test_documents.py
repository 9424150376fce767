"""What the documents say of site files is true."""

import re
import tomllib
from pathlib import Path

import pytest

from havpn_core.site.rendering.templates import bundled
from havpn_core.site.verified import verified
from tests.site.figure import MODES, TEXT, files_of, tables

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "site.md").read_text()


@pytest.mark.parametrize(
    "text", [TEXT, *re.findall(r"```toml\n(.*?)```", PAGE, re.S)], ids=["figure", "document"]
)
def test_each_whole_site_file_is_good(text):
    assert verified(tomllib.loads(text)).problems == []
    assert files_of(tomllib.loads(text))


def test_every_file_that_is_rendered_is_named():
    named = " ".join(re.findall(r"`([^`]*)`", PAGE.partition("## What is rendered")[2]))
    for mode in MODES:
        for shell in ("crmsh", "pcs"):
            raw = tables(mode=mode, render={"conntrackd": True, "cluster": shell})
            for path in files_of(raw)["gw-aa"]:
                name = re.sub(r"line-\w+\.key", "line-NAME.key", Path(path).name)
                assert name in named, path


def test_the_number_of_lines_is_right():
    assert f"four gateways, two lines, {len(TEXT.splitlines())} lines" in PAGE


def test_the_folder_of_the_templates_is_named():
    folder = re.search(r"\(`(havpn_core/site/templates)/`", PAGE)[1]
    found = {file.name for file in (DOCS.parent / folder).glob("*.j2")}
    assert found == set(bundled())
