"""A charon that speaks VICI on a socket of its own, with the SAs and the conduct of the test."""

import asyncio
import contextlib
import struct
import threading

from vici.protocol import FiniteStream, Message, Packet


def child(state="INSTALLED", name="lans", local=("10.1.0.0/16",), remote=("10.31.0.0/24",), **more):
    """Give the section of a CHILD_SA as charon sends it."""
    return {
        "name": name,
        "state": state,
        "local-ts": list(local),
        "remote-ts": list(remote),
        "bytes-in": "1200",
        "use-in": "7",
        "bytes-out": "80",
        "install-time": "60",
        "rekey-time": "3000",
    } | {key.replace("_", "-"): value for key, value in more.items()}


def ike(*children, name="line", state="ESTABLISHED"):
    """Give the message of an IKE_SA and its CHILD_SAs."""
    numbered = {f"{each['name']}-{number}": each for number, each in enumerate(children, 1)}
    return {name: {"state": state, "child-sas": numbered}}


def as_read(message):
    """Give a message as the library reads it: values are bytes."""
    return Message.deserialize(FiniteStream(Message.serialize(message)))


class Charon:
    """What listens on the socket.

    :ivar rows: what ``list-sas`` lists, or a list of such for one listing after another.
    :ivar silent: reply to nothing more.
    :ivar unknown: events that it does not have.
    """

    def __init__(self, path, rows=()):
        self.path, self.rows = path, list(rows)
        self.silent, self.unknown, self.garbage = False, set(), b""
        self.listings, self.registered, self.filters = 0, [], []
        self.connections = 0
        self.before_response = None
        self.writers = set()
        self.script = []

    async def __aenter__(self):
        self.server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(self, *problem):
        await self.stop()

    async def stop(self):
        """End as a process does that is killed; the socket's file stays."""
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    def send(self, packet, *to):
        """Send bytes of a packet to some, or to all who are connected."""
        for writer in to or tuple(self.writers):
            writer.write(struct.pack("!I", len(packet)) + packet)

    def tell(self, event, message, *to):
        """Raise an event."""
        head = bytes([Packet.EVENT, len(event)]) + event.encode()
        self.send(head + Message.serialize(message), *to)

    async def _serve(self, reader, writer):
        self.connections += 1
        self.writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = struct.unpack("!I", await reader.readexactly(4))
                packet = await reader.readexactly(length)
                if self.silent:
                    continue
                if self.garbage:
                    writer.write(self.garbage)
                else:
                    self._reply(packet, writer)
        self.writers.discard(writer)
        writer.close()

    def _reply(self, packet, writer):
        name = packet[2 : 2 + packet[1]].decode()
        if packet[0] == Packet.EVENT_REGISTER:
            self.registered.append(name)
            kind = Packet.EVENT_UNKNOWN if name in self.unknown else Packet.EVENT_CONFIRM
            self.send(bytes([kind]), writer)
            return
        assert (packet[0], name) == (Packet.CMD_REQUEST, "list-sas")
        self.filters.append(dict(Message.deserialize(FiniteStream(packet[2 + packet[1] :]))))
        self.listings += 1
        for row in self.script.pop(0) if self.script else self.rows:
            self.tell("list-sa", row, writer)
        if self.before_response is not None:
            self.before_response()
        self.send(bytes([Packet.CMD_RESPONSE]), writer)


@contextlib.contextmanager
def charon_in_thread(path, rows):
    """Run a charon beside a test; gives it, and what has a function called on its loop."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    charon, ended = Charon(path, rows), asyncio.Event()

    async def run():
        async with charon:
            started.set()
            await ended.wait()

    def work():
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        assert started.wait(10)
        yield charon, loop.call_soon_threadsafe
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
