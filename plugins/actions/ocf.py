"""``ocf``: start and stop a resource agent of the OCF standard, without a cluster manager.

Active is a started resource, standby a stopped one. The agent is called as the OCF Resource Agent
API 1.1 says: one argument, parameters as ``OCF_RESKEY_NAME``, the deadline in milliseconds as
``OCF_RESKEY_CRM_meta_timeout``; what it prints behind ``ocf-exit-reason:`` is the error.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from havpn_core import ActionError, ActionType, Context, Finished, Role, hookimpl

from ._attempts import attempt

LOOK_S = 10.0
REASON = "ocf-exit-reason:"
RUNNING = {0, 8, 190, 191}
"""Running, running promoted, and both of them degraded."""
STOPPED = 7
MEANING = {
    1: "generic error",
    2: "invalid argument",
    3: "action not implemented",
    4: "insufficient privileges",
    5: "something it needs is not installed",
    6: "its parameters are wrong",
    7: "not running",
    8: "running promoted",
    9: "failed while promoted",
}
_AGENT = re.compile(r"^ocf:([A-Za-z0-9._-]+):([A-Za-z0-9._-]+)$")


class OcfOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``ocf``.

    :raises ValueError: if the agent or a parameter has no possible name.
    """

    agent: Annotated[
        str, msgspec.Meta(description="ocf:PROVIDER:TYPE, such as ocf:heartbeat:IPaddr2")
    ]
    params: Annotated[
        dict[str, str | int | bool], msgspec.Meta(description="the agent's parameters")
    ] = {}
    root: Annotated[str, msgspec.Meta(description="OCF_ROOT")] = "/usr/lib/ocf"

    def __post_init__(self) -> None:
        if not _AGENT.match(self.agent):
            raise ValueError(f"agent: {self.agent!r} is not of the form ocf:PROVIDER:TYPE")
        for name in self.params:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise ValueError(f"params: {name!r} is no name of a parameter")

    @property
    def program(self) -> str:
        """The agent's file."""
        _, provider, kind = self.agent.split(":")
        return f"{self.root}/resource.d/{provider}/{kind}"


class Ocf:
    """An action that calls a resource agent."""

    def __init__(self, options: OcfOptions, context: Context) -> None:
        self._options, self._context = options, context

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Start or stop the resource; see :class:`havpn_core.Action`.

        :raises ActionError: if the agent failed, with its own words.
        """
        verb = "start" if role is Role.ACTIVE else "stop"
        ended = await self._call(verb, timeout_s)
        if ended.status != 0:
            raise ActionError(f"{self._options.agent} {verb}: {reason(ended)}")

    async def observe(self) -> Role | None:
        """Monitor the resource; what the agent does not know is neither role."""
        try:
            ended = await self._call("monitor", LOOK_S)
        except ActionError as problem:
            self._context.logger.warning("%s: %s", self._context.instance, problem)
            return None
        if ended.status in RUNNING:
            return Role.ACTIVE
        return Role.STANDBY if ended.status == STOPPED else None

    def close(self) -> None:
        """Do nothing; the resource stays as it is."""

    async def _call(self, verb: str, timeout_s: float) -> Finished:
        environment = self._environment(timeout_s)
        values = self._options.params.values()
        private = [str(value) for value in values if not isinstance(value, bool)]
        return await attempt((self._options.program, verb), timeout_s, environment, private)

    def _environment(self, timeout_s: float) -> dict[str, str]:
        _, provider, kind = self._options.agent.split(":")
        params = {f"OCF_RESKEY_{n}": _word(value) for n, value in self._options.params.items()}
        return {
            # Agents rely on these folders; a daemon's own PATH may lack them.
            "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin".lstrip(":"),
            "OCF_ROOT": self._options.root,
            "OCF_RA_VERSION_MAJOR": "1",
            "OCF_RA_VERSION_MINOR": "1",
            "OCF_RESOURCE_INSTANCE": self._context.instance.replace(".", "-"),
            "OCF_RESOURCE_PROVIDER": provider,
            "OCF_RESOURCE_TYPE": kind,
            "OCF_EXIT_REASON_PREFIX": REASON,
            "OCF_CHECK_LEVEL": "0",
            "OCF_RESKEY_CRM_meta_timeout": str(round(timeout_s * 1000)),
            **params,
        }


def reason(ended: Finished) -> str:
    """Say why an agent failed: its own last reason, or what the status means."""
    reasons = [line for line in ended.complaint.splitlines() if line.startswith(REASON)]
    if reasons:
        return ended.shown(reasons[-1].removeprefix(REASON))
    meaning = MEANING.get(ended.status, "an unknown status")
    return f"status {ended.status} ({meaning})" + (f": {ended.said}" if ended.said else "")


def _word(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def missing(options: OcfOptions) -> list[str]:
    """Say whether the agent is not there."""
    program = Path(options.program)
    if not program.is_file():
        return [f"resource agent {options.agent} is not installed: there is no {program}"]
    if not os.access(program, os.X_OK):
        return [f"resource agent {options.agent}: {program} is not executable"]
    return []


@hookimpl
def havpn_register_actions() -> Iterable[ActionType]:
    """Give the type."""
    yield ActionType(
        "ocf",
        "Any installed OCF resource agent, such as ocf:heartbeat:IPaddr2",
        OcfOptions,
        Ocf,
        missing=missing,
        owns=True,
    )
