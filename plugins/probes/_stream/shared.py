"""All streams of one daemon: one timer, and one socket for each address, device and port.

A packet on a shared socket belongs to the stream whose nonce it echoes; a first one, to the stream
with its key whose far end is expected at its source.
"""

import asyncio
import contextlib
import errno
import socket
import time
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from havpn_core import Context, StreamSession

from ..._errors import Received, collect_errors, next_error, plain
from ..._sockets import STAMP_BYTES, age_s, bind_to_device, numeric_address, stamp_arrivals
from .agenda import Agenda
from .place import Place

RETRY_S = 1.0
IN_TURN, AT_ONCE = 64, 256
"""Packets read in one turn of the loop, then others have theirs; and before one counts as late."""
TOGETHER_S = 0.0005
"""What is due so soon is done now: many streams share one turn of the loop."""
BELIEVABLE_S = 60.0
"""A packet that seems older comes of a wall clock that was set meanwhile."""
ATTEMPTS = 8
"""Of sending one packet: each but the last may find an error of an earlier one."""
FIRST_TOS = 0xC0
"""Before bulk traffic (CS6, RFC 4594: network control)."""


class Member(Protocol):
    """A stream, as the shared parts see it."""

    session: StreamSession
    context: Context

    def expects(self, source: Any) -> bool:
        """Whether the far end is configured to be at an address, as far as that is known."""

    def came(self, said: str, source: Any) -> None:
        """Take what happened to a packet that was read."""

    def woke(self, now_s: float) -> None:
        """Send what is due, and hand out what became known."""

    def refused(self, error: Received) -> None:
        """Take an error that quotes a packet of this stream."""


class Port:
    """One socket, opened when it is first needed and whenever the host's network changed."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.members: list[Member] = []
        #: members by where their far ends were last heard.
        self.near: dict[Any, Member] = {}
        self._socket: socket.socket | None = None
        self._changes = -1
        self._tried_s, self._problem = float("-inf"), OSError()

    def send(self, packet: bytes, address: Any, context: Context) -> None:
        """Send a packet.

        :raises OSError: if the socket is not available, or the kernel does not take the packet.
        """
        made = self._open(context)
        for left in reversed(range(ATTEMPTS)):
            try:
                made.sendto(packet, address)
                return
            except OSError:
                # It may be one that an earlier packet brought back; then nothing was sent.
                if not left or not self._take_errors(made):
                    raise

    def listen(self, context: Context) -> None:
        """Open the socket for whoever sends first.

        :raises OSError: if it is not available.
        """
        self._open(context)

    def _open(self, context: Context) -> socket.socket:
        changes = context.network_changes()
        if changes != self._changes:
            self.close()
            self._tried_s, self._changes = float("-inf"), changes
        if self._socket is not None:
            return self._socket
        now_s = context.clock()
        if now_s - self._tried_s < RETRY_S:
            raise self._problem
        self._tried_s = now_s
        try:
            self._socket = self._bound()
        except OSError as problem:
            self._problem = problem
            raise
        asyncio.get_running_loop().add_reader(self._socket, self.read, IN_TURN)
        return self._socket

    def _bound(self) -> socket.socket:
        family, source, device, port = self.place
        made = socket.socket(family, socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, FIRST_TOS)
            else:
                made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, FIRST_TOS)
            if device:
                bind_to_device(made, device)
            everywhere = "::" if family == socket.AF_INET6 else "0.0.0.0"
            made.bind(numeric_address(source or everywhere, port, family))
            stamp_arrivals(made)
            collect_errors(made)
        except OSError:
            made.close()
            raise
        return made

    def read(self, most: int = AT_ONCE) -> None:
        """Read what has arrived, and hand it on by the kernel's stamps.

        :param most: so many packets.
        """
        made = self._socket
        if made is None:
            return
        for packets in range(most):
            try:
                packet, ancillary, _, source = made.recvmsg(2048, STAMP_BYTES)
            except (BlockingIOError, InterruptedError):
                if not packets:  # it was woken for something
                    self._take_errors(made)
                return
            except OSError:
                if not self._take_errors(made):
                    return
                continue
            member = self._whose(packet, source)
            if member is not None:
                age = age_s(ancillary, time.time_ns(), BELIEVABLE_S)
                said = member.session.take(packet, member.context.clock() - age, source)
                if said == "good":
                    self.near[source] = member
                member.came(said, source)

    def _whose(self, packet: bytes, source: Any) -> Member | None:
        """Find the stream that a packet belongs to; ``None`` if that is nobody's."""
        near = self.near.get(source)
        if len(self.members) == 1 or (near is not None and near.session.echoed(packet)):
            return near or self.members[0]
        known = [member for member in self.members if member.session.knows(packet)]
        for member in known:
            if member.session.echoed(packet):
                return member
        if near in known:
            return near
        expected = [member for member in known if member.expects(source)]
        return expected[0] if expected else near

    def _take_errors(self, made: socket.socket) -> bool:
        """Take what ICMP brought; gives whether there was anything."""
        for taken in range(AT_ONCE):
            error = next_error(made, None)
            if error is None:
                return taken > 0
            for member in self.members:
                if member.session.sent_lately(error.quote):
                    member.refused(error)
        return True

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self.read()
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None


