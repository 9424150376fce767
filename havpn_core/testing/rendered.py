"""What every renderer must hold to, tried on whole sites."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from havpn_core.errors import CallFailed
from havpn_core.grading.evidence import note
from havpn_core.plugging.gate.rendered import files_by
from havpn_core.plugging.rendering import RenderedFile, RendererType
from havpn_core.site.model.model import Model
from havpn_core.site.model.options import Mode
from havpn_core.site.reading import model_of
from havpn_core.site.rendering.whole import sheets
from havpn_core.testing.made import Table, check_hostile_configuration, context, options

Files = Mapping[str, tuple[RenderedFile, ...]]


def sites() -> Iterator[Model]:
    """Give sites as a renderer may meet them: of each mode, of IPv6, one hub with two branches."""
    for mode in Mode:
        yield model_of(_tables(mode))
    yield model_of(_tables(Mode.PAIR, prefix="2001:db8:{}::", length=64))
    yield model_of(_tables(Mode.PAIR, branches=2))


def check_renderer_type(
    plugin_type: RendererType,
    *,
    config: Table,
    hostile: Iterable[Table] = (),
    models: Callable[[], Iterable[Model]] = sites,
) -> None:
    """Check a type of renderer: good files, none of HA-VPN's own, and each time the same.

    :param models: gives the sites that it is tried on, made again with each call; by default of all
        modes and families, and a hub.
    """
    check_hostile_configuration(plugin_type, config, hostile)
    for model, again in zip(models(), models(), strict=True):
        one = _rendered(plugin_type, config, model)
        assert _rendered(plugin_type, config, again) == one, (
            "another instance gives other files for the same site: use no clock, no chance, no host"
        )
        own = {(name, sheet.path) for name in model.gateways for sheet in sheets(model, name)}
        for gateway, files in one.items():
            for file in files:
                assert (gateway, file.path) not in own, f"{file.path} is rendered by HA-VPN itself"
    note("renderer", plugin_type.name)


def _rendered(plugin_type: RendererType, config: Table, model: Model) -> Files:
    made = context(f"renderer.{plugin_type.name}")
    try:
        return files_by(plugin_type, options(plugin_type, config), made, model)
    except CallFailed as problem:
        raise AssertionError(f"of a site in mode {_mode(model)}: {problem}") from None


def _mode(model: Model) -> str:
    return next(iter(model.sites.values())).mode.value


def _tables(
    mode: Mode, prefix: str = "10.{}.0.", length: int = 24, branches: int = 1
) -> dict[str, Any]:
    """Write a site file: site ``a``, and the branches that its two gateways have a line to each."""
    names = ["a", *(chr(ord("b") + number) for number in range(branches))]
    found: dict[str, Any] = {"site": {}, "line": {}}
    for number, name in enumerate(names, 1):
        lan = prefix.format(number)
        found["site"][name] = {
            "mode": mode.value,
            "networks": [f"{lan}{'' if ':' in lan else '0'}/{length}"],
            "vips": [f"{lan}254"],
            "gateways": {f"gw-{name}a": f"{lan}252", f"gw-{name}b": f"{lan}253"},
        }
        for place, which in enumerate("ab" if number > 1 else "", 1):
            ends = (f"gw-a{which}", f"gw-{name}{which}")
            addresses = (f"192.0.2.{10 * place}", f"192.0.2.{10 * place + number}")
            line = {"ends": dict(zip(ends, addresses, strict=True))}
            found["line"][f"vpn{place}-{name}"] = line
    return found
