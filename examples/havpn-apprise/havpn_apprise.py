"""The notifier ``apprise``: mail, chat, SMS, push and more, each by one URL.

Apprise is imported when an instance is built, not when the plugin is loaded: it takes long.
"""

from collections.abc import Iterable
from typing import Annotated, Any

from msgspec import Meta, Struct

from havpn_core import Context, Event, HavpnError, NotifierType, hookimpl


class Options(Struct, frozen=True, kw_only=True):
    """Options of ``apprise``."""

    urls: Annotated[list[str], Meta(min_length=1, description="where events go, as Apprise URLs")]
    only: Annotated[list[str], Meta(description="kinds of event to pass on; empty for all")] = []


KINDS = {"info": "info", "warning": "warning", "error": "failure"}


class Apprise:
    """A plain method: it runs in a thread of its own, so a slow service delays nobody."""

    def __init__(self, options: Options, context: Context) -> None:
        import apprise

        self._options = options
        self._services: Any = apprise.Apprise()
        for url in options.urls:
            if not self._services.add(url):
                raise HavpnError(f"urls: {url.partition('://')[0]}://...: Apprise refuses it")

    def notify(self, event: Event, timeout_s: float) -> None:
        """Pass the event on to every service; see :class:`havpn_core.Notifier`.

        :raises HavpnError: if one of them did not take it.
        """
        if self._options.only and event.kind not in self._options.only:
            return
        kind = KINDS.get(event.severity, "info")
        title = f"HA-VPN on {event.node}"
        if not self._services.notify(title=title, body=str(event), notify_type=kind):
            raise HavpnError("not every service took the event")

    def close(self) -> None:
        """Do nothing; nothing stays open between two events."""


@hookimpl
def havpn_register_notifiers() -> Iterable[NotifierType]:
    """Give the type."""
    yield NotifierType("apprise", "A hundred services through Apprise", Options, Apprise)
