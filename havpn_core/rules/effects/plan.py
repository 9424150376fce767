"""What is known of each action, the role that all should show, and the effects under way.

Pure: values only. Actions that own what they hold have a lane of their own: the address never
waits for what all others do, nor for what they fail to do. Where no action owns anything there
is one lane.
"""

from dataclasses import dataclass
from enum import Enum

from havpn_core.rules.role import Role


class Lane(Enum):
    """Who takes turns with whom."""

    OWNERS = "owners"  #: the actions that own what they hold
    OTHERS = "others"  #: those that own nothing


class Phase(Enum):
    """Where one action stands."""

    SETTLED = "settled"  #: shows the wanted role, or nothing is wanted of it yet
    PENDING = "pending"  #: waits for its turn
    APPLYING = "applying"
    RETRYING = "retrying"  #: failed, waits before the next try
    OVERRIDDEN = "overridden"  #: somebody changed the role behind our back; not fought


@dataclass(frozen=True, slots=True)
class ActionState:
    """What is known of one action.

    :param owns: a role changed by others is put right at once.
    :param begun: a role was carried out in this run. What an owner holds from before must be
        applied once more, as it has announcing and watching to do with it.
    :param observed: the role last seen, or ``None`` if it is not known.
    :param done: the role last carried out with success.
    :param proved: the role in ``done`` has been observed since.
    :param failures: failures in a row.
    :param retry_s: when it may be tried again.
    :param foreign: the role that somebody else gave it, while that is respected.
    """

    name: str
    owns: bool = False
    observed: Role | None = None
    done: Role | None = None
    proved: bool = False
    failures: int = 0
    retry_s: float = 0.0
    error: str = ""
    foreign: Role | None = None
    begun: bool = False

    @property
    def lane(self) -> Lane:
        """With whom it takes turns."""
        return Lane.OWNERS if self.owns else Lane.OTHERS

    @property
    def shown(self) -> Role | None:
        """The role that it shows; a report of success alone is no proof that an owner has it."""
        return self.observed if self.owns else self.observed or self.done

    def agrees(self, wanted: Role) -> bool:
        """Whether nothing needs to be done for ``wanted``."""
        applied = self.done if self.begun else None
        if self.owns and (applied is wanted.other or (applied is None and wanted is Role.ACTIVE)):
            return False
        if self.observed is not None:
            return self.observed is wanted
        return self.done is wanted


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to do: bring one action into a role."""

    action: str
    role: Role
    lane: Lane = Lane.OTHERS


@dataclass(frozen=True, slots=True)
class Plan:
    """All actions of this gateway, the role that they should show, the effects under way.

    :param wanted: ``None`` as long as nothing may be done, as before the first verdict.
    :param running: at most one a lane.
    :param owner_since_s: when the last effect of an owner began.
    :param prepared: what comes before the owners' change to the wanted role is behind us.
    """

    actions: tuple[ActionState, ...] = ()
    wanted: Role | None = None
    running: tuple[Effect, ...] = ()
    owner_since_s: float = 0.0
    prepared: bool = False

    def get(self, name: str) -> ActionState:
        """Give the state of one action."""
        return next(action for action in self.actions if action.name == name)

    @property
    def owners(self) -> tuple[ActionState, ...]:
        """The actions that alone own what they hold."""
        return tuple(action for action in self.actions if action.owns)

    @property
    def deciding(self) -> tuple[ActionState, ...]:
        """The actions that say which role is in force: the owners; all where none owns."""
        return self.owners or self.actions

    def changing(self, name: str) -> bool:
        """Whether an effect of this action is under way."""
        lane = self.get(name).lane
        return any((effect.action, effect.lane) == (name, lane) for effect in self.running)

    def busy(self, lane: Lane) -> bool:
        """Whether an effect is under way that this lane waits for.

        Without owners there is one lane, also for what owners began before they went.
        """
        return any(effect.lane is lane or not self.owners for effect in self.running)

    def phase(self, name: str, now_s: float) -> Phase:
        """Give the word for where one action stands."""
        action = self.get(name)
        if self.changing(name):
            return Phase.APPLYING
        if action.foreign is not None:
            return Phase.OVERRIDDEN
        if self.wanted is None or action.agrees(self.wanted):
            return Phase.SETTLED
        return Phase.RETRYING if action.retry_s > now_s else Phase.PENDING

    def trouble(self, name: str, now_s: float) -> str:
        """Say why an action failed last; empty once that is over, whatever ended it."""
        over = self.phase(name, now_s) in (Phase.SETTLED, Phase.OVERRIDDEN)
        return "" if over else self.get(name).error

    @property
    def observed(self) -> Role | None:
        """The role in force, as far as all that decide it agree."""
        roles = {action.shown for action in self.deciding}
        return roles.pop() if len(roles) == 1 else None

    @property
    def held(self) -> Role | None:
        """The role in force, ``None`` while it is being changed or is not known."""
        return None if self.busy(Lane.OWNERS) else self.observed
