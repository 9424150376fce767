"""What heartbeat shows of the other node, and of who holds what."""

import os

from havpn_core import ActionError, Diagnosis

from ._heartbeat import Heartbeat
from ._linux_ha import auto_failback, preferred_nodes

OWN = ("local", "all")
"""Replies of ``cl_status rscstatus`` of a node that is responsible for its own resources."""


class Seeing(Heartbeat):
    """Whether the other node would take over what this one gives up (``PartnerSeeing``).

    ``cl_status`` knows it while heartbeat runs here. While resources change hands nothing is said:
    a node that is about to stop still shows as active.
    """

    _holding = ""

    async def partner_serves(self, timeout_s: float) -> bool | None:
        """Look whether the other node is active and takes over; see ``havpn_core.PartnerSeeing``.

        With ``auto_failback on``, ``all`` beside an active node is one that has not come back
        yet, or that stands by: it takes nothing over.
        """
        deadline = self.context.clock() + timeout_s
        try:
            self._holding = await self.holding(timeout_s)
            if not self._holding or self._holding == "transition":
                return None
            states = await self.partner_states(deadline)
        except ActionError as problem:
            self.context.logger.debug("%s: %s", self.context.instance, problem)
            self._holding = ""
            return None
        if "active" not in states:
            return False if all(states) else None
        return not (self._holding == "all" and auto_failback(self.options) == "on")

    async def diagnose(self, timeout_s: float, running: bool) -> list[Diagnosis]:
        """Query heartbeat for itself and the other node; see ``havpn_core.Diagnosing``."""
        deadline = self.context.clock() + timeout_s
        start = "start it (systemctl start heartbeat); its log says why it does not run"
        try:
            pid = await self.pid(timeout_s)
            if pid is None:
                # In mode stop-start that is what standby looks like.
                text = "heartbeat does not run here: this gateway stands by"
                return [Diagnosis.warning(text, f"if it is not meant to, {start}")]
            states = await self.partner_states(deadline)
        except ActionError as problem:
            return [Diagnosis.failed(str(problem), start)]
        if "active" not in states:
            shown = " and ".join(filter(None, states)) or "unknown"
            text = f"heartbeat shows the other node as {shown}"
            remedy = "start heartbeat there, and check the cable and ha.cf (serial, ucast) of both"
            return [Diagnosis.failed(text, remedy)]
        return [Diagnosis.good(f"heartbeat runs as pid {pid}, and the other node is active")]

    def turn(self) -> int | None:
        """Give this node's place in haresources; after it, one that holds others' resources, too.

        A node that prefers nothing and holds nothing has no turn.
        """
        if self._holding not in OWN:
            return None
        nodes = preferred_nodes(self.options)
        if self._holding == "all":
            # What the other had just come here: its heartbeat may be about to stop.
            return max(1, len(nodes) - 1)
        name = os.uname().nodename.lower()
        return nodes.index(name) if name in nodes else None

    async def holding(self, timeout_s: float) -> str:
        """Give the reply of ``cl_status rscstatus``, empty if there is none."""
        ended = await self.query("rscstatus", timeout_s=timeout_s)
        return "" if ended.status else ended.output.strip()

    async def partner_states(self, deadline: float) -> list[str]:
        """Give how the other nodes show here: ``active``, ``up``, ``dead``; empty if not known.

        :raises ActionError: if heartbeat does not say in time, or names no other node.
        """
        left = self.left(deadline, "looking for the partner")
        names = (await self.query("listnodes", "-n", timeout_s=left)).output.split()
        own = os.uname().nodename.lower()
        states = []
        for name in names:
            if name.lower() != own:
                left = self.left(deadline, "looking for the partner")
                ended = await self.query("nodestatus", name, timeout_s=left)
                # Of a node that is dead cl_status says so, and ends with 1.
                states.append(ended.output.strip())
        if not states:
            raise ActionError("heartbeat names no other node")
        return states
