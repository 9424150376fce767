"""One connection to strongSwan's IKE daemon charon over VICI, on the event loop.

The library ``vici`` makes and reads the packets; its own sessions block, so the socket is used
here. The transport is that of strongSwan's src/libcharon/plugins/vici/README.md: each packet after
its length in four bytes, one request at a time, events at any time. Nothing here waits, and a
charon that does not reply keeps one socket and nothing else.
"""

import asyncio
import contextlib
import importlib
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any

from havpn_core import ConfigError

from ..._sockets import words

EVENTS = ("list-sa", "child-updown", "child-rekey", "ike-updown", "ike-rekey")
"""The first carries the listings, the others say that it is time for one."""
INSTALL = "the library vici is not installed: pip install 'havpn[ipsec]'"
LONGEST = 512 * 1024
"""The most bytes that a packet of VICI may have."""
AT_ONCE = 64
"""Reads in one turn of the loop; then the others have theirs."""
RETRY_S = 0.2
"""From one attempt to connect to the next."""
GIVE_UP_S = 10.0
"""A connection without a reply for so long is replaced."""
LEAST_S = 0.1
"""From one listing to the next, where no event causes one sooner."""
SHARE, MOST_S = 10, 1.0
"""After a listing that took long the next one waits so many times as long, at most a second."""
_LENGTH = struct.Struct("!I")


def library() -> Any:
    """Give the module that makes and reads packets.

    :raises ConfigError: if it is not installed; it says how to.
    """
    try:
        return importlib.import_module("vici.protocol")
    except ImportError:
        raise ConfigError([INSTALL]) from None


class _Broken(Exception):
    """What came is no VICI, or no reply to the request."""


class Charon:
    """The connection; it is opened by :meth:`look` and as often as needed.

    :param path: the socket's file.
    :param filters: the arguments of ``list-sas``.
    :param clock: monotonic seconds.
    :param listed: called with the messages of each whole listing.
    :param lost: called when the connection is lost or refused; :attr:`trouble` says why.
    :param matters: whether an event is reason to list the SAs at once.
    """

    def __init__(
        self,
        path: str,
        filters: Mapping[str, str],
        clock: Callable[[], float],
        *,
        listed: Callable[[list[Mapping[str, Any]]], None],
        lost: Callable[[], None],
        matters: Callable[[Mapping[str, Any]], bool],
    ) -> None:
        self._path, self._filters, self._clock = path, dict(filters), clock
        self._listed, self._lost, self._matters = listed, lost, matters
        self._vici = library()
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._rows: list[Mapping[str, Any]] = []
        self._to_register: list[str] = []
        self._listing = self._again = False
        self._asked_s: float | None = None
        self._next_s = float("-inf")
        #: why charon is not reachable; empty while it is, or nobody has tried.
        self.trouble = ""

    @property
    def waited_s(self) -> float:
        """Seconds for which a reply has been awaited; 0 if none is."""
        return 0.0 if self._asked_s is None else self._clock() - self._asked_s

    def look(self, *, now: bool = False) -> None:
        """Have the SAs listed, and connect first if need be; never waits and never raises.

        :param now: however short a time ago it was done.
        """
        if self.waited_s > GIVE_UP_S:
            self._break("no reply")
        if self._asked_s is not None:
            self._again = self._again or now
        elif self._socket is None:
            if self._clock() >= self._next_s:
                self._contained(self._connect)
        elif now or self._clock() >= self._next_s:
            self._contained(self._list)

    def close(self) -> None:
        """Close the socket; may be called twice."""
        made, self._socket = self._socket, None
        if made is not None:
            asyncio.get_running_loop().remove_reader(made)
            made.close()

    # --- sending: one request at a time --------------------------------------------------------

    def _connect(self) -> None:
        self._next_s = self._clock() + RETRY_S
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.setblocking(False)
            made.connect(self._path)  # of a file it is done at once, or refused
        except BaseException:
            made.close()
            raise
        self._socket, self.trouble = made, ""
        self._buffer.clear()
        self._listing = self._again = False
        self._to_register = list(EVENTS)
        asyncio.get_running_loop().add_reader(made, self._contained, self._read)
        self._proceed()

    def _proceed(self) -> None:
        """Register for the next event, or begin with the listings."""
        if self._to_register:
            self._send(self._vici.Packet.register_event(self._to_register[0]))
        else:
            self._list()

    def _list(self) -> None:
        self._listing, self._again, self._rows = True, False, []
        message = self._vici.Message.serialize(self._filters)
        self._send(self._vici.Packet.request("list-sas", message))

    def _send(self, packet: bytes) -> None:
        assert self._socket is not None
        self._asked_s = self._clock()
        data = _LENGTH.pack(len(packet)) + packet
        if self._socket.send(data) != len(data):
            raise _Broken("it takes no request")

    # --- receiving -----------------------------------------------------------------------------

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            made = self._socket
            if made is None:
                return
            try:
                more = made.recv(65536)
            except (BlockingIOError, InterruptedError):
                return
            if not more:
                raise _Broken("it closed the connection")
            self._buffer += more
            while (packet := self._next_packet()) is not None:
                self._take(packet)
                if self._socket is not made:
                    return

    def _next_packet(self) -> bytes | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if not 0 < length <= LONGEST:
            raise _Broken("what it sends is no VICI")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        packet = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return packet

    def _take(self, data: bytes) -> None:
        known, packet = self._vici.Packet, self._vici.Packet.parse(data)
        kind = packet.response_type
        if kind == known.EVENT:
            self._event(packet.event_type, self._vici.Message.deserialize(packet.payload))
        elif kind == known.EVENT_CONFIRM and self._to_register:
            self._registered()
        elif (
            kind == known.EVENT_UNKNOWN and self._to_register and self._to_register[0] != "list-sa"
        ):
            self._registered()  # this charon has no such event; the cadence of listings remains
        elif kind == known.CMD_RESPONSE and self._listing:
            self._ended()
        else:
            raise _Broken("it does not know list-sas")

    def _event(self, name: bytes, message: Mapping[str, Any]) -> None:
        if name == b"list-sa":
            if self._listing:
                self._rows.append(message)
        elif self._matters(message):
            self.look(now=True)

    def _registered(self) -> None:
        del self._to_register[0]
        self._proceed()

    def _ended(self) -> None:
        """A listing is whole; one that an event overtook is made again."""
        now = self._clock()
        took = now - (now if self._asked_s is None else self._asked_s)
        self._listing, self._asked_s = False, None
        self._next_s = now + min(max(LEAST_S, SHARE * took), MOST_S)
        rows, self._rows = self._rows, []
        again = self._again
        self._listed(rows)
        if again:
            self.look(now=True)

    # --- trouble -------------------------------------------------------------------------------

    def _contained(self, work: Callable[[], None]) -> None:
        """Let whatever goes wrong with the connection end it, and nothing else."""
        try:
            work()
        except BlockingIOError:
            self._break("it takes no more connections")
        except OSError as problem:
            self._break(words(problem))
        except _Broken as problem:
            self._break(str(problem))
        except Exception as problem:  # the library raises what it likes of bytes it cannot read
            self._break(f"what it sends is no VICI ({type(problem).__name__})")

    def _break(self, why: str) -> None:
        with contextlib.suppress(OSError):
            self.close()
        self.trouble = why
        self._asked_s = None
        self._next_s = self._clock() + RETRY_S
        self._lost()
