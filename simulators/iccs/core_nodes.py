"""The two core nodes of a control room: one serves, one stands by and takes over when the other is killed.

A model, of a product whose calls and positions are replicated and whose speech goes by media servers of its own. The
node that is killed takes with it its SIP ports (nothing leaves, and what comes is dropped), the control interface
(connections are cut, new ones refused) and every console's login; keys that were pressed are let go. Speech of calls
that are up goes on meanwhile, and so do the headsets'. After ``takeover_s`` the other node has the same addresses and
all calls that were answered on the wire; a call that was being set up is refused or given up then, for its caller to
try again. Radio gateways and what else the control room is joined to are not part of a core node here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Final

from harness.endpoints.sip.call import CallState as SipState
from harness.errors import TransportError
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.settings.core import CoreSettings
from simulators.iccs.shared import Shared
from simulators.iccs.switch import Switch
from simulators.iccs.trunks import TrunkFault, Trunks

NODES: Final = ("core-1", "core-2")
LOST: Final = "core_node_lost"
"""The alarm."""


class CoreNodeError(PositionError):
    """A node was asked for what it can't do now."""


class UnknownCoreNodeError(CoreNodeError):
    """There is no such node."""


class Node(StrEnum):
    """What a node does."""

    SERVES = "serves"
    STANDS_BY = "stands by"
    DEAD = "dead"


class CoreNodes:
    """The nodes of one ICCS."""

    def __init__(
        self, shared: Shared, trunks: Trunks, switch: Switch, unkey: Callable[[Position], None], settings: CoreSettings
    ) -> None:
        self._shared, self._trunks, self._switch, self._unkey, self._settings = shared, trunks, switch, unkey, settings
        self._nodes = {NODES[0]: Node.SERVES, NODES[1]: Node.STANDS_BY if settings.standby else Node.DEAD}
        self._changing = asyncio.Lock()
        self.listens: Callable[[bool], Awaitable[None]]
        """Has the control interface listen, or listen no more."""

    def shown(self) -> dict[str, Any]:
        """As the control interface shows them."""
        nodes = [{"node": name, "state": node.value} for name, node in self._nodes.items()]
        return {"nodes": nodes, "takeover_s": self._settings.takeover_s}

    def _check(self, name: str, *, alive: bool) -> None:
        """Raise UnknownCoreNodeError for a node that is not there, CoreNodeError for one that lives, or does not."""
        if name not in self._nodes:
            raise UnknownCoreNodeError(f"there is no core node {name[:40]!r}; there is {', '.join(NODES)}")
        if (self._nodes[name] is not Node.DEAD) is not alive:
            raise CoreNodeError(f"{name} {'is dead' if alive else 'is not dead'}")

    def kill(self, name: str) -> Callable[[], Awaitable[None]]:
        """Kill one; return what has it fall on the wire, for when whoever asked has been answered.

        Raises UnknownCoreNodeError, and CoreNodeError where it is dead.
        """
        self._check(name, alive=True)
        was, self._nodes[name] = self._nodes[name], Node.DEAD
        self._shared.journal.record("iccs", "core.killed", node=name, was=was.value)

        async def falls() -> None:
            """On the loop, and not in the thread in which a plain function would be called."""
            if was is Node.SERVES:
                self._shared.spawn(self._fall(name))
            else:
                self._alarm(name)

        return falls

    def repair(self, name: str) -> None:
        """Have a dead one stand by. Raises as `kill`, CoreNodeError where it is not dead."""
        self._check(name, alive=False)
        self._nodes[name] = Node.STANDS_BY
        self._shared.journal.record("iccs", "core.repaired", node=name)
        self._shared.faults.well(LOST, name)

    def _alarm(self, name: str) -> None:
        self._shared.faults.failed(
            LOST, name, "major", "no core node stands by: the next loss ends all calls", "killed"
        )

    async def _fall(self, name: str) -> None:
        """The node that served is gone: at once on the wire, and for every console."""
        async with self._changing:
            for trunk in self._trunks:
                trunk.agent.endpoint.transports.unplug(out=True)
            for position in self._shared.positions:
                if position.logged_in:
                    position.console_lost = True
                    if position.keyed is not None:
                        self._unkey(position)
                    self._shared.positions.settle(position)
            await self.listens(False)
        await asyncio.sleep(self._settings.takeover_s)
        await self._serve()
        self._alarm(name)

    async def _serve(self) -> None:
        """The node that stands by, if one does, takes the addresses and what was replicated."""
        async with self._changing:
            standing = [name for name, node in self._nodes.items() if node is Node.STANDS_BY]
            if not standing:
                return  # nothing serves any more: the simulator is to be started anew
            try:
                await self.listens(True)
            except TransportError as error:  # the port was taken meanwhile
                self._shared.journal.warn("iccs", "core.not_taken_over", node=standing[0], reason=str(error))
                return
            self._nodes[standing[0]] = Node.SERVES
            for trunk in self._trunks:
                trunk.agent.endpoint.transports.unplug(out=trunk.fault is TrunkFault.DOWN)
            for call in list(self._switch.calls.values()):
                sip = call.sip
                if sip is not None and (sip.state is not SipState.ANSWERED or not self._settings.keeps_calls):
                    self._switch.end(call, "the core node was lost")
            self._shared.journal.record("iccs", "core.taken_over", node=standing[0])
