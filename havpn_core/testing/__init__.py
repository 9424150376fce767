"""What plugin authors test with, and the network lab.

The checks of :mod:`havpn_core.testing.contracts` and, as a pytest plugin that is found by itself,
the fixtures of :mod:`havpn_core.testing.fixtures`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from havpn_core.testing.contracts import (
        check_action_type,
        check_hostile_configuration,
        check_link_type,
        check_notifier_type,
        check_probe_type,
        check_renderer_type,
        context,
        options,
        plugin_type,
    )

__all__ = [
    "check_action_type",
    "check_hostile_configuration",
    "check_link_type",
    "check_notifier_type",
    "check_probe_type",
    "check_renderer_type",
    "context",
    "options",
    "plugin_type",
]


def __getattr__(name: str) -> Any:
    # Pytest imports this package in every project of an environment that has havpn.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from havpn_core.testing import contracts

    return getattr(contracts, name)
