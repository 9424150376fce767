"""``pacemaker``: report to the local Pacemaker which role this gateway is fit for.

Three modes. ``attribute`` writes a transient node attribute that a location rule reads; it is the
one to choose, as only the attribute changes and the rule says what happens to it. Beside it, under
its name with ``-score``, it writes how good the line is, for a rule with ``score-attribute``.
``standby`` puts the node into standby until its next boot, the translation of a heartbeat that is
stopped. ``health`` writes ``#health-havpn`` for a cluster with a ``node-health-strategy``.
"""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import msgspec

from havpn_core import (
    ActionError,
    ActionType,
    Context,
    Diagnosis,
    Finished,
    Role,
    hookimpl,
    program_of,
)

from .._commands import missing_commands
from ._attempts import attempt, failure
from ._pacemaker_partner import nodes_of, turn_of, values_of

LOOK_S = 10.0
UPDATER, STANDBY = "attrd_updater", "crm_standby"
NAME, MONITOR = ("crm_node", "-n"), ("crm_mon", "-1", "--output-as=xml")
NO_CLUSTER = 102
"""Pacemaker's CRM_EX_DISCONNECT: the daemon to be queried is not there."""
HEALTH = "#health-havpn"
SCORE = "-score"
"""What the name of the attribute with the score has besides."""
_VALUE = re.compile(r'\bvalue="([^"]*)"')


class PacemakerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``pacemaker``.

    :raises ValueError: if they contradict each other, naming the option.
    """

    mode: Annotated[
        Literal["attribute", "standby", "health"],
        msgspec.Meta(
            description="attribute: a node attribute for a location rule; standby: the node's "
            "standby until its next boot; health: #health-havpn for a node-health-strategy"
        ),
    ] = "attribute"
    attribute: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[A-Za-z0-9_.#-]+$",
            description="name of the node attribute in mode attribute; the agent ocf:havpn:link "
            "writes havpn-PATH",
        ),
    ] = "havpn"
    up_value: Annotated[int, msgspec.Meta(description="its value while active")] = 1
    down_value: Annotated[int, msgspec.Meta(description="its value while standby")] = 0
    dampen: Annotated[
        int,
        msgspec.Meta(
            ge=0, description="seconds the cluster waits for further changes before it acts"
        ),
    ] = 0
    preferred: Annotated[
        str,
        msgspec.Meta(
            description="name of the node that gives up first where all of them are unfit, the "
            "same on all nodes: the one that has the address while all is well; by default the "
            "first by name"
        ),
    ] = ""

    def __post_init__(self) -> None:
        if self.up_value == self.down_value:
            raise ValueError("up_value and down_value: write two values that differ")


class Node:
    """This node of the cluster, and what is known of the others (``PartnerSeeing``)."""

    def __init__(self, context: Context, preferred: str) -> None:
        self._context, self._preferred = context, preferred
        self._own = ""
        self._turn: int | None = None

    async def partner_serves(self, timeout_s: float) -> bool | None:
        """Look whether another node serves; see ``havpn_core.PartnerSeeing``."""
        self._turn = None
        deadline = self._context.clock() + timeout_s
        if not self._own:
            self._own = await self._ask(NAME, timeout_s) or ""
        left = deadline - self._context.clock()
        said = await self._ask(self._others(), left) if self._own and left > 0 else None
        nodes = self._serving(said) if said is not None else {}
        if not nodes:
            return None
        others = [name for name, serves in nodes.items() if serves and name != self._own]
        self._turn = turn_of(self._own, others, self._preferred)
        return bool(others)

    def turn(self) -> int | None:
        """Give how many nodes that serve go before this one, by the latest look."""
        return self._turn

    async def diagnose(self, timeout_s: float, running: bool) -> list[Diagnosis]:
        """Query Pacemaker for this node's name; see ``havpn_core.Diagnosing``."""
        own = await self._ask(NAME, timeout_s)
        if own:
            return [Diagnosis.good(f"Pacemaker runs, and this node is {own}")]
        remedy = "start it (systemctl start pacemaker), and see crm_mon -1"
        return [Diagnosis.failed("Pacemaker does not run on this node, or does not reply", remedy)]

    async def _ask(self, argv: tuple[str, ...], timeout_s: float) -> str | None:
        try:
            ended = await attempt(argv, timeout_s)
        except ActionError as problem:
            self._context.logger.debug("%s: %s", self._context.instance, problem)
            return None
        return ended.output.strip() if ended.status == 0 else None

    def _others(self) -> tuple[str, ...]:
        """Give the command whose output :meth:`_serving` reads."""
        raise NotImplementedError

    def _serving(self, text: str) -> dict[str, bool]:
        """Give of each node whether it serves."""
        raise NotImplementedError


