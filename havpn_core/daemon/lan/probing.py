"""Probe the witnesses on the LAN, and hear who else may be one."""

from collections.abc import Callable, Iterable
from ipaddress import ip_address

from havpn_core.config.lan import Address, LanPlan
from havpn_core.host.disk.trouble import why
from havpn_core.host.lan.frames import NeighbourFrame
from havpn_core.host.lan.kernel import addresses, neighbours
from havpn_core.host.lan.neighbours import Neighbours, own_source
from havpn_core.rules.fitness.witnesses import HEARD_S, Witnesses

LOOK_AGAIN_S = 5.0
"""From one look at the addresses and neighbours of the device to the next."""
TRY_AGAIN_S = 1.0
"""From one try to open the sockets to the next."""


class Prober:
    """Sends the probes of the witnesses and takes their replies in.

    :param trouble: called with a sentence when hosts cannot be probed, once until it ends.
    """

    def __init__(
        self,
        plan: LanPlan,
        witnesses: Witnesses,
        clock: Callable[[], float],
        trouble: Callable[[str], None],
    ) -> None:
        self._plan, self.witnesses = plan, witnesses
        self._clock, self._trouble = clock, trouble
        self._device = plan.devices[0]
        families = {f"IPv{each.version}" for each in plan.witnesses} or set(plan.families)
        self._families = sorted(families or {"IPv4"})
        self._neighbours = Neighbours(self._device, self._hear)
        self._own: list[Address] = []
        self._sources: dict[int, Address | None] = {}
        self._looked_s = self._tried_s = float("-inf")
        self._told = False

    @property
    def ready(self) -> bool:
        """Whether probes can be sent; opens the sockets where they are not yet."""
        if self._neighbours.is_open:
            return True
        now_s = self._clock()
        if now_s < self._tried_s + TRY_AGAIN_S:
            return False
        self._tried_s = now_s
        try:
            self._neighbours.open(self._families)
        except OSError as problem:
            self._tell(problem)
            return False
        self._told = False
        return True

    def round(self, partner_mac: bytes) -> None:
        """Probe whom it is time to probe.

        :param partner_mac: the partner's link-layer address, who is no witness; may be empty.
        """
        now_s = self._clock()
        if now_s >= self._looked_s + LOOK_AGAIN_S:
            self.look_again()
        excluded = [str(each) for each in (*self._own, *self._plan.shared)]
        macs = filter(None, (partner_mac, self._neighbours.mac))
        self.witnesses.exclude(excluded, [*macs])
        self.witnesses.look(now_s)
        for target in self.witnesses.targets(now_s):
            address = ip_address(target.address)
            self._neighbours.probe(address, target.mac, self._sources.get(address.version))

    def look_again(self) -> None:
        """Look at this gateway's own addresses, and at the neighbours that the kernel knows."""
        self._looked_s = self._clock()
        try:
            self._own = addresses(self._device)
            for version in (4, 6):
                some = ip_address("0.0.0.0" if version == 4 else "::")
                self._sources[version] = own_source(self._own, some, self._plan.shared)
            if self._plan.auto:
                self._find(n.address for n in neighbours(self._device) if n.confirmed_s < HEARD_S)
        except OSError as problem:
            self._tell(problem)

    def close(self) -> None:
        """Close the sockets; may be called twice."""
        self._neighbours.close()

    def _hear(self, heard: NeighbourFrame, age_s: float) -> None:
        if heard.replies and heard.address is not None:
            self.witnesses.reply(str(heard.address), heard.mac, self._clock() - age_s)
        # Whom somebody looks for may be there: so one that hears little learns of hosts.
        self._find(each for each in (heard.address, heard.wanted) if each is not None)

    def _find(self, found: Iterable[Address]) -> None:
        if not self._plan.auto:
            return
        for address in found:
            kind = f"IPv{address.version}"
            if kind in self._families and address not in self._own:
                self.witnesses.seen(str(address), self._clock())

    def _tell(self, problem: OSError) -> None:
        if not self._told:
            self._told = True
            self._trouble(
                f"the witnesses on device {self._device} cannot be probed: {why(problem)}; nothing "
                "is known of them: run the daemon with CAP_NET_RAW, or leave lan.witnesses out"
                if isinstance(problem, PermissionError)
                else f"the witnesses on device {self._device} cannot be probed now: {why(problem)}"
            )
