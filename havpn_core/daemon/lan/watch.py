"""Keep the fitness of this gateway: look when the kernel says that something changed, and probe."""

import asyncio
import contextlib
from collections.abc import Callable

from havpn_core.config.instances import Config
from havpn_core.config.lan import LanPlan, plan_of
from havpn_core.daemon.lan.probing import Prober
from havpn_core.daemon.state.status import FitnessStatus, WitnessStatus
from havpn_core.host.lan.kernel import addresses, forwarding, has_carrier
from havpn_core.pair.run import PairRun
from havpn_core.plugging.descriptors import Event
from havpn_core.rules.fitness import Fitness
from havpn_core.rules.fitness.hosts import PROBE_S
from havpn_core.rules.fitness.judge import Facts, Judge
from havpn_core.rules.fitness.partner import PartnerView
from havpn_core.rules.fitness.witnesses import Witnesses

LOOK_S = 1.0
"""From one look at what the kernel may not tell of to the next."""


class LanWatch:
    """The fitness of this gateway, by what a configuration says of its LAN.

    :param clock: monotonic seconds.
    :param emit: takes events.
    :param pair: gives the pair where there is one.
    :param changed: called when :attr:`fitness` or :attr:`hears` is another.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        emit: Callable[[Event], None],
        *,
        pair: Callable[[], PairRun | None],
        changed: Callable[[], None],
    ) -> None:
        self.fitness = Fitness()
        #: enough witnesses reply, which the frames say; ``None`` while that is not known.
        self.hears: bool | None = None
        self.facts = Facts()
        #: whether no other gateway of a cluster is seen, for one without a pair.
        self.unseen: Callable[[], bool] = lambda: False
        self._clock, self._emit, self._pair, self._changed = clock, emit, pair, changed
        self._paired = False
        self._plan: LanPlan | None = None
        self._judge = Judge()
        self._prober: Prober | None = None
        self._due_s = float("-inf")

    def use(self, config: Config) -> None:
        """Watch what a configuration says from now on; what stays the same is not begun again."""
        self._paired, before = config.pair is not None, self._plan
        self._plan = plan = plan_of(config)
        if plan == before:
            return
        self._drop_prober()
        self._judge = Judge()
        if plan.probes:
            listed = [str(address) for address in plan.witnesses]
            witnesses = Witnesses(listed, plan.require, self._clock())
            self._prober = Prober(plan, witnesses, self._clock, self._trouble)
        self.look()

    def look(self) -> None:
        """Look at carriers, forwarding and the own address, at once."""
        plan = self._plan
        if plan is None:
            return
        self.facts = Facts(
            {device: has_carrier(device) for device in plan.devices},
            {family: forwarding(family) for family in plan.families},
            self._has_address(plan),
        )
        self._conclude()

    def close(self) -> None:
        """Stop; may be called twice."""
        self._plan = None
        self._drop_prober()

    def status(self) -> FitnessStatus:
        """Give what the status shows."""
        hosts = self._prober.witnesses.hosts if self._prober else ()
        now_s = self._clock()
        return FitnessStatus(
            fit=self.fitness.fit,
            certain=self.fitness.certain,
            reason=self.fitness.reason,
            carrier=dict(self.facts.carrier),
            forwarding=dict(self.facts.forwarding),
            address=self.facts.address,
            hears=self.hears,
            witnesses={
                host.address: WitnessStatus(
                    age_s=None if host.heard_s is None else round(now_s - host.heard_s, 3),
                    replies=host.live(now_s),
                )
                for host in hosts
            },
        )

    async def run(self) -> None:
        """Probe and look without end; :meth:`use` says what."""
        while True:
            now_s = self._clock()
            if now_s >= self._due_s:
                self._due_s = now_s + LOOK_S
                self.look()
            if self._prober is not None and self._carried and self._prober.ready:
                self._prober.round(self._partner_mac)
                self._conclude()
                await asyncio.sleep(PROBE_S)
            else:
                self._conclude()
                await asyncio.sleep(self._pause_s())

    def _pause_s(self) -> float:
        now_s, wake_s = self._clock(), self._judge.wake_s
        if self._prober is not None:
            return PROBE_S
        return max(0.01, min(self._due_s, self._due_s if wake_s is None else wake_s) - now_s)

    @property
    def _carried(self) -> bool:
        """Whether the device of the witnesses has a carrier: without one nobody is probed."""
        plan = self._plan
        return plan is not None and self.facts.carrier.get(plan.devices[0], False)

    @property
    def _partner_mac(self) -> bytes:
        pair = self._pair()
        message = pair.session.partner if pair is not None else None
        return message.mac if message is not None else b""

    def _partner(self, now_s: float) -> PartnerView | None:
        if not self._paired:
            listed = self._plan is not None and bool(self._plan.witnesses)
            return PartnerView(silent=True) if listed and self.unseen() else None
        pair = self._pair()
        living = pair.session.living(now_s) if pair is not None else None
        if pair is None or living is None:
            return PartnerView(silent=True)
        return PartnerView(False, living.hears_lan, pair.session.heard_s, living.mac)

    def _has_address(self, plan: LanPlan) -> bool | None:
        if plan.address is None:
            return None
        with contextlib.suppress(OSError):
            return plan.address in addresses(plan.devices[0])
        return None

    def _conclude(self) -> None:
        """Judge again, and report and tell what is another."""
        now_s, said, heard = self._clock(), Fitness(), self.hears
        self.hears = None
        if self._prober is not None and self._carried:
            said = self._prober.witnesses.fitness(self._partner(now_s), now_s)
            self.hears = self._prober.witnesses.hears
        before, self.fitness = self.fitness, self._judge.judge(self.facts, said, now_s)
        if self.hears is False and heard is not False:
            self._report("witnesses", "", "lost", "not enough of them reply on the LAN", bad=True)
        if before.unfit != self.fitness.unfit:
            words = ("fit", "unfit") if self.fitness.unfit else ("unfit", "fit")
            self._report("", *words, self.fitness.reason, bad=self.fitness.unfit)
        if (before, heard) != (self.fitness, self.hears):
            self._changed()

    def _report(self, subject: str, before: str, after: str, detail: str, *, bad: bool) -> None:
        severity = "warning" if bad else "info"
        self._emit(Event("fitness", subject, before, after, detail, severity))

    def _trouble(self, text: str) -> None:
        self._report("witnesses", "", "unknown", text, bad=True)

    def _drop_prober(self) -> None:
        if self._prober is not None:
            self._prober.close()
            self._prober = None
