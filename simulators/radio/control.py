"""The control interface of the TETRA network: groups over the air, ambience, disabling, sites; events by WebSocket.

What a dispatch system's and a network manager's link to a real switching infrastructure can do, in a form of our own:
no operator publishes theirs. Beyond loopback it asks for a token.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, WebSocket, status
from fastapi.responses import JSONResponse
from pydantic import Field

from harness.protocols.location.shapes import Point
from harness.transport.tap import Address
from simulators.bodies import Body
from simulators.events import serve
from simulators.guard import bearer, guard
from simulators.radio.course import MAX_KMH, MAX_WAYPOINTS, Course
from simulators.radio.network import RadioNetwork
from simulators.radio.refusals import ControlError, UnknownThingError
from simulators.radio.terminal import SimulatedTerminal
from simulators.reach import need_token
from simulators.routes import Routes, add_routes
from simulators.web import WebServer

UNITS_AT_ONCE = 1_000
"""Terminals of one order."""
Issi = Annotated[int, Field(ge=1, le=16_777_215)]
Waypoint = Annotated[
    tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]], Field(strict=False)
]
"""Latitude and longitude; JSON has no tuples."""
_Shown = dict[str, Any]


class GroupBody(Body):
    """A group to give."""

    name: str = Field(min_length=1, max_length=64)
    gssi: Issi | None = None
    """A talkgroup of the network, or a new group's; left out: the network chooses."""
    issis: list[Issi] = Field(min_length=1, max_length=UNITS_AT_ONCE)
    attach: bool = True
    """Whether the terminals turn to it."""


class AmbienceBody(Body):
    """A microphone to open."""

    issi: Issi
    host: str = Field(min_length=1, max_length=253)
    """Where the speech is sent, RTP."""
    port: int = Field(ge=1, le=65535)


class LinkBody(Body):
    """Whether a site's link is up."""

    up: bool


class CourseBody(Body):
    """The way that a vehicle goes, and how fast."""

    waypoints: list[Waypoint] = Field(min_length=1, max_length=MAX_WAYPOINTS)
    """Latitude and longitude of each, degrees."""
    speed_kmh: float = Field(ge=0, le=MAX_KMH)


class NetworkControl:
    """The running interface of one network."""

    def __init__(self, web: WebServer, url: str) -> None:
        self._web = web
        self.url = url
        """``http://host:port``."""

    @classmethod
    async def start(
        cls, network: RadioNetwork, address: Address = ("127.0.0.1", 0), *, token: str | None = None
    ) -> NetworkControl:
        """Serve it. Raises LocalError where it would listen beyond loopback without a token, TransportError."""
        host, port = address
        need_token("the control interface", host, token, key="control_token")
        web = WebServer(make_app(network, token), host, port)
        return cls(web, f"http://{host}:{await web.start()}")

    async def stop(self) -> None:
        """Serve no more."""
        await self._web.stop()


def make_app(network: RadioNetwork, token: str | None) -> FastAPI:
    """Return the interface of ``network``; it asks for the token where one is set."""
    described = "/openapi.json" if token is None else None
    app = FastAPI(
        title="TETRA network simulator control interface",
        version="1",
        openapi_url=described,
        description="404: there is no such terminal, group, site or microphone. 409: not now, the reason in `detail`.",
    )

    @app.exception_handler(ControlError)
    async def refused(_request: Request, error: Exception) -> JSONResponse:
        unknown = isinstance(error, UnknownThingError)
        code = status.HTTP_404_NOT_FOUND if unknown else status.HTTP_409_CONFLICT
        return JSONResponse({"detail": str(error)}, code)

    guard(app)
    api = Routes(prefix="/v1", dependencies=[Depends(bearer(token))])
    _add_terminals(api, network)
    _add_vehicles(api, network)
    _add_groups(api, network)
    _add_ambience(api, network)
    _add_sites(api, network)

    @api.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await serve(network.events, socket)

    add_routes(app, api)
    return app


