"""Hooks of mkdocs: pages that stand outside ``docs/``, and links that lead out of it.

``README.md``, ``CHANGELOG.md``, ``CONTRIBUTING.md`` and the guides of the example packages are read
by people who browse the source, so they stay where they are and become pages of the site here. Any
other file of the repository that a page links is copied to ``files/`` of the site.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "examples/havpn-apprise/README.md": "plugins/havpn-apprise.md",
    "examples/havpn-motd/README.md": "plugins/havpn-motd.md",
    "examples/havpn-wireguard/README.md": "plugins/havpn-wireguard.md",
}
"""Files outside ``docs/`` that are pages, and the name of each in the site."""
SOURCES = {page: source for source, page in PAGES.items()}
FILES = "files"
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s#:]+)((?:#[^)]*)?\))", re.S)
"""A link to a file: what is before its target, the target, its anchor."""


def site_uri(target: str, source: str) -> str:
    """Give where a link of a file leads to in the site.

    :param target: as written in the file, relative to it.
    :param source: the file, relative to the root of the repository.
    """
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if (ROOT / path).is_dir():
        path = posixpath.join(path, "README.md")
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return posixpath.join(FILES, path)


def linked(text: str, source: str) -> set[str]:
    """Give the files outside ``docs/`` that a page links and that are no pages."""
    uris = {site_uri(match[2], source) for match in LINK.finditer(text)}
    prefix = f"{FILES}/"
    return {uri.removeprefix(prefix) for uri in uris if uri.startswith(prefix)}


def rewritten(text: str, source: str, page: str) -> str:
    """Give a page with its links as they are in the site."""
    here = posixpath.dirname(page)

    def replaced(match: re.Match[str]) -> str:
        before, target, after = match.groups()
        return f"{before}{posixpath.relpath(site_uri(target, source), here or '.')}{after}"

    return LINK.sub(replaced, text)


def on_files(files: Files, config) -> Files:
    """Add the pages and the linked files that stand outside ``docs/``."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    wanted = set()
    for file in files.documentation_pages():
        source = SOURCES.get(file.src_uri, f"docs/{file.src_uri}")
        wanted |= linked(file.content_string, source)
    for path in sorted(wanted):
        if (ROOT / path).is_file():
            uri = posixpath.join(FILES, path)
            files.append(File.generated(config, uri, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page, **_) -> str:
    """Let the links of a page lead into the site, and blocks with a name have a title."""
    uri = page.file.src_uri
    markdown = re.sub(r"^```\w+ ([\w-]+)$", r'```text title="\1"', markdown, flags=re.M)
    return rewritten(markdown, SOURCES.get(uri, f"docs/{uri}"), uri)
