"""Gateways and a client on one LAN, each in namespaces of its own, with real alias-arp in them."""

import asyncio
import contextlib
import ctypes
import json
import logging
import shutil
import threading
import time
from pathlib import Path

import msgspec
from havpn_plugins.actions.alias_arp import AliasArp, AliasArpOptions, havpn_register_actions

from havpn_core import Context
from havpn_core.config.convert import decode_hook
from havpn_core.testing.lab import end_hosts, open_folder, start_hosts, wait_for
from havpn_core.testing.lab.hosts import leftovers
from havpn_core.testing.lab.hosts.lan import Lan
from havpn_core.testing.lab.hosts.network import set_up

CLONE_NEWNET = 0x40000000
FOUR, SIX = "10.9.255.254", "2001:db8:9::fe"
BOTH = [f"{FOUR}/16", f"{SIX}/64"]
(TYPE,) = havpn_register_actions()
OWN = {
    "gw-a": ("10.9.0.1/16", "2001:db8:9::1/64", "02:00:00:00:00:0a"),
    "gw-b": ("10.9.0.2/16", "2001:db8:9::2/64", "02:00:00:00:00:0b"),
    "client": ("10.9.0.9/16", "2001:db8:9::9/64", "02:00:00:00:00:99"),
}


class Station:
    """A host with an event loop of this process inside its network namespace."""

    def __init__(self, host, mac):
        self.host, self.mac = host, mac
        self.loop = asyncio.new_event_loop()
        self.actions = []
        self.records = []
        self.run_dir = host.folder / f"{host.name}-run"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        with Path(f"/proc/{self.host.pid}/ns/net").open() as there:
            assert ctypes.CDLL(None).setns(there.fileno(), CLONE_NEWNET) == 0
        self.loop.run_forever()

    def do(self, coroutine, timeout=20.0):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def action(self, **options) -> AliasArp:
        table = {"device": "lan", "addresses": BOTH, **options}
        checked = msgspec.convert(table, AliasArpOptions, dec_hook=decode_hook)
        log = logging.Logger("alias")
        log.addHandler(Records(self.records))
        context = Context(
            "action.gateway", self.host.name, log, time.monotonic, lambda host, family: host,
            lambda: 0, self.run_dir,
        )  # fmt: skip
        made = TYPE.build(checked, context)
        self.actions.append(made)
        return made

    def addresses(self, device="lan"):
        """What iproute2, which shares no code with us, says of a device."""
        out = self.host.run_in_network("ip", "-j", "address", "show", "dev", device).stdout
        return {a["local"]: a for a in json.loads(out)[0]["addr_info"]}

    def shared(self):
        return sorted(set(self.addresses()) & {FOUR, SIX})

    def ip(self, *words):
        return self.host.run_in_network("ip", *words).stdout

    def stop(self):
        for action in self.actions:
            self.do(action.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


class Records(logging.Handler):
    def __init__(self, texts):
        super().__init__()
        self.texts = texts

    def emit(self, record):
        self.texts.append(record.getMessage())


class Segment:
    """The LAN. ``capture`` shows what the client hears, decoded by tcpdump."""

    def __init__(self):
        leftovers.sweep()
        self.folder = open_folder()
        self.hosts = start_hosts(("lan-x", *OWN), self.folder)
        self.stations = {}
        try:
            self.lan = Lan(self.hosts["lan-x"])
            for name, (four, six, mac) in OWN.items():
                self.lan.attach(self.hosts[name], "lan")
                self.hosts[name].run_in_network("ip", "link", "set", "lan", "address", mac)
                set_up(self.hosts[name], [(four, "lan"), (f"{six} nodad", "lan")])
                self.stations[name] = Station(self.hosts[name], mac)
        except BaseException:
            self.close()
            raise

    def close(self):
        try:
            for station in self.stations.values():
                station.stop()
        finally:
            end_hosts(self.hosts.values())
            shutil.rmtree(self.folder, ignore_errors=True)

    def __getitem__(self, name) -> Station:
        return self.stations[name]

    @contextlib.contextmanager
    def capture(self, *expression):
        text = self.folder / "capture"
        command = ("tcpdump", "-l", "-nn", "-e", "-vv", "-tt", "-Z", "root", "-i", "lan")
        with text.open("wb") as out:
            dump = self.hosts["client"].popen(*command, *expression, stdout=out, stderr=out)
            try:
                wait_for(lambda: "listening on" in text.read_text(), 10, "tcpdump to listen")
                yield lambda: _lines(text.read_text())
            finally:
                dump.terminate()
                dump.wait(5)

    def client_knows(self, address):
        """The link-layer address that the client has in its cache."""
        out = self["client"].ip("-j", "neigh", "show", "dev", "lan")
        return {n["dst"]: n.get("lladdr") for n in json.loads(out)}.get(address)

    def ping(self, address):
        tool = ("ping", "-6") if ":" in address else ("ping",)
        done = self.hosts["client"].run(*tool, "-c1", "-W2", address, check=False)
        return done.returncode == 0


def _lines(text):
    """One frame a line: what is indented goes on from the line before."""
    frames = []
    for line in text.splitlines():
        if line[:1].isspace() and frames:
            frames[-1] += " " + line.strip()
        elif line[:1].isdigit():
            frames.append(line)
    return frames
