"""What the instances that a type builds must do, and what they may be able to do besides.

Whether a method is ``async def`` or plain ``def`` is up to its author: the first runs on the event
loop, where calls may overlap, the second in a daemon thread of its own, one at a time. The methods
of an *ability* are plain and quick, but for those in :data:`WAITED_FOR`, for they are called on the
loop. An instance has an ability if it has its methods; :func:`able` says so. Those of actions that
speak to a cluster manager are in :mod:`~havpn_core.plugging.clusters`.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from havpn_core.plugging.clusters import Advising, PartnerSeeing, Ranking
from havpn_core.plugging.descriptors import Event, Retry, Sample
from havpn_core.plugging.diagnosis import Diagnosing
from havpn_core.plugging.losing import FarLeaving, FarStanding, LossCounting
from havpn_core.rules.role import Role


class Probe(Protocol):
    """Sends one probe at a time. What else it may be able to do is said below."""

    def check(self, timeout_s: float) -> Sample | Awaitable[Sample]:
        """Probe once, and give the result within ``timeout_s`` seconds.

        A reply that does not come, a refusal, a missing interface is ``FAIL``; only what made the
        probe impossible (no permission, no address known) is ``ERROR``. A raised exception counts
        as ``ERROR``.
        """

    def close(self) -> Awaitable[None] | None:
        """Let go of everything; may be called twice."""


class Action(Protocol):
    """Carries a role out. It may be :class:`Reporting` and own a :class:`SharedAddress`."""

    def apply(self, role: Role, timeout_s: float) -> Awaitable[None] | None:
        """Bring this gateway into ``role``; doing it twice does it once.

        :raises ActionError: if it did not succeed; it will be called again.
        """

    def observe(self) -> Role | Awaitable[Role | None] | None:
        """Look which role is in force, changing nothing; ``None`` if that is not known."""

    def close(self) -> Awaitable[None] | None:
        """Let go of everything but the role; may be called twice."""


class Notifier(Protocol):
    """Delivers events to somebody. It may be :class:`Gathering`."""

    def notify(self, event: Event, timeout_s: float) -> Awaitable[Retry | None] | Retry | None:
        """Deliver one event.

        :returns: ``None`` when it is delivered; :class:`~havpn_core.Retry` to be called with it
            again later, where the type has ``retry_s``.

        An exception is counted and logged, and the event is not repeated.
        """

    def close(self) -> Awaitable[None] | None:
        """Let go of everything; may be called twice."""


class Gathering(Protocol):
    """A notifier that delivers all events of a burst at once, as in one mail.

    Where its type has ``gather_s``, it gets the events of so many seconds in one call, and those
    that wait because an earlier call was in vain. ``notify`` is still called by those who have one
    event alone.
    """

    def notify_all(
        self, events: Sequence[Event], timeout_s: float
    ) -> Awaitable[Retry | None] | Retry | None:
        """Deliver 1 to 256 events, oldest first; results as of :meth:`Notifier.notify`."""


class Link(Protocol):
    """Carries the partner heartbeat of a pair. It may be :class:`Reporting`.

    Frames that arrive go to ``context.received(frame)``, from any thread.
    """

    def send(self, frame: bytes) -> None:
        """Send one frame, without waiting and without raising; it is called on the loop."""

    def close(self) -> None:
        """Let go of everything; may be called twice."""


# --- abilities -------------------------------------------------------------------------------
class Renewable(Protocol):
    """A probe that can make its next probe take another way."""

    def renew(self) -> None:
        """Leave another way from now on, such as by another source port.

        Called before a probe that confirms a failure, so that one dead member of an aggregated
        line does not speak for all.
        """


class Refusing(Protocol):
    """A probe that knows its target to refuse, beyond the samples that are refused.

    Hosts limit how many refusals they send, so most of what is sent to one meets silence.
    """

    def refusing(self) -> bool:
        """Whether the target has refused lately and not replied, or only just replied, since.

        While it is true, silence counts as a refusal. Within a few seconds without a refusal, and
        within one after a reply, it must become false by itself: then silence is a failure again.
        """


class Explaining(Protocol):
    """A probe that knows more of a failure than the samples that have ended say.

    A path may be down before the first of the lost probes has reached its timeout.
    """

    def explanation(self) -> str | None:
        """Give a few words on why probes are lost now; ``None`` if nothing is known."""


class Noticing(Protocol):
    """A probe whose target says how its gateway stands.

    What it says is taken for an explanation, never for a verdict.
    """

    def noticed(self) -> str | None:
        """Give what the target said recently, and has not taken back by a reply.

        :returns: ``away``: it falls silent because its gateway is not to be used, so that a path
            that is down soon after has not failed; ``standby``: it replies, and its gateway stands
            by; ``no road``: it replies, and its gateway serves, though it reaches no host behind
            this one; ``None``: none of these.
        """


class Arriving(Protocol):
    """A probe to which the far end sends by itself: it reports arrivals, and their absence.

    Where its type gives ``arrival_s``, a path does not poll it: what is late is for the probe to
    know, and own lateness for it to leave out. ``check`` gives at once what is known, for those who
    have nobody to report to. Otherwise it is polled, and a ``FAIL`` that it reports has the path
    look at once.
    """

    def tell_arrivals(self, tell: Callable[[Sample, int], None]) -> None:
        """Call ``tell(sample, lost)`` whenever a sample is known, from now on, from any thread.

        An arrival is ``OK``, one that is late ``FAIL`` at the moment at which it is: so many in a
        row as the path's ``fall`` put it down. While nothing arrived since the start it is
        ``ERROR``. ``lost`` (0 if left out) counts those before an arrival that never came and were
        not reported. Without a report for the path's ``stale`` nothing is known of what the probe
        watches. A later call of this method replaces an earlier one.
        """


class Reporting(Protocol):
    """A probe, action or link that has more to say for the status."""

    def facts(self) -> dict[str, Any]:
        """Give what the status shows beside what the core knows: values that JSON has."""


class AddressProbing(Protocol):
    """An action that can find out who on the LAN has its addresses (RFC 5227's probe).

    In a pair the addresses are taken from a silent partner only after that.
    """

    def answered_by(self, timeout_s: float) -> Awaitable[str | None] | str | None:
        """Probe for the addresses, while this gateway has none of them.

        :returns: who replies first, for people; ``None`` if nobody does in ``timeout_s`` seconds.
        :raises ActionError: if no probe can be sent.
        """


class Announcing(Protocol):
    """An action that can announce the addresses that it holds (gratuitous ARP)."""

    def announce(self) -> None:
        """Announce the held addresses once more."""


class ConflictReporting(Protocol):
    """An action that notices who else claims an address that it holds."""

    def tell_conflicts(self, tell: Callable[[str], None]) -> None:
        """Call ``tell`` with whoever claims a held address, from now on and from any thread."""


class LanPresence(Protocol):
    """An action that is at home on the LAN of the addresses that it owns.

    A pair uses it to find out all owners of an address, and to talk to its partner there while
    every link is silent.
    """

    def lan_address(self) -> str | None:
        """Give this gateway's link-layer address on the LAN; ``None`` without a carrier."""

    def owners_seen(self, timeout_s: float) -> Awaitable[Sequence[str]] | Sequence[str]:
        """Probe for the addresses (RFC 5227), while this gateway has none of them.

        :returns: the link-layer addresses of all that reply in ``timeout_s`` seconds, in the form
            ``02:00:00:00:00:01``; none if nobody does.
        :raises ActionError: if no probe can be sent, as without a carrier.
        """

    def broadcast(self, frame: bytes) -> None:
        """Send a pair's frame to everybody on the LAN, without waiting and without raising."""

    def tell_broadcasts(self, tell: Callable[[str, bytes], None]) -> None:
        """Call ``tell`` with sender and frame of each such frame that arrives, on the loop."""


class Prepares(Protocol):
    """An action that has something to do before the addresses come, within 0.1 s.

    All other actions that own nothing take a role beside those that own the addresses, and delay
    none of them.
    """

    def prepare(self, role: Role, timeout_s: float) -> Awaitable[None] | None:
        """Prepare for ``role``; what is not done in ``timeout_s`` seconds (at most 0.1) is not
        waited for.

        :raises ActionError: if it did not succeed; that is reported, and the addresses come.
        """


class SharedAddress(Action, AddressProbing, Announcing, ConflictReporting, Protocol):
    """All that an action of a type that ``owns`` its addresses should be able to do.

    A pair uses it so that two gateways that do not hear each other never both have an address.
    """

    yields: bool  #: whether an address that somebody replies for is left to him


ABILITIES: dict[type, tuple[str, ...]] = {
    Renewable: ("renew",),
    Refusing: ("refusing",),
    Explaining: ("explanation",),
    Noticing: ("noticed",),
    Arriving: ("tell_arrivals",),
    LossCounting: ("line_loss",),
    FarLeaving: ("far_left",),
    FarStanding: ("far_stance",),
    Reporting: ("facts",),
    AddressProbing: ("answered_by",),
    Announcing: ("announce",),
    ConflictReporting: ("tell_conflicts",),
    LanPresence: ("lan_address", "owners_seen", "broadcast", "tell_broadcasts"),
    Prepares: ("prepare",),
    Gathering: ("notify_all",),
    PartnerSeeing: ("partner_serves", "turn"),
    Advising: ("advises",),
    Ranking: ("rank",),
    Diagnosing: ("diagnose",),
    SharedAddress: ("apply", "observe", "close", "answered_by", "announce", "tell_conflicts"),
}
"""The methods of each ability."""
WAITED_FOR = frozenset(
    {"apply", "observe", "close", "answered_by", "owners_seen", "prepare", "partner_serves"}
    | {"rank", "diagnose", "notify_all"}
)
"""Methods that may take their time, and so may be ``async def``."""


def able(instance: Any, ability: type) -> bool:
    """Whether an instance has an ability, as far as that can be seen without calling it.

    Never raises, whatever reading an attribute of the instance does.

    :param ability: one of :data:`ABILITIES`.
    """
    return all(_has(instance, name) for name in ABILITIES[ability])


def _has(instance: Any, name: str) -> bool:
    try:
        method = getattr(instance, name, None)
        return callable(method) and (name in WAITED_FOR or not inspect.iscoroutinefunction(method))
    except BaseException:
        return False
