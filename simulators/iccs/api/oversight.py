"""Routes of the control interface: a supervisor who listens in, a position's layout, and the talkgroup plan."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulators.bodies import Body
from simulators.iccs.api.places import At, Shown
from simulators.iccs.desk import OperatorDesk
from simulators.iccs.listening import MAX_MONITORED
from simulators.routes import Routes

_Position = Annotated[str, Field(min_length=1, max_length=32)]
_Talkgroup = Annotated[str, Field(min_length=1, max_length=64)]


class OverseeBody(Body):
    """Where a supervisor listens in, and how."""

    position: _Position
    how: Literal["monitor", "whisper", "barge"]


class PlanBody(Body):
    """The talkgroups that a position is to work."""

    position: _Position
    talkgroups: list[_Talkgroup] = Field(max_length=MAX_MONITORED)
    approver: _Position
    """The position of somebody else with the right to it, who approves."""
    why: str = Field(min_length=1, max_length=200)


def oversight_routes(desk: OperatorDesk) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/v1", tags=["oversight"])

    @router.post("/positions/{id_}/oversee")
    async def oversee(at: At, body: OverseeBody) -> Shown:
        """Monitor another position, whisper to whoever sits there, or barge into its call as a party."""
        of = desk.positions.get(body.position)
        if body.how == "barge":
            desk.overseeing.barge(at, of)
        else:
            desk.overseeing.begin(at, of, whispers=body.how == "whisper")
        return at.shown()

    @router.post("/positions/{id_}/oversee/end")
    async def end_overseeing(at: At) -> Shown:
        """Listen in no more; a supervisor who barged in leaves or clears the call instead."""
        desk.overseeing.end(at)
        return at.shown()

    @router.get("/positions/{id_}/layout")
    async def read_layout(at: At) -> Shown:
        """What the console shows by its role: `role`, and `panels` from the most important on."""
        return desk.layout(at)

    @router.post("/positions/{id_}/plan")
    async def change_plan(at: At, body: PlanBody) -> Shown:
        """Give a position other talkgroups to work, live, with somebody else's approval; it is shown as it is then."""
        of, approver = desk.positions.get(body.position), desk.positions.get(body.approver)
        await desk.plan.change(at, of, body.talkgroups, approver=approver, why=body.why)
        return of.shown()

    return router
