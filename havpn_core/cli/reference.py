"""Write the reference and the manual pages from what the program itself says.

``python -m havpn_core.cli.reference > docs/reference.md`` brings the reference up to date.
"""

import inspect
from collections.abc import Iterator
from dataclasses import replace

import click
import msgspec

from havpn_core.config.describe import Option, options_of
from havpn_core.config.options import (
    CallOptions,
    LanOptions,
    NodeOptions,
    PathOptions,
    ProbeOptions,
)
from havpn_core.config.profiles import PROFILES
from havpn_core.echo.gate import RespondOptions
from havpn_core.pair.options import PairOptions
from havpn_core.plugging import hookspecs
from havpn_core.plugging.registry import KINDS, Registry
from havpn_core.serve.options import MetricsOptions
from havpn_core.site.model.options import (
    FileOptions,
    GatewayOptions,
    LineOptions,
    RenderOptions,
    SiteOptions,
    TunnelOptions,
)
from havpn_core.version import __version__

SECTIONS: dict[str, type[msgspec.Struct]] = {
    "[node]": NodeOptions,
    "[path.NAME]": PathOptions,
    "[path.NAME.probe.NAME]": ProbeOptions,
    "[lan]": LanOptions,
    "[respond]": RespondOptions,
    "[pair]": PairOptions,
    "[metrics]": MetricsOptions,
    "[action.NAME] and [notifier.NAME]": CallOptions,
}

SITE: dict[str, type[msgspec.Struct]] = {
    "site.toml": FileOptions,
    "[site.NAME]": SiteOptions,
    "[site.NAME.gateways.NAME]": GatewayOptions,
    "[line.NAME]": LineOptions,
    "[tunnel]": TunnelOptions,
    "[render]": RenderOptions,
}


def markdown(registry: Registry) -> str:
    """Write the reference of hooks, sections and bundled types."""
    lines = ["# Reference", "", "Made by `python -m havpn_core.cli.reference`.", "", "## Hooks", ""]
    for name, signature, text in hooks():
        lines += ["```python", f"{name}{signature}", "```", "", text, ""]
    lines += ["## The file", ""]
    for section, struct in SECTIONS.items():
        lines += [f"### `{section}`", "", *_markdown(options_in(struct)), ""]
    lines += ["## The site file", ""]
    for section, struct in SITE.items():
        lines += [f"### `{section}`", "", *_markdown(options_of(struct)), ""]
    for kind in KINDS:
        lines += [f"## {kind.capitalize()} types", ""]
        types = list(registry.types(kind))
        if not types:
            lines += ["None is bundled.", ""]
        for each, _ in types:
            needs = f" Needs {', '.join(sorted(each.needs))}." if each.needs else ""
            lines += [f"### `{each.name}`", "", f"{each.summary}.{needs}", ""]
            lines += [*_markdown(options_of(each.config)), ""]
    return "\n".join(lines).rstrip() + "\n"


def hooks() -> Iterator[tuple[str, str, str]]:
    """Give each hook's name, exact signature and first paragraph."""
    for hook, _ in KINDS.values():
        function = getattr(hookspecs, hook)
        text = inspect.cleandoc(function.__doc__ or "").partition("\n\n")[0]
        yield hook, str(inspect.signature(function)), " ".join(text.split())


def options_in(struct: type[msgspec.Struct]) -> list[Option]:
    """List the options of a section; those that a profile sets have its values as defaults."""
    options = options_of(struct)
    return list(map(_by_profile, options)) if struct is PathOptions else options


def _by_profile(option: Option) -> Option:
    """Give an option of a path with what each profile has for it; none is required then."""
    if not any(option.name in profile for profile in PROFILES.values()):
        return option
    values = ", ".join(
        f"{name} {_plain(profile.get(option.name, option.default))}"
        for name, profile in PROFILES.items()
    )
    return replace(option, required=False, default=values)


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).strip('"')


def _markdown(options: list[Option]) -> list[str]:
    lines = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for option in options:
        kind = ", ".join(filter(None, (option.type, option.limits))).replace("|", "\\|")
        default = "required" if option.required else f"`{option.default}`"
        lines.append(f"| `{option.name}` | {kind} | {default} | {option.description} |")
    return lines if len(lines) > 2 else ["No options."]


def manual_of_commands(group: click.Group) -> str:
    """Write havpn(8) as roff.

    :param group: all commands.
    """
    lines = _head("HAVPN", 8, "havpn", "failover between pairs of IPsec gateways")
    lines += [".SH SYNOPSIS", ".B havpn", ".I command", "[options]", ".SH COMMANDS"]
    context = click.Context(group, info_name="havpn")
    for name, command in _commands(group, context):
        usage = " ".join(command.collect_usage_pieces(context))
        lines += [".TP", f".B {_roff(name)} {_roff(usage)}", _roff(command.help or "")]
        for parameter in command.params:
            record = parameter.get_help_record(context)
            if record is not None:
                lines += [".RS", ".TP", f".B {_roff(record[0])}", _roff(record[1]) or "\\&", ".RE"]
    lines += [".SH EXIT STATUS", "0 fine, 1 a problem was found, 2 wrong usage."]
    lines += [".SH SEE ALSO", ".BR havpn.toml (5)"]
    return "\n".join(lines) + "\n"


def _commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            for inner, each in _commands(command, context):
                yield f"{name} {inner}", each
        elif command is not None:
            yield name, command


def manual_of_file(registry: Registry) -> str:
    """Write havpn.toml(5) as roff."""
    lines = _head("HAVPN.TOML", 5, "havpn.toml", "configuration of HA-VPN")
    lines += [".SH DESCRIPTION", "The file is TOML; /etc/havpn/havpn.toml by default."]
    for section, struct in SECTIONS.items():
        lines += [f".SH {_roff(section)}", *_roff_options(options_in(struct))]
    for kind in KINDS:
        for each, _ in registry.types(kind):
            lines += [f".SH {kind.upper()} TYPE {_roff(each.name)}", f"{_roff(each.summary)}."]
            lines += _roff_options(options_of(each.config))
    lines += [".SH SEE ALSO", ".BR havpn (8)"]
    return "\n".join(lines) + "\n"


def _head(title: str, section: int, name: str, summary: str) -> list[str]:
    return [
        f'.TH {title} {section} "" "havpn {__version__}"',
        ".SH NAME",
        f"{name} \\- {_roff(summary)}",
    ]


def _roff_options(options: list[Option]) -> list[str]:
    lines = []
    for option in options:
        default = "required" if option.required else f"default {option.default}"
        kind = ", ".join(filter(None, (option.type, option.limits, default)))
        lines += [".TP", f".BR {_roff(option.name)}", f"({_roff(kind)})", _roff(option.description)]
    return lines


def _roff(text: str) -> str:
    """Escape what roff would read as its own."""
    text = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    print(markdown(Registry.load()), end="")
