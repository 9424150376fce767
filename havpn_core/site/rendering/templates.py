"""The templates of the files: those that come with HA-VPN, and those of a user in their place."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from havpn_core.errors import ConfigError, HavpnError
from havpn_core.plugging.wording import describe
from havpn_core.site.rendering.toml import toml_of

SUFFIX = ".j2"
MISSING = (
    "the site's files need the package jinja2, which is not installed: install the extra, such as "
    "pip install 'havpn[site]', or Debian's python3-jinja2"
)


@cache
def bundled() -> Mapping[str, str]:
    """Give the text of each template that comes with HA-VPN, by its file's name."""
    folder = resources.files("havpn_core.site") / "templates"
    return {
        each.name: each.read_text(encoding="utf-8")
        for each in sorted(folder.iterdir(), key=lambda file: file.name)
        if each.name.endswith(SUFFIX)
    }


def overridden(folder: Path) -> dict[str, str]:
    """Give all templates with those of a folder in the place of ours of the same name.

    :raises HavpnError: if the folder cannot be read, or has one that nothing is made of.
    """
    try:
        own = {
            file.name: file.read_text(encoding="utf-8")
            for file in sorted(folder.glob(f"*{SUFFIX}"))
        }
        folder.stat()
    except (OSError, UnicodeDecodeError) as problem:
        raise HavpnError(f"{folder}: cannot be read as templates: {problem}") from None
    known = bundled()
    problems = [
        f"{folder / name}: nothing is made of it: name it as one of {', '.join(known)}"
        for name in own
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)
    return {**known, **own}


class Templates:
    """Fills templates.

    :param texts: the text of each by its name; ``None``: those that come with HA-VPN.
    :raises HavpnError: without the package jinja2.
    """

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        try:
            import jinja2
        except ModuleNotFoundError:
            raise HavpnError(MISSING) from None
        self._wrong = jinja2.TemplateError
        self._made = jinja2.Environment(
            loader=jinja2.DictLoader({**bundled(), **(texts or {})}),
            undefined=jinja2.StrictUndefined,
            keep_trailing_newline=True,
            # What is written is configuration, for which no character is special.
            autoescape=False,
        )
        self._made.filters["toml"] = toml_of

    def fill(self, name: str, facts: Mapping[str, Any]) -> str:
        """Fill one.

        :raises HavpnError: naming the template, if it cannot be filled.
        """
        try:
            return self._made.get_template(name).render(facts)
        except self._wrong as problem:
            line = getattr(problem, "lineno", None)
            where = f"{name}, line {line}" if line else name
            raise HavpnError(f"template {where}: {problem}") from None
        except Exception as problem:  # what a template calls may raise anything
            raise HavpnError(f"template {name}: {describe(problem)}") from None
