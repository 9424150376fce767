"""Pure: what a gateway of a pair knows of the road; every time is in seconds of its own clock."""

from enum import Enum

import msgspec


class Pace(Enum):
    """How the probes of the road run."""

    NONE = "none"
    FULL = "full"  #: as the path's own
    SLOW = "slow"  #: to see whether the road is back


class Look(msgspec.Struct, frozen=True):
    """What the probes of the road are to do; another look begins with nothing known.

    :param number: of the partner's request that it is for, 1 to 255; 0: it is for ourselves.
    """

    pace: Pace = Pace.NONE
    number: int = 0


NO_LOOK = Look()


class RoadRules(msgspec.Struct, frozen=True):
    """How long everything about the road takes; all times in seconds.

    :param trials_s: how long after the role was left for the road, the first time and each time
        more, a gateway tries it again without a reply; the last one goes for all that follow.
    :param clear_s: how long the road must do well under this gateway until earlier failures are
        forgotten.
    :param open_s: how long a request to the partner stays open, and how long the partner probes
        for it at the most: longer than the slowest profile takes to find a road dead.
    :param retry_s: how long after a reply that the road is dead there, too, the next request
        goes out.
    :param numbers: requests are numbered from 1 to this, and over again; 255 at the most.
    :param prompt: so many times a gateway returns at once for a reply, where its own probes saw
        from standby that the road was down; after more failures it waits then, too.
    :param check_s: how long a standby whose road is not known waits for a first verdict on it
        before it may take the role back.
    :param stuck_s: how long a holder whose road is down has had nobody better to hand over to,
        until the far site hears of it: it may be moving already.
    :param follow_s: how long the far site has to follow a gateway that takes the role back from a
        doubted partner, until a request about its road may go to it: its own probes see no fault.
    """

    trials_s: tuple[float, ...] = (60.0, 120.0, 240.0, 480.0, 900.0)
    clear_s: float = 300.0
    open_s: float = 10.0
    retry_s: float = 1.0
    check_s: float = 10.0
    stuck_s: float = 1.0
    follow_s: float = 10.0
    numbers: int = 255
    prompt: int = 8

    def trial_s(self, failures: int) -> float:
        """Give the pause before the trial after so many failures, 1 or more."""
        return self.trials_s[min(failures, len(self.trials_s)) - 1]

    def least_s(self, failures: int, *, seen: bool) -> float:
        """Give the pause before a reply of the road counts: none at first, then the last trial's.

        A road that does well from standby and fails under the role would move it back and forth.

        :param seen: the road was seen to be down from standby, too, so that its end is one.
        """
        counted = failures - self.prompt if seen else failures - 1
        return self.trial_s(counted) if counted > 0 else 0.0

    @property
    def most(self) -> int:
        """How many failures are counted: more make no difference."""
        return self.prompt + len(self.trials_s)


USUAL = RoadRules()


class RoadState(msgspec.Struct, frozen=True):
    """What is remembered.

    :param requested: number of the last request to the partner, 1 to 255; 0 before the first one.
    :param again_s: when the next request may go out; ``None`` while there is none to make.
    :param reply: the partner's reply to the last request; ``None`` before it came.
    :param silent: the request before the last one had no reply.
    :param off_s: since when this gateway leaves the role, or has left it, for the road.
    :param seen: its probes saw from standby, too, that the road is down.
    :param failures: how often it did so since its road last did well for long.
    :param well_s: since when the road does well under this gateway.
    :param checked: this standby's road was seen since its line last came up.
    :param check_s: since when that is being looked for.
    :param request: number of the partner's request that is probed for; 0 if there is none.
    :param request_s: since when.
    :param stuck_s: since when the road is down under this gateway with nobody better to have the
        role.
    :param looked: it is off the road for a look from standby, not because it left the role.
    :param refuted_s: when the far site blamed the partner last, so that what this standby's
        probes lost, they lost on their way back through the partner.
    """

    requested: int = 0
    again_s: float | None = None
    reply: bool | None = None
    silent: bool = False
    off_s: float | None = None
    seen: bool = False
    failures: int = 0
    well_s: float | None = None
    checked: bool = False
    check_s: float | None = None
    request: int = 0
    request_s: float | None = None
    stuck_s: float | None = None
    looked: bool = False
    refuted_s: float | None = None

    @property
    def off(self) -> bool:
        """Whether this gateway leaves the role, or has left it, for the road."""
        return self.off_s is not None

    @property
    def asks(self) -> int:
        """The number of the open request to the partner; 0 if there is none."""
        return self.requested if self.again_s is not None and self.reply is None else 0


NOTHING = RoadState()
"""What a gateway knows that has just started, or has no probes of the road."""


class RoadView(msgspec.Struct, frozen=True):
    """What follows from a state.

    :param look: what the probes of the road are to do.
    :param stance: what is done about the road, for people; empty while nothing is.
    :param off: this gateway leaves the role, or has left it, for the road.
    :param trial_s: when it tries the role again, in seconds of the clock; ``None`` if it is not
        off the road.
    :param stuck: the far site is to hear that the road is down here and this gateway stays.
    """

    look: Look = NO_LOOK
    stance: str = ""
    off: bool = False
    trial_s: float | None = None
    stuck: bool = False


NO_VIEW = RoadView()


class Here(msgspec.Struct, frozen=True):
    """What this gateway knows of itself.

    :param probes: it has probes of the road.
    :param owner: it has the right to be active.
    :param active: the role is in force; ``None`` while it changes or is not known.
    :param road: the verdict of that ``look``; ``None`` while there is none.
    :param dead: its line is down, which decides before the road does.
    :param forced: an operator wants it to be active.
    :param doubted: the far gateway of its line says that the road is down there and it stays.
    """

    probes: bool = False
    owner: bool = False
    active: bool | None = None
    road: bool | None = None
    look: Look = NO_LOOK
    dead: bool = False
    forced: bool = False
    doubted: bool = False


class There(msgspec.Struct, frozen=True):
    """What the living partner says.

    :param able: it could take the role, as far as is known.
    :param owner: it has the right to be active.
    :param lesser: its priority is lower, so that the role may be claimed from it.
    :param asks: number of its request; 0 if there is none.
    :param road: its verdict on the road in reply to our request with that ``number``.
    :param doubted: it has the role, and its far gateway says that the road is down there.
    """

    able: bool = False
    owner: bool = False
    lesser: bool = True
    asks: int = 0
    road: bool | None = None
    number: int = 0
    doubted: bool = False
