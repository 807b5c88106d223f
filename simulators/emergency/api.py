"""The network's control interface: desks, routes, faults, spates and records over HTTP, events by WebSocket."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from fastapi import Depends, FastAPI, HTTPException, Query, Request, WebSocket, status
from fastapi.responses import JSONResponse

from harness.errors import LocalError
from simulators.emergency.bodies import (
    AgencyBody,
    AnswerBody,
    CallFaultBody,
    ConnectBody,
    FaultBody,
    JoinBody,
    OperatorsBody,
    RouteBody,
    TypeBody,
)
from simulators.emergency.call import EmergencyCall
from simulators.emergency.crowd import Crowds, SpateError, SpateSettings
from simulators.emergency.desks import Desk, Desks, UnknownDeskError
from simulators.emergency.faults import Fault
from simulators.emergency.plant import Plant
from simulators.emergency.records import Outcome, RecordError
from simulators.emergency.routes import RouteError
from simulators.events import serve
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes

MAX_SHOWN = 1_000
"""Records in one answer."""
PLACED = status.HTTP_202_ACCEPTED
_UNKNOWN = (UnknownDeskError, RecordError, RouteError, SpateError)


class Network(Protocol):
    """The simulator behind the interface."""

    plant: Plant
    desks: Desks
    crowds: Crowds

    def status(self) -> dict[str, Any]:
        """What goes on."""

    def set_operators(self, body: OperatorsBody) -> dict[str, Any]:
        """Change how operators work."""

    def set_route(self, authority: str, name: str, body: RouteBody) -> dict[str, Any]:
        """Change a route."""

    def set_fault(self, fault: Fault, seconds: float | None) -> None:
        """Begin a fault, or (None) end it."""

    async def fail_call(self, call: EmergencyCall, fault: Fault) -> None:
        """Let something be wrong with one call."""

    async def agency_call(self, desk: Desk, authority: str, route: str) -> dict[str, Any]:
        """Let an operator call a control room without a caller."""


def make_app(network: Network, token: str | None) -> FastAPI:
    """Return the control interface; where a token is set every request needs it, and no pages describe it."""
    described = "/openapi.json" if token is None else None
    app = FastAPI(title="Emergency network simulator", version="1", openapi_url=described)
    app.state.network = network

    @app.exception_handler(LocalError)
    async def refused(_request: Request, error: LocalError) -> JSONResponse:
        code = status.HTTP_404_NOT_FOUND if isinstance(error, _UNKNOWN) else status.HTTP_409_CONFLICT
        return JSONResponse({"detail": str(error)}, code)

    guard(app)
    for router in (_desk_routes(network), _network_routes(network), _call_routes(network)):
        add_routes(app, router, dependencies=[Depends(bearer(token))])
    return app


async def _desk(request: Request, name: str) -> Desk:
    network: Network = request.app.state.network
    return network.desks.get(name)


async def _call(request: Request, id_: str) -> EmergencyCall:
    network: Network = request.app.state.network
    call = network.plant.calls.get(id_)
    if call is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"there is no call {id_!r}")
    return call


At = Annotated[Desk, Depends(_desk)]
"""The desk that a path names; 404 where there is none."""
Of = Annotated[EmergencyCall, Depends(_call)]
"""The call that a path names, while it is up; 404 where there is none."""


def _desk_routes(network: Network) -> Routes:
    router = Routes(prefix="/v1/desks", tags=["an operator who is driven by hand"])
    desks = network.desks

    @router.get("")
    async def read_desks() -> list[dict[str, Any]]:
        return [desk.shown() for desk in desks]

    @router.get("/{name}")
    async def read_desk(at: At) -> dict[str, Any]:
        return at.shown()

    @router.post("/{name}/login")
    async def login(at: At) -> dict[str, Any]:
        """Sit down; ``jack`` is where the headset is plugged in."""
        await desks.login(at)
        return at.shown()

    @router.post("/{name}/logout")
    async def logout(at: At) -> dict[str, Any]:
        await desks.logout(at)
        return at.shown()

    @router.post("/{name}/answer")
    async def answer(at: At, body: AnswerBody) -> dict[str, Any]:
        return (await desks.answer(at, body.call)).shown()

    @router.post("/{name}/connect", status_code=PLACED)
    async def connect(at: At, body: ConnectBody) -> dict[str, Any]:
        """Connect the call; ``call.connected`` or ``call.connect_failed`` tells how it went."""
        return desks.connect(at, body.authority, body.route, body.silent).shown()

    @router.post("/{name}/stop-connecting", status_code=PLACED)
    async def stop_connecting(at: At) -> dict[str, Any]:
        return desks.stop_connecting(at).shown()

    @router.post("/{name}/silent-solution", status_code=PLACED)
    async def silent_solution(at: At) -> dict[str, Any]:
        """Play the announcement; ``silent.heard`` tells what came of it, and without 55 the call ends."""
        return desks.silent_solution(at).shown()

    @router.post("/{name}/leave")
    async def leave(at: At) -> dict[str, Any]:
        return (await desks.leave_by_hand(at)).shown()

    @router.post("/{name}/join")
    async def join(at: At, body: JoinBody) -> dict[str, Any]:
        return (await desks.join(at, body.call)).shown()

    @router.post("/{name}/clear")
    async def clear(at: At) -> dict[str, Any]:
        return desks.clear(at).shown()

    @router.post("/{name}/type")
    async def type_text(at: At, body: TypeBody) -> dict[str, Any]:
        call = desks.call_of(at)
        call.text.typed(body.text)
        return call.shown()

    @router.post("/{name}/nuisance")
    async def nuisance(at: At) -> dict[str, Any]:
        """Tag the call: its record is preserved."""
        call = desks.call_of(at)
        call.tag_nuisance()
        return call.shown()

    @router.post("/{name}/agency-call", status_code=PLACED)
    async def agency_call(at: At, body: AgencyBody) -> dict[str, Any]:
        """Call a control room without a caller, as at its critical number in a spate."""
        return await network.agency_call(at, body.authority, body.route)

    return router


def _network_routes(network: Network) -> Routes:
    router = Routes(prefix="/v1", tags=["the network"])
    plant = network.plant

    @router.get("/status")
    async def read_status() -> dict[str, Any]:
        return network.status()

    @router.get("/authorities")
    async def read_authorities() -> list[dict[str, Any]]:
        return [authority.shown() for authority in plant.authorities]

    @router.put("/authorities/{authority}/routes/{name}")
    async def set_route(authority: str, name: str, body: RouteBody) -> dict[str, Any]:
        return network.set_route(authority, name, body)

    @router.put("/operators")
    async def set_operators(body: OperatorsBody) -> dict[str, Any]:
        return network.set_operators(body)

    @router.put("/faults/{fault}")
    async def begin_fault(fault: Fault, body: FaultBody) -> dict[str, Any]:
        network.set_fault(fault, body.seconds)
        return network.status()

    @router.delete("/faults/{fault}")
    async def end_fault(fault: Fault) -> dict[str, Any]:
        network.set_fault(fault, None)
        return network.status()

    @router.post("/spates", status_code=PLACED)
    async def start_spate(body: SpateSettings) -> dict[str, Any]:
        return (await network.crowds.start(body)).shown()

    @router.get("/spates/{id_}")
    async def read_spate(id_: str) -> dict[str, Any]:
        return network.crowds.get(id_).shown()

    @router.delete("/spates/{id_}")
    async def end_spate(id_: str) -> dict[str, Any]:
        return (await network.crowds.cancel(id_)).shown()

    @router.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await serve(plant.events, socket)

    return router


def _call_routes(network: Network) -> Routes:
    router = Routes(prefix="/v1", tags=["calls and their records"])
    plant = network.plant

    @router.get("/calls")
    async def read_calls() -> list[dict[str, Any]]:
        return [call.shown() for call in plant.calls.values()]

    @router.get("/calls/{id_}")
    async def read_call(call: Of) -> dict[str, Any]:
        return call.shown()

    @router.post("/calls/{id_}/end")
    async def end_call(call: Of) -> dict[str, Any]:
        call.end(Outcome.CONTROL, "network")
        return call.shown()

    @router.post("/calls/{id_}/fault")
    async def fail_call(call: Of, body: CallFaultBody) -> dict[str, Any]:
        await network.fail_call(call, body.fault)
        return call.shown()

    @router.get("/records")
    async def read_records(
        cli: str | None = None, last: Annotated[int, Query(ge=1, le=MAX_SHOWN)] = 100
    ) -> list[dict[str, Any]]:
        fitting = [record for record in plant.records if cli is None or record.cli == cli]
        return [record.shown() for record in fitting[-last:]]

    @router.get("/records/{id_}")
    async def read_record(id_: str) -> dict[str, Any]:
        return plant.records.get(id_).shown()

    return router