class Attribute(Node):
    """A transient node attribute."""

    def __init__(
        self,
        context: Context,
        name: str,
        words: dict[Role, str],
        dampen: int,
        preferred: str = "",
    ) -> None:
        super().__init__(context, preferred)
        self._name, self._words, self._dampen = name, words, dampen

    def _others(self) -> tuple[str, ...]:
        return (UPDATER, "-n", self._name, "-Q", "-A")

    def _serving(self, text: str) -> dict[str, bool]:
        up = self._words[Role.ACTIVE]
        return {name: value == up for name, value in values_of(text).items()}

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Write the attribute; see :class:`havpn_core.Action`.

        With ``-B``, such as ``-U`` ignores the dampening in Pacemaker 2.1.5 and 2.1.6.

        :raises ActionError: if the cluster did not take it.
        """
        await self._write(self._name, self._words[role], timeout_s)

    async def _write(self, name: str, value: str, timeout_s: float) -> None:
        argv = (UPDATER, "-n", name, "-B", value, "-d", str(self._dampen))
        _must_succeed(argv, await attempt(argv, timeout_s))

    async def observe(self) -> Role | None:
        """Query the attribute; not set is neither role, so that it is written."""
        if not self._own:
            self._own = await self._ask(NAME, LOOK_S) or ""
        return await _query(self._context, (UPDATER, "-n", self._name, "-Q"), self._read)

    def _read(self, text: str) -> Role | None:
        # Pacemaker 2.1.5 shows every node that has the attribute, in any order.
        values = values_of(text)
        shown = _VALUE.search(text)
        value: str | None = values.get(self._own)
        if shown and (not values or (not self._own and len(values) == 1)):
            value = shown[1]
        return next((role for role, word in self._words.items() if word == value), None)

    def advises(self) -> bool:
        """Say that the cluster's rules decide what happens to it; see ``havpn_core.Advising``."""
        return True

    def close(self) -> None:
        """Do nothing; the attribute stays."""


class Scored(Attribute):
    """A transient node attribute, and beside it one that ranks the lines of the nodes."""

    def __init__(
        self, context: Context, name: str, words: dict[Role, str], dampen: int, preferred: str
    ) -> None:
        super().__init__(context, name, words, dampen, preferred)
        self._score: int | None = None

    async def rank(self, score: int, timeout_s: float) -> None:
        """Write the score beside the attribute; see ``havpn_core.Ranking``.

        :raises ActionError: if the cluster did not take it.
        """
        await self._write(self._name + SCORE, str(score), timeout_s)
        self._score = score

    def facts(self) -> dict[str, int | None]:
        """Give the score that was written last."""
        return {"score": self._score}


class Standby(Node):
    """The node's own standby, until it boots again."""

    def _others(self) -> tuple[str, ...]:
        return MONITOR

    def _serving(self, text: str) -> dict[str, bool]:
        return nodes_of(text)

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Put the node into standby or take it out; see :class:`havpn_core.Action`.

        :raises ActionError: if the cluster did not take it.
        """
        word = "on" if role is Role.STANDBY else "off"
        argv = (STANDBY, "-l", "reboot", "-v", word)
        _must_succeed(argv, await attempt(argv, timeout_s))

    async def observe(self) -> Role | None:
        """Query whether the node is in standby."""
        words = {"on": Role.STANDBY, "true": Role.STANDBY, "off": Role.ACTIVE, "false": Role.ACTIVE}
        argv = (STANDBY, "-l", "reboot", "-G", "-q", "-d", "off")
        return await _query(self._context, argv, lambda text: words.get(text.strip()))

    def close(self) -> None:
        """Do nothing; the standby stays."""


def build(options: PacemakerOptions, context: Context) -> Attribute | Standby:
    """Make the action for the mode."""
    if options.mode == "standby":
        return Standby(context, options.preferred)
    dampen, preferred = options.dampen, options.preferred
    if options.mode == "health":
        words = {Role.ACTIVE: "green", Role.STANDBY: "red"}
        return Attribute(context, HEALTH, words, dampen, preferred)
    words = {Role.ACTIVE: str(options.up_value), Role.STANDBY: str(options.down_value)}
    return Scored(context, options.attribute, words, dampen, preferred)


def _must_succeed(argv: tuple[str, ...], ended: Finished) -> None:
    if ended.status == NO_CLUSTER:
        raise ActionError("Pacemaker does not run on this node: start it, or remove this action")
    if ended.status != 0:
        raise ActionError(failure(program_of(argv), ended))


async def _query(
    context: Context, argv: tuple[str, ...], read: Callable[[str], Role | None]
) -> Role | None:
    try:
        ended = await attempt(argv, LOOK_S)
    except ActionError as problem:
        context.logger.warning("%s: %s", context.instance, problem)
        return None
    return read(ended.output) if ended.status == 0 else None


def missing(options: PacemakerOptions) -> list[str]:
    """Say which of Pacemaker's commands is not there."""
    return missing_commands((STANDBY if options.mode == "standby" else UPDATER,))


@hookimpl
def havpn_register_actions() -> Iterable[ActionType]:
    """Give the type."""
    yield ActionType(
        "pacemaker",
        "A node attribute, standby or health of the local Pacemaker node",
        PacemakerOptions,
        build,
        missing=missing,
    )
