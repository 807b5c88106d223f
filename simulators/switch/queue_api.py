"""The part of a switch's control interface that is about call queues."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Response, status

from simulators.bodies import Body
from simulators.routes import Routes
from simulators.switch.settings.groups import CallQueueSettings
from simulators.switch.switch import EnterpriseSwitch

Number = Annotated[str, Path(max_length=20)]


class AgentBody(Body):
    """Whether an agent takes calls of the queue."""

    joined: bool


def queue_routes(switch: EnterpriseSwitch) -> Routes:
    """The interface."""
    router = Routes(prefix="/queues")
    queueing = switch.core.routing.queueing

    @router.get("")
    async def queues() -> list[dict[str, Any]]:
        return [each.shown() for each in queueing.queues.values()]

    @router.get("/{number}")
    async def read(number: Number) -> dict[str, Any]:
        return queueing.get(number).shown()

    @router.put("")
    async def put(body: CallQueueSettings) -> dict[str, Any]:
        return queueing.put(body).shown()

    @router.delete("/{number}", status_code=status.HTTP_204_NO_CONTENT)
    async def remove(number: Number) -> Response:
        queueing.remove(number)
        return Response(status_code=status.HTTP_204_NO_CONTENT)

    @router.put("/{number}/agents/{line}")
    async def join(number: Number, line: Number, body: AgentBody) -> dict[str, Any]:
        queueing.join(number, line, joined=body.joined)
        return queueing.get(number).shown()

    return router
