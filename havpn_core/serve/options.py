"""Pure: the options of ``[metrics]``."""

import ipaddress
from typing import Annotated

import msgspec

PORT = 9713
DEFAULT = f"127.0.0.1:{PORT}"


def parse_endpoint(text: str) -> tuple[str, int]:
    """Read ``127.0.0.1:9713`` or ``[::1]:9713``.

    :raises ValueError: if it is neither.
    """
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    address = ipaddress.ip_address(bare)
    if (address.version == 6) != host.startswith("[") or not 0 < int(port) < 65536:
        raise ValueError(text)
    return bare, int(port)


class MetricsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``[metrics]``: serve metrics, liveness, status, history and a page over HTTP.

    Whoever reaches these addresses may read what ``havpn status`` and ``havpn events`` show.

    :param listen: addresses with ports to listen on.
    :raises ValueError: for what is no address.
    """

    listen: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=16)] = (DEFAULT,)

    def __post_init__(self) -> None:
        for endpoint in self.listen:
            try:
                parse_endpoint(endpoint)
            except ValueError:
                raise ValueError(
                    f"listen: {endpoint!r} is no address with a port: "
                    f'write "{DEFAULT}" or "[::1]:{PORT}"'
                ) from None