class Streams:
    """All streams of one event loop."""

    def __init__(self) -> None:
        self._ports: dict[Place, Port] = {}
        self._members: dict[Member, Port | None] = {}
        self._agenda: Agenda[Member] = Agenda()
        self._serving = False
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = float("inf")

    def join(self, member: Member) -> None:
        """Have a stream's moments kept."""
        self._members[member] = None
        self.arm(member)

    def port(self, member: Member, place: Place) -> Port:
        """Give the socket for a stream, which it leaves another one for."""
        before = self._members.get(member)
        if before is not None and before.place == place:
            return before
        self._leave_port(member, before)
        port = self._ports.setdefault(place, Port(place))
        port.members.append(member)
        self._members[member] = port
        return port

    def leave(self, member: Member) -> None:
        """Forget a stream; the last one on a socket closes it."""
        self._leave_port(member, self._members.pop(member, None))
        self._agenda.forget(member)
        if not self._members and self._timer is not None:
            self._timer.cancel()
            self._timer, self._due_s = None, float("inf")

    def _leave_port(self, member: Member, port: Port | None) -> None:
        if port is None:
            return
        port.members.remove(member)
        port.near = {at: each for at, each in port.near.items() if each is not member}
        if not port.members:
            port.close()
            del self._ports[port.place]

    def arm(self, member: Member) -> None:
        """Come back when a stream is due, if that is sooner than planned."""
        due_s = member.session.next_s
        if member in self._members and self._agenda.plan(member, due_s) and not self._serving:
            self._arm(due_s)

    def _arm(self, due_s: float) -> None:
        if due_s >= self._due_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due_s = due_s
        self._timer = asyncio.get_running_loop().call_at(due_s, self._tick)

    def _tick(self) -> None:
        """Serve whoever is due, with one timer set at the end of it."""
        self._timer, self._due_s, self._serving = None, float("inf"), True
        now_s = asyncio.get_running_loop().time() + TOGETHER_S
        due = self._agenda.take(now_s)
        try:
            self._serve(due, now_s)
        finally:
            for member in due:
                self._agenda.forget(member)
                self.arm(member)
            self._serving = False
            if self._members:
                self._arm(self._agenda.soonest_s)

    def _serve(self, due: list[Member], now_s: float) -> None:
        """Let each do what is due; what has arrived is read before anything counts as late."""
        late = [self._members.get(member) for member in due if member.session.due_s <= now_s]
        for port in dict.fromkeys(late):
            if port is not None:
                port.read()
        for member in due:
            if member.session.next_s <= now_s and member in self._members:
                try:
                    member.woke(asyncio.get_running_loop().time())
                except Exception:  # the other streams go on
                    member.context.logger.exception("%s", member.context.instance)


_STREAMS: "WeakKeyDictionary[asyncio.AbstractEventLoop, Streams]" = WeakKeyDictionary()


def streams() -> Streams:
    """Give the streams of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _STREAMS:
        _STREAMS[loop] = Streams()
    return _STREAMS[loop]


def said_by(error: Received, address: Any) -> bool:
    """Whether an error comes from the host of a socket address."""
    with contextlib.suppress(ValueError, TypeError, IndexError):
        return error.refusal and error.offender == plain(address)
    return False


REMEDIES = {
    errno.EADDRINUSE: "another program has this port, or a stream without source beside one with: "
    "end it, or write source for each stream",
    errno.EADDRNOTAVAIL: "this host does not have the source address (yet)",
}
