"""The renderer ``motd``: a message at each login that says what this gateway is."""

from collections.abc import Iterable, Iterator
from typing import Annotated

from msgspec import Meta, Struct

from havpn_core import Context, RenderedFile, RendererType, SiteModel, hookimpl


class Options(Struct, frozen=True, kw_only=True):
    """Options of ``motd``."""

    path: Annotated[str, Meta(pattern="^/", description="the file")] = "/etc/motd.d/havpn"
    contact: Annotated[str, Meta(description="who looks after it; empty: nobody is named")] = ""


class Motd:
    """Makes the message."""

    def __init__(self, options: Options, context: Context) -> None:
        self._options = options

    def files(self, model: SiteModel, gateway: str) -> Iterable[RenderedFile]:
        """Give the one file; see :class:`havpn_core.Renderer`."""
        text = "".join(f"{line}\n" for line in self._lines(model, gateway))
        yield RenderedFile(self._options.path, text)

    def _lines(self, model: SiteModel, gateway: str) -> Iterator[str]:
        site = model.site_of(gateway)
        vips = ", ".join(str(vip.ip) for vip in site.vips)
        yield f"{gateway}: a gateway of site {site.name}, which shares {vips} with its partner"
        yield f"partner: {site.partner_of(gateway).name}"
        for line in model.lines_of(gateway):
            yield f"line {line.name} ({line.provider}): to {line.far_of(gateway).gateway}"
        yield "see: havpn status, havpn events; out of service: havpn switch --to standby"
        if self._options.contact:
            yield f"contact: {self._options.contact}"


@hookimpl
def havpn_register_renderers() -> Iterable[RendererType]:
    """Give the type."""
    yield RendererType("motd", "Says at each login what a gateway is", Options, Motd)
