"""``exec``: one command for each role, and one to look which is in force."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from havpn_core import ActionError, ActionType, Context, Role, hookimpl

from .._commands import Argv, missing_commands
from ._attempts import attempt, carry_out

OBSERVE_S = 10.0


class ExecOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``exec``.

    What is in force is printed, not an exit status: a script that breaks ends with 1 or 2 by
    itself, and that must never be taken for a role.
    """

    active: Annotated[
        Argv,
        msgspec.Meta(description="takes the shared address; status 0 means done; may run twice"),
    ]
    standby: Annotated[
        Argv, msgspec.Meta(description="gives the address up; status 0 means done; may run twice")
    ]
    observe: Annotated[
        Argv | None,
        msgspec.Meta(
            description="changes nothing, prints active or standby and ends with status 0; "
            "anything else means that it is not known"
        ),
    ] = None


class Exec:
    """An action of two commands."""

    def __init__(self, options: ExecOptions, context: Context) -> None:
        self._options = options
        self._context = context

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Run the role's command; see :class:`havpn_core.Action`.

        :raises ActionError: if it cannot be started, fails or overruns ``timeout_s`` seconds.
        """
        argv = self._options.active if role is Role.ACTIVE else self._options.standby
        environment = self._environment(role.value, timeout_s)
        await carry_out(argv, timeout_s, environment, private=argv[1:])

    async def observe(self) -> Role | None:
        """Run the command that looks."""
        if self._options.observe is None:
            return None
        try:
            environment = self._environment("", OBSERVE_S)
            ended = await attempt(self._options.observe, OBSERVE_S, environment)
        except ActionError as problem:
            self._context.logger.warning("%s: %s", self._context.instance, problem)
            return None
        word = ended.output.strip()
        return Role(word) if ended.status == 0 and word in ("active", "standby") else None

    def close(self) -> None:
        """Do nothing; the role stays."""

    def _environment(self, role: str, timeout_s: float) -> dict[str, str]:
        return {
            "HAVPN_INSTANCE": self._context.instance,
            "HAVPN_NODE": self._context.node,
            "HAVPN_ROLE": role,
            "HAVPN_TIMEOUT": f"{timeout_s:g}",
        }


@hookimpl
def havpn_register_actions() -> Iterable[ActionType]:
    """Give the type."""
    yield ActionType(
        "exec",
        "A command for each role",
        ExecOptions,
        Exec,
        missing=lambda options: missing_commands(options.active, options.standby, options.observe),
    )
