"""The hooks through which plugins hand over their types.

An implementation is a function of the same name, marked with :data:`havpn_core.hookimpl`, in
the module that the package's entry point (group ``havpn``) names. Hooks hand over types, they
do no work: each is called once, when the plugin is loaded.
"""

from collections.abc import Iterable

import pluggy

from havpn_core.plugging.deprecated import warning_for
from havpn_core.plugging.descriptors import ActionType, LinkType, NotifierType, ProbeType
from havpn_core.plugging.rendering import RendererType

hookspec = pluggy.HookspecMarker("havpn")
hookimpl = pluggy.HookimplMarker("havpn")


@hookspec(warn_on_impl=warning_for("havpn_register_probes"))
def havpn_register_probes() -> Iterable[ProbeType]:  # type: ignore[empty-body]
    """Give the probe types of this plugin.

    A probe that finds every line dead::

        class Options(msgspec.Struct):
            reason: str = "it is Monday"

        class Pessimist:
            def __init__(self, options, context):
                self.reason = options.reason
            def check(self, timeout_s):
                return Sample.fail(self.reason)
            def close(self):
                pass

        @hookimpl
        def havpn_register_probes():
            yield ProbeType("pessimist", "Fails always", Options, Pessimist)
    """


@hookspec(warn_on_impl=warning_for("havpn_register_actions"))
def havpn_register_actions() -> Iterable[ActionType]:  # type: ignore[empty-body]
    """Give the action types of this plugin.

    An action that keeps the role in a file::

        class Options(msgspec.Struct):
            file: str

        class Note:
            def __init__(self, options, context):
                self.file = pathlib.Path(options.file)
            def apply(self, role, timeout_s):
                self.file.write_text(role.value)
            def observe(self):
                return Role(self.file.read_text()) if self.file.exists() else None
            def close(self):
                pass

        @hookimpl
        def havpn_register_actions():
            yield ActionType("note", "Writes the role down", Options, Note)
    """


@hookspec(warn_on_impl=warning_for("havpn_register_notifiers"))
def havpn_register_notifiers() -> Iterable[NotifierType]:  # type: ignore[empty-body]
    """Give the notifier types of this plugin.

    A notifier that prints::

        class Options(msgspec.Struct):
            prefix: str = ""

        class Printer:
            def __init__(self, options, context):
                self.prefix = options.prefix
            def notify(self, event, timeout_s):
                print(self.prefix, event)
            def close(self):
                pass

        @hookimpl
        def havpn_register_notifiers():
            yield NotifierType("printer", "Prints each event", Options, Printer)
    """


@hookspec(warn_on_impl=warning_for("havpn_register_links"))
def havpn_register_links() -> Iterable[LinkType]:  # type: ignore[empty-body]
    """Give the link types of this plugin.

    A link into the void::

        class Options(msgspec.Struct):
            pass

        class Void:
            def __init__(self, options, context):
                pass
            def send(self, frame):
                pass
            def close(self):
                pass

        @hookimpl
        def havpn_register_links():
            yield LinkType("void", "Loses every frame", Options, Void)
    """


@hookspec(warn_on_impl=warning_for("havpn_register_renderers"))
def havpn_register_renderers() -> Iterable[RendererType]:  # type: ignore[empty-body]
    """Give the types of this plugin that add files to ``havpn site render``.

    A renderer that writes down who the partner is::

        class Options(msgspec.Struct):
            file: str = "/etc/partner"

        class Partner:
            def __init__(self, options, context):
                self.file = options.file
            def files(self, model, gateway):
                partner = model.site_of(gateway).partner_of(gateway)
                yield RenderedFile(self.file, f"{partner.name}\\n")

        @hookimpl
        def havpn_register_renderers():
            yield RendererType("partner", "Names the partner", Options, Partner)
    """
