"""Routes of the control interface: wallboard, call records, who is to be called back, trunks, core nodes, faults."""

from __future__ import annotations

from typing import Annotated

from fastapi import BackgroundTasks, Path, Query, status

from simulators.iccs.api.bodies import FaultBody
from simulators.iccs.api.places import Shown
from simulators.iccs.desk import OperatorDesk
from simulators.iccs.records import MAX_FOUND
from simulators.routes import Routes

Text = Annotated[str | None, Query(max_length=64)]
Node = Annotated[str, Path(max_length=64)]
Time = Annotated[float | None, Query(ge=0)]


def supervision_routes(desk: OperatorDesk) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/v1", tags=["supervision"])

    @router.get("/status")
    async def read_status() -> Shown:
        """Calls by state, calls waiting by queue, positions logged in."""
        return desk.status()

    @router.get("/wallboard")
    async def read_wallboard() -> Shown:
        """Each queue's calls and figures, advisers by state and site, trunks. Times in seconds; shares in per cent."""
        return desk.wallboard()

    @router.get("/calls")
    async def read_records(
        cli: Text = None,
        queue: Text = None,
        outcome: Text = None,
        flag: Text = None,
        since: Time = None,
        until: Time = None,
        nuisance: bool | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_FOUND)] = 100,
    ) -> list[Shown]:
        """The newest call records that fit, newest first; `since` and `until` are run times at which they began."""
        return desk.records(
            cli=cli,
            queue=queue,
            outcome=outcome,
            flag=flag,
            since=since,
            until=until,
            nuisance=nuisance,
            limit=limit,
        )

    @router.get("/calls/{record}")
    async def read_record(record: str) -> Shown:
        """All of one call record: what the network told, every location, what happened when."""
        return desk.record(record)

    @router.get("/reconciliation")
    async def read_reconciliation() -> Shown:
        """Whether every answered call has an incident or a reason for none, and what command and control has not."""
        return desk.reconciliation()

    @router.get("/directory")
    async def read_directory_status() -> Shown:
        """How many entries the directory has, how long ago it was read, what could not be, and bad rows of a file."""
        return desk.directory.status()

    @router.get("/ring-backs")
    async def read_ring_backs() -> list[Shown]:
        """Emergency callers who gave up, left a number and were not rung back."""
        return desk.ring_backs()

    @router.get("/callbacks")
    async def read_callbacks() -> list[Shown]:
        """Callers who accepted to be called back and are due, the longest waiting first."""
        return desk.callbacks()

    @router.get("/trunks")
    async def read_trunks() -> list[Shown]:
        """Every trunk: where it takes calls, its fault, whether its peer answers OPTIONS (null: not known)."""
        return desk.trunks()

    @router.put("/trunks/{name}/fault")
    async def begin_fault(name: str, body: FaultBody) -> Shown:
        """Begin a fault, in place of one that is on."""
        return desk.set_trunk_fault(name, body.fault, body.seconds)

    @router.delete("/trunks/{name}/fault")
    async def end_fault(name: str) -> Shown:
        """End a trunk's fault."""
        return desk.set_trunk_fault(name, None, 1.0)

    @router.get("/core-nodes")
    async def read_core_nodes() -> Shown:
        """The core nodes: which serves, which stands by, which is dead."""
        return desk.core_nodes.shown()

    @router.post("/core-nodes/{name}/kill", status_code=status.HTTP_202_ACCEPTED)
    async def kill_core_node(name: Node, then: BackgroundTasks) -> Shown:
        """Kill one, once this is answered. Where it served, this interface is gone until the other one takes over."""
        then.add_task(desk.core_nodes.kill(name))
        return desk.core_nodes.shown()

    @router.post("/core-nodes/{name}/repair")
    async def repair_core_node(name: Node) -> Shown:
        """Have a dead one stand by."""
        desk.core_nodes.repair(name)
        return desk.core_nodes.shown()

    return router
