"""``pacemaker``: report to the local Pacemaker which role this gateway is fit for.

Three modes. ``attribute`` writes a transient node attribute that a location rule reads; it is the
one to choose, as only the attribute changes and the rule says what becomes of it. ``standby``
puts the node into standby until its next boot, the translation of a heartbeat that is stopped.
``health`` writes ``#health-havpn`` for a cluster with a ``node-health-strategy``.
"""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import msgspec

from havpn_core import ActionError, ActionType, Context, Finished, Role, hookimpl, program_of

from .._commands import missing_commands
from ._attempts import attempt, failure

LOOK_S = 10.0
UPDATER, STANDBY = "attrd_updater", "crm_standby"
NO_CLUSTER = 102
"""Pacemaker's CRM_EX_DISCONNECT: the daemon to be queried is not there."""
HEALTH = "#health-havpn"
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

    def __post_init__(self) -> None:
        if self.up_value == self.down_value:
            raise ValueError("up_value and down_value: write two values that differ")


class Attribute:
    """A transient node attribute."""

    def __init__(self, context: Context, name: str, words: dict[Role, str], dampen: int) -> None:
        self._context, self._name, self._words, self._dampen = context, name, words, dampen

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Write the attribute; see :class:`havpn_core.Action`.

        With ``-B``, as ``-U`` ignores the dampening in Pacemaker 2.1.5 and 2.1.6.

        :raises ActionError: if the cluster did not take it.
        """
        value = self._words[role]
        argv = (UPDATER, "-n", self._name, "-B", value, "-d", str(self._dampen))
        _must_succeed(argv, await attempt(argv, timeout_s))

    async def observe(self) -> Role | None:
        """Query the attribute; not set is neither role, so that it is written."""
        return await _query(self._context, (UPDATER, "-n", self._name, "-Q"), self._read)

    def _read(self, text: str) -> Role | None:
        found = _VALUE.search(text)
        roles = {value: role for role, value in self._words.items()}
        return roles.get(found[1]) if found else None

    def close(self) -> None:
        """Do nothing; the attribute stays."""


class Standby:
    """The node's own standby, until it boots again."""

    def __init__(self, context: Context) -> None:
        self._context = context

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
        return Standby(context)
    if options.mode == "health":
        return Attribute(
            context, HEALTH, {Role.ACTIVE: "green", Role.STANDBY: "red"}, options.dampen
        )
    words = {Role.ACTIVE: str(options.up_value), Role.STANDBY: str(options.down_value)}
    return Attribute(context, options.attribute, words, options.dampen)


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
