"""Names to addresses, off the loop, keeping the last good address when the resolver is gone."""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable

from havpn_core.errors import NotResolved

REFRESH_S = 30.0
RETRY_S = 2.0


class Resolver:
    """Gives addresses at once from memory and looks names up in a thread of its own.

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
            self._begin(key)
        if key not in self._known:
            raise NotResolved(f"{host}: {self._problem.get(key, 'not resolved yet')}")
        return self._known[key]

    def _begin(self, key: tuple[str, int]) -> None:
        """Look a name up in a thread; where none can be had, try again later."""
        self._busy.add(key)
        try:
            # One short-lived daemon thread a look-up: a resolver that hangs holds up one name.
            threading.Thread(target=self._refresh, args=(key,), daemon=True).start()
        except RuntimeError:
            self._problem[key] = "name not resolved: this process can start no more threads"
            self._end(key, RETRY_S)

    def _refresh(self, key: tuple[str, int]) -> None:
        pause = RETRY_S
        try:
            self._known[key] = self._look_up(*key)
            self._problem.pop(key, None)
            pause = REFRESH_S
        except Exception as problem:  # whatever it is, the name is tried again
            self._problem[key] = f"name not resolved: {_reason(problem)}"
        finally:
            self._end(key, pause)

    def _end(self, key: tuple[str, int], pause_s: float) -> None:
        self._due[key] = self._clock() + pause_s
        self._busy.discard(key)


def _look_up(host: str, family: int) -> str:
    found = socket.getaddrinfo(host, None, family=family, type=socket.SOCK_DGRAM)
    return str(found[0][4][0])


def _reason(problem: Exception) -> str:
    """Say why; the numbers of getaddrinfo() are its own, with words beside them."""
    return (getattr(problem, "strerror", None) or str(problem) or type(problem).__name__).lower()