def _add_terminals(api: Routes, network: RadioNetwork) -> None:
    def shown(terminal: SimulatedTerminal) -> _Shown:
        return {
            "issi": terminal.config.issi,
            "name": terminal.name,
            "site": terminal.config.site,
            "reached": network.reaches(terminal),
            "disabled": terminal.disabled,
            "gssi": terminal.machine.selected,
            "groups_given": sorted(terminal.machine.dynamic_groups.values()),
        }

    @api.get("/terminals")
    async def read_terminals() -> list[_Shown]:
        """All terminals: site, whether the network reaches them, talkgroup in use, groups given over the air."""
        return [shown(terminal) for terminal in network.terminals]

    @api.get("/terminals/{issi}")
    async def read_terminal(issi: Issi) -> _Shown:
        """One terminal."""
        return shown(network.terminal(issi))

    @api.put("/terminals/{issi}/disabled", status_code=status.HTTP_202_ACCEPTED)
    async def disable(issi: Issi) -> _Shown:
        """Disable a terminal for a time."""
        terminal = network.terminal(issi)
        network.disabling.disable(terminal)
        return shown(terminal)

    @api.delete("/terminals/{issi}/disabled", status_code=status.HTTP_202_ACCEPTED)
    async def enable(issi: Issi) -> _Shown:
        """Let a terminal on again."""
        terminal = network.terminal(issi)
        network.disabling.enable(terminal)
        return shown(terminal)

    @api.post("/terminals/{issi}/power-cycle", status_code=status.HTTP_202_ACCEPTED)
    async def power_cycle(issi: Issi) -> _Shown:
        """Switch a terminal off and on: it is off the network until it is up again."""
        terminal = network.terminal(issi)
        network.power_cycle(terminal)
        return shown(terminal)


def _add_vehicles(api: Routes, network: RadioNetwork) -> None:
    @api.put("/terminals/{issi}/course", status_code=status.HTTP_202_ACCEPTED)
    async def drive(issi: Issi, body: CourseBody) -> _Shown:
        """Let the vehicle of a terminal set out; it reports as its `tracker` says. 409 where it has none."""
        course = Course([Point(*waypoint) for waypoint in body.waypoints], body.speed_kmh)
        return network.tracking.drive(network.terminal(issi), course)

    @api.delete("/terminals/{issi}/course", status_code=status.HTTP_204_NO_CONTENT)
    async def park(issi: Issi) -> None:
        """End the drive, and the reports."""
        network.tracking.park(issi)


def _add_groups(api: Routes, network: RadioNetwork) -> None:
    @api.get("/groups")
    async def read_groups() -> list[_Shown]:
        """All groups that were given over the air, and what has become of each terminal's."""
        return network.regrouping.shown()

    @api.post("/groups", status_code=status.HTTP_202_ACCEPTED)
    async def give(body: GroupBody) -> _Shown:
        """Give a group to terminals (DGNA). 404 where one of them is not there: then none gets it."""
        terminals = [network.terminal(issi) for issi in body.issis]
        return network.regrouping.give(body.name, body.gssi, terminals, attach=body.attach)

    @api.get("/groups/{gssi}")
    async def read_group(gssi: Issi) -> _Shown:
        """One group."""
        return network.regrouping.get(gssi).shown()

    @api.delete("/groups/{gssi}", status_code=status.HTTP_202_ACCEPTED)
    async def take(gssi: Issi) -> _Shown:
        """Take a group back from all who were given it."""
        return network.regrouping.take(gssi)


def _add_ambience(api: Routes, network: RadioNetwork) -> None:
    @api.get("/ambience")
    async def read_ambience() -> list[_Shown]:
        """All microphones that are open."""
        return network.ambience.shown()

    @api.post("/ambience", status_code=status.HTTP_201_CREATED)
    async def begin(body: AmbienceBody) -> _Shown:
        """Open a terminal's microphone silently; `audio` is where the speech comes from."""
        return await network.ambience.begin(network.terminal(body.issi), body.host, body.port)

    @api.delete("/ambience/{id_}", status_code=status.HTTP_204_NO_CONTENT)
    async def end(id_: str) -> None:
        """Close it."""
        await network.ambience.end(id_)


def _add_sites(api: Routes, network: RadioNetwork) -> None:
    @api.get("/sites")
    async def read_sites() -> list[_Shown]:
        """All sites: whether each one's link is up and whether it works by itself."""
        return network.sites.shown()

    @api.put("/sites/{site}/link", status_code=status.HTTP_202_ACCEPTED)
    async def set_link(site: str, body: LinkBody) -> list[_Shown]:
        """Cut a site's link to the network, or restore it."""
        network.sites.set_link(site, up=body.up)
        return network.sites.shown()
