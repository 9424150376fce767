"""Pure: hosts on the LAN as witnesses: while enough of them reply, this gateway is on its LAN.

They are *listed*, or found (*auto*): whoever is heard on the LAN is probed, and is a witness once
it replies. A found witness that no longer replies while others do has gone home and is dropped;
so clients that are switched off one by one make nobody unfit. Only where all are lost within one
window is it this gateway that was lost, or the whole LAN: which of the two, the partner says.
Nobody on the LAN is believed more than another, and with no witness left nothing is known.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from havpn_core.rules.fitness.hosts import PROBE_S, WINDOW_S, Host, independent
from havpn_core.rules.fitness.partner import PartnerView
from havpn_core.rules.fitness.value import Fitness

SETTLE_S = 0.2
"""The partner is believed so long after this gateway lost its witnesses: its own window may begin
one probe later, and its frame must come here."""
LATE_S = 2.5 * PROBE_S
"""This gateway was late itself if it has not looked for longer."""
HEARD_S = 30.0
"""Who was heard on the LAN this lately may be a witness."""
TRIED_S = 1.0
"""Who was heard but does not reply to probes for so long is no witness."""
MOST_FOUND = 4
"""So many found hosts are probed."""
ENOUGH_FOUND = 2
"""So many found witnesses must be lost together to say anything."""


@dataclass(frozen=True, slots=True)
class Target:
    """A host to probe now.

    :param mac: its link-layer address; empty: everybody on the LAN must be sent the probe.
    """

    address: str
    mac: bytes


class Witnesses:
    """What is known of the witnesses.

    :param listed: their addresses; none: they are found.
    :param require: how many of the listed ones must reply.
    """

    def __init__(self, listed: Sequence[str], require: int, now_s: float) -> None:
        self.auto = not listed
        self._require = 1 if self.auto else require
        self._hosts = {address: Host(address, now_s) for address in listed}
        self._heard: dict[str, float] = {}
        self._looked_s = self._begun_s = now_s
        self._back_s = now_s
        #: enough of them reply; ``None`` while that is not known, as with no witness left.
        self.hears: bool | None = None
        #: since when not enough reply; ``None`` while enough do, or nothing is known.
        self.lost_s: float | None = None
        #: two and more, each speaking for itself, were lost within one window.
        self.together = False
        self._said = Fitness()

    @property
    def hosts(self) -> Sequence[Host]:
        """Those that are probed."""
        return [*self._hosts.values()]

    def seen(self, address: str, now_s: float) -> None:
        """Take in that an address was heard on the LAN, or named there by who looks for it."""
        if not self.auto or address in self._hosts:
            return
        self._heard[address] = now_s
        if len(self._heard) > 4 * MOST_FOUND:
            del self._heard[min(self._heard, key=self._heard.__getitem__)]

    def reply(self, address: str, mac: bytes, at_s: float) -> None:
        """Take in the reply to a probe.

        :param mac: who replied for the address, 6 bytes.
        """
        if (host := self._hosts.get(address)) is not None:
            host.hear(mac, at_s)

    def exclude(self, addresses: Collection[str], macs: Collection[bytes]) -> None:
        """Forget this gateway and its partner: what they say does not count."""
        for address in addresses:
            self._heard.pop(address, None)
            if self.auto:
                self._hosts.pop(address, None)
        for host in self._hosts.values():
            host.macs = {mac: at_s for mac, at_s in host.macs.items() if mac not in macs}

    def targets(self, now_s: float) -> list[Target]:
        """Say whom to probe now, and note that they are; to be called every :data:`PROBE_S`.

        A host that replied lately is addressed by name, so that no other one is disturbed.
        """
        due = [host for host in self._hosts.values() if host.due(now_s)]
        return [Target(host.address, host.probe(now_s)) for host in due]

    def look(self, now_s: float) -> None:
        """Take the time in; to be called every :data:`PROBE_S` while the LAN has a carrier."""
        late_s = now_s - self._looked_s
        self._looked_s = now_s
        if late_s > LATE_S:
            self._shift(late_s - PROBE_S)
        if self.auto:
            self._find(now_s)
        live = [host for host in self._hosts.values() if host.live(now_s)]
        if live and self.hears is False:
            self._back(live)
        if self.auto:
            self._drop(live, now_s)
        self._count(independent(live, now_s - WINDOW_S), now_s)

    def _shift(self, by_s: float) -> None:
        """Count the time in which this gateway did not look for nothing."""
        for host in self._hosts.values():
            host.shift(by_s, self._looked_s)
        self._begun_s += by_s
        self._back_s += by_s
        if self.lost_s is not None:
            self.lost_s += by_s

    def _back(self, live: list[Host]) -> None:
        """Give the others time to reply, too, once a first one does."""
        self._back_s = max(host.heard_s or 0.0 for host in live)
        for host in self._hosts.values():
            host.since_s = self._looked_s

    def _find(self, now_s: float) -> None:
        """Probe who was heard lately, the latest first, as long as there is room."""
        late = [a for a, at_s in self._heard.items() if now_s - at_s >= HEARD_S]
        for address in late:
            del self._heard[address]
        room = MOST_FOUND - sum(h.heard_s is None or h.live(now_s) for h in self._hosts.values())
        for address in sorted(self._heard, key=self._heard.__getitem__, reverse=True)[
            : max(room, 0)
        ]:
            del self._heard[address]
            self._hosts[address] = Host(address, now_s)

    def _drop(self, live: list[Host], now_s: float) -> None:
        """Drop who does not reply: never, or no longer while others do."""
        latest_s = max((host.heard_s or 0.0 for host in live), default=None)
        for host in [*self._hosts.values()]:
            if host.heard_s is None:
                gone = now_s - host.since_s >= TRIED_S
            else:
                heard_s = max(host.heard_s, self._back_s)
                gone = latest_s is not None and latest_s - heard_s >= WINDOW_S
            if gone:
                del self._hosts[host.address]

    def _count(self, number: int, now_s: float) -> None:
        """Conclude from the number of hosts that reply and speak for themselves."""
        if number >= self._require:
            self.hears, self.lost_s, self.together = True, None, False
            return
        if self.lost_s is not None:
            self.together = self.together and not number
            return
        together = self._lost_together() >= ENOUGH_FOUND
        if self.auto and not together:
            self.hears = None
            self._forget()
        elif now_s - self._begun_s >= WINDOW_S:
            self.hears, self.lost_s = False, now_s
            self.together = together and not number

    def _forget(self) -> None:
        """Keep only those that have not replied yet: a lone witness that is lost is none."""
        self._hosts = {a: host for a, host in self._hosts.items() if host.heard_s is None}

    def _lost_together(self) -> int:
        """Say how many that speak for themselves were heard last within one window."""
        heard = [host for host in self._hosts.values() if host.heard_s is not None]
        latest_s = max((host.heard_s or 0.0 for host in heard), default=0.0)
        return independent(heard, latest_s - WINDOW_S)

    # --- what follows ----------------------------------------------------------------------------

    def fitness(self, partner: PartnerView | None, now_s: float) -> Fitness:
        """Say what follows from them for this gateway.

        Before the partner can know, what was said last goes on.

        :param partner: ``None`` if this gateway has no pair.
        """
        if self.lost_s is None:
            self._said = Fitness(self.hears)
        elif now_s >= self.lost_s + SETTLE_S and self._known(partner):
            self._said = self._lost(partner)
        return self._said

    def _known(self, partner: PartnerView | None) -> bool:
        """Whether the partner's word is newer than the loss."""
        if partner is None or partner.silent:
            return True
        assert self.lost_s is not None
        return partner.heard_s is not None and partner.heard_s >= self.lost_s + SETTLE_S

    def _lost(self, partner: PartnerView | None) -> Fitness:
        many = "no witness" if self.auto else f"fewer than {self._require} witnesses"
        if partner is None:
            # Nobody else can say whether it is this gateway; only what is listed counts then.
            return Fitness() if self.auto else Fitness(False, reason=f"{many} on the LAN reply")
        if partner.silent:
            reason = f"{many} on the LAN reply, and the partner is silent"
            return Fitness(False, certain=self.together, reason=reason)
        if partner.hears:
            return Fitness(False, reason=f"{many} on the LAN reply here, enough to the partner")
        if partner.hears is None and not self.auto:
            return Fitness(False, reason=f"{many} on the LAN reply, and the partner has none")
        return Fitness()
