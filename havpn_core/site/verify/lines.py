"""Pure: each line for itself: the addresses of its ends, its probe, and its packets."""

from collections.abc import Iterator

from havpn_core.site.model.model import DYNAMIC, End, Line, Model
from havpn_core.site.model.options import LineProbe
from havpn_core.site.model.overhead import fitting
from havpn_core.site.model.problem import Problem
from havpn_core.site.verify.places import end_key, family

LEAST_MTU, MOST_MTU = 1280, 9216
LEAST_SIZE, MOST_SIZE = 64, 1500
"""What ``udp-echo`` can send whole."""
LARGE = 576
"""What every host takes (RFC 791 section 3.1), and nobody calls large."""
LEAST_S, MOST_S = 0.005, 10.0
"""What ``stream`` takes as its interval."""


def problems(model: Model) -> Iterator[Problem]:
    """Give what is wrong."""
    for line in model.lines.values():
        yield from _ends(model, line)
        yield from _packets(model, line)
    size = model.options.tunnel.size
    if size is not None and not LEAST_SIZE <= size <= MOST_SIZE:
        yield Problem(
            "tunnel.size",
            f"{size} bytes cannot be probed with",
            f"write {LEAST_SIZE} to {MOST_SIZE}, at best as much as the tunnel carries",
        )
    interval = model.options.interval
    if interval is not None and not LEAST_S <= interval <= MOST_S:
        yield Problem("interval", f"{interval} is none of a stream", "write 5ms to 10s")


def seldom_meant(model: Model) -> Iterator[Problem]:
    """Give what is possible, but seldom meant."""
    if model.options.interval is not None and model.options.line_probe is LineProbe.ECHO:
        yield Problem("interval", 'is that of a stream, and line_probe is "echo"', "leave it out")
    size = model.options.tunnel.size
    if size is not None and LEAST_SIZE <= size < LARGE:
        yield Problem(
            "tunnel.size",
            f"{size} bytes pass where the packets of the hosts do not",
            "write at best as much as the tunnel carries",
        )
    for line in model.lines.values():
        for end in line.ends:
            # Hosts have such addresses only in networks of more than 256.
            if end.address and end.address.version == 4 and int(end.address) % 256 in (0, 255):
                yield Problem(
                    end_key(line, end.gateway),
                    f"{end.address} looks like that of a network, or its broadcast address",
                    "write the address of the gateway there, unless it is that",
                )


def _ends(model: Model, line: Line) -> Iterator[Problem]:
    first, second = line.ends
    key = f"line.{line.name}.ends"
    if first.address and second.address and first.address.version != second.address.version:
        yield Problem(
            key,
            f"{first.address} of {first.gateway} is {family(first.address)}, and "
            f"{second.address} of {second.gateway} {family(second.address)}",
            "write two addresses of one family",
        )
    if first.dynamic and second.dynamic:
        yield Problem(
            key,
            f"neither end has a fixed address: {first.gateway} is {_shown(first)}, and "
            f"{second.gateway} {_shown(second)}: neither could know whom to let in",
            "write the fixed address of one",
        )
    elif model.options.line_probe is LineProbe.ECHO:
        for end in line.ends:
            if end.dynamic:
                yield Problem(
                    end_key(line, end.gateway),
                    f'{_shown(end)} is no address, and line_probe is "echo": the far responder '
                    "cannot be given the address that it is to allow",
                    'write line_probe = "stream", or a fixed address',
                )
    for end in line.ends:
        if end.router and end.address and end.router.version != end.address.version:
            yield Problem(
                f"line.{line.name}.routers.{end.gateway}",
                f"{end.router} is {family(end.router)}, and the end of the line "
                f"{family(end.address)}: {end.address}",
                "write the router's address of the same family",
            )


def _shown(end: End) -> str:
    return f'"{end.name or DYNAMIC}"'


def _packets(model: Model, line: Line) -> Iterator[Problem]:
    mtu, size = line.options.mtu, model.options.tunnel.size
    key = f"line.{line.name}.mtu"
    if not LEAST_MTU <= mtu <= MOST_MTU:
        yield Problem(
            key,
            f"{mtu} is no size of a line's packets",
            f"write {LEAST_MTU} to {MOST_MTU}, as the provider says it",
        )
        return
    most = fitting(line, model.options.tunnel.esp)
    if size is None or size > MOST_SIZE or most is None or size <= most:
        return  # what is wrong with the size or the proposal itself is said elsewhere
    yield Problem(
        "tunnel.size",
        f"{size} bytes do not pass line {line.name} as ESP: its mtu of {mtu} leaves {most}",
        f"write size = {most} or less in [tunnel], or the true mtu in line.{line.name}",
    )
