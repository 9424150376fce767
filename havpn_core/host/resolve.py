"""Names to addresses, off the loop, keeping the last good answer when the resolver is gone."""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable

from havpn_core.errors import NotResolved

REFRESH_S = 30.0
RETRY_S = 2.0


class Resolver:
    """Answers at once from memory and looks names up in a thread of its own.

    :param clock: monotonic seconds.
    :param look_up: maps a name and an address family to an address; :exc:`OSError` if it cannot.
    """

    def __init__(
        self, clock: Callable[[], float], look_up: Callable[[str, int], str] | None = None
    ) -> None:
        self._clock = clock
        self._look_up = look_up or _look_up
        self._known: dict[tuple[str, int], str] = {}
        self._due: dict[tuple[str, int], float] = {}
        self._problem: dict[tuple[str, int], str] = {}
        self._busy: set[tuple[str, int]] = set()

    def address(self, host: str, family: int = 0) -> str:
        """Give the last good address of a host; literal addresses are returned as they are.

        :raises NotResolved: while there is none.
        """
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(host.partition("%")[0])
            return host
        key = (host, family)
        if key not in self._busy and self._clock() >= self._due.get(key, float("-inf")):
            self._busy.add(key)
            # One short-lived daemon thread a look-up: a resolver that hangs holds up one name.
            threading.Thread(target=self._refresh, args=(key,), daemon=True).start()
        if key not in self._known:
            raise NotResolved(f"{host}: {self._problem.get(key, 'not resolved yet')}")
        return self._known[key]

    def _refresh(self, key: tuple[str, int]) -> None:
        try:
            self._known[key] = self._look_up(*key)
            self._problem.pop(key, None)
            pause = REFRESH_S
        except (OSError, UnicodeError) as problem:
            self._problem[key] = f"name not resolved: {problem}"
            pause = RETRY_S
        self._due[key] = self._clock() + pause
        self._busy.discard(key)


def _look_up(host: str, family: int) -> str:
    answers = socket.getaddrinfo(host, None, family=family, type=socket.SOCK_DGRAM)
    return str(answers[0][4][0])
