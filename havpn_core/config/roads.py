"""What is allowed of the probes of a road, but seldom meant."""

from havpn_core.config.instances import Config, Instance

SEEING = frozenset({"heartbeat", "pacemaker"})
"""Types of actions that see whether another gateway serves, so that this one may go."""


def lone_roads(config: Config) -> list[str]:
    """Say which roads would move the role for one dead host, or for nothing.

    :returns: sentences naming key and remedy.
    """
    found = []
    for path in config.paths:
        if not path.road:
            continue
        hosts = {_host(probe) for probe in path.road}
        if len(hosts) < 2:
            found.append(
                f"path.{path.name}.probe: one host behind the far gateway is probed, and its death "
                'counts as that of the road: add a probe with watches = "road" of another host, '
                "as the far gateway of the other line by its own LAN address"
            )
        if config.pair is None and not SEEING & {each.type.name for each in config.actions}:
            found.append(
                f"path.{path.name}.probe: without a [pair] the road is only reported: there is "
                "no partner, and no action sees another gateway of a cluster"
            )
    return found


def _host(probe: Instance) -> str:
    """Give the host that a probe is sent to; one that names none is taken for a host of its own."""
    host = getattr(probe.options, "host", None)
    return host if isinstance(host, str) else probe.name
