"""The emergency network simulator as a whole: exchange, operators, crowds and records behind one control interface."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from harness.endpoints.media import MediaService
from harness.protocols.sip.emergency_call import Why
from harness.transport.context import Context
from harness.transport.tap import Address
from simulators.emergency.announcements import Announcements
from simulators.emergency.api import make_app
from simulators.emergency.bodies import OperatorsBody, RouteBody
from simulators.emergency.call import EmergencyCall
from simulators.emergency.conference import CALLER, ROOM
from simulators.emergency.connecting import Connector
from simulators.emergency.crowd import Crowds
from simulators.emergency.desks import Desk, DeskError, Desks
from simulators.emergency.exchange import Exchange
from simulators.emergency.faults import Fault
from simulators.emergency.plant import Plant
from simulators.emergency.records import Outcome
from simulators.emergency.routes import Authorities, Resolve, RouteError, address_of
from simulators.emergency.settings import EmergencySettings
from simulators.emergency.sms import PermitLocate
from simulators.events import Events
from simulators.reach import is_loopback, need_token
from simulators.web import WebServer


class EmergencyNetwork:
    """One emergency network."""

    def __init__(self, plant: Plant, permit_dial: Callable[[str], None]) -> None:
        self.plant = plant
        self.desks = Desks(plant)
        self.crowds = Crowds(plant)
        self._exchange = Exchange(plant, self.desks, permit_dial)
        self._stack = AsyncExitStack()
        self._rooms = {each.address for authority in plant.authorities for each in authority.each_route()}
        """Where the settings' routes lead: the interlock knows of these."""
        self.control_url = ""
        """Where the control interface is, ``http://host:port``."""

    @classmethod
    async def start(
        cls,
        context: Context,
        media: MediaService,
        settings: EmergencySettings,
        *,
        name: str = "emergency",
        announcements: Announcements,
        resolve: Resolve = lambda _component: None,
        location: str | None = None,
        location_token: str | None = None,
        permit_dial: Callable[[str], None],
        permit_locate: PermitLocate,
    ) -> EmergencyNetwork:
        """Start the network.

        ``resolve`` says where a component takes calls that a route names; ``location`` is where AML texts are handed
        on, ``location_token`` the bearer token that is asked for there. Raises LocalError when it would listen beyond
        loopback without a token or a route is no address, and TransportError when an address can't be bound; nothing
        stays up then.
        """
        need_token("the control interface", settings.host, settings.token)
        events = Events(context.journal, name)
        authorities = Authorities(settings.authorities, settings.routing, events.tell)
        authorities.resolve(resolve)
        operators = settings.operators
        plant = Plant(name, context, media, settings, announcements, events, authorities, operators)
        network = cls(plant, permit_dial)
        try:
            await network._exchange.start(location, location_token, permit_locate)
            network._stack.push_async_callback(plant.stop)
            network._stack.push_async_callback(network._exchange.stop)
            network._stack.push_async_callback(network.desks.log_all_out)
            network._stack.callback(network._end_all)
            network._stack.push_async_callback(network.crowds.stop)
            token = settings.token.get_secret_value() if settings.token is not None else None
            web = WebServer(make_app(network, token), settings.host, settings.http_port)
            network._stack.push_async_callback(web.stop)
            network.control_url = f"http://{settings.host}:{await web.start()}"
        except BaseException:
            await network._stack.aclose()
            raise
        return network

    @property
    def caller_address(self) -> Address:
        """Where callers' telephones reach it, over UDP and TCP."""
        return self._exchange.caller_address

    @property
    def trunk_address(self) -> Address:
        """Where control rooms ring back, over UDP."""
        return self._exchange.trunk_address

    async def stop(self) -> None:
        """End every call and listen no more; no task is left."""
        await self._stack.aclose()

    def _end_all(self) -> None:
        for call in tuple(self.plant.calls.values()):
            call.end(Outcome.CONTROL, "network", why=Why.CONTROL)

    # What the control interface asks

    def status(self) -> dict[str, Any]:
        """What goes on: calls by stage, who waits, operators, faults."""
        plant = self.plant
        stages = Counter(str(call.stage) for call in plant.calls.values())
        return {
            "calls": dict(stages),
            "held": sum(call.is_held for call in plant.calls.values()),
            "waiting": [call.id for call in self.desks.waiting],
            "operators": {**plant.operators.model_dump(mode="json", exclude={"desks"}), "busy": self.desks.busy},
            "desks": [desk.shown() for desk in self.desks],
            "faults": plant.faults.shown(),
            "records": len(plant.records),
            "callers": _shown(self.caller_address),
            "trunk": _shown(self.trunk_address),
        }

    def set_operators(self, body: OperatorsBody) -> dict[str, Any]:
        """Change how operators work."""
        told = body.model_dump(exclude_none=True, exclude={"stay_until_told"})
        changed = {name: getattr(body, name) for name in told}
        if body.stay_until_told:
            changed["stay_s"] = None
        self.plant.operators = self.plant.operators.model_copy(update=changed)
        self.desks.match()
        return self.status()

    def set_route(self, authority: str, name: str, body: RouteBody) -> dict[str, Any]:
        """Change a route. Raises RouteError."""
        route = self.plant.authorities.route(authority, name)
        if body.to is not None:
            address = address_of(body.to, lambda _component: None)
            if address is None:
                raise RouteError(f"{body.to!r} is no host:port")
            if not is_loopback(address[0]) and address not in self._rooms:
                raise RouteError(
                    f"{body.to!r} is on another machine: only what the settings name as a control room can be called"
                )
            route.address = address
            route.is_up, route.failures = True, 0
        if body.number is not None:
            route.number = body.number
        if body.delayed_offer is not None:
            route.delayed_offer = body.delayed_offer
        if body.cut is not None:
            route.cut = body.cut
        self.plant.events.tell("route.set", authority=authority, **route.shown())
        return route.shown()

    def set_fault(self, fault: Fault, seconds: float | None) -> None:
        """Begin a fault, or (None) end it."""
        faults = self.plant.faults
        if seconds is None:
            faults.on.pop(fault, None)
        else:
            faults.on[fault] = seconds
        self.plant.events.tell("fault.ended" if seconds is None else "fault.begun", fault=str(fault))
        self.desks.match()

    async def fail_call(self, call: EmergencyCall, fault: Fault) -> None:
        """Let something be wrong with one call, at once. Raises DeskError for what is of no single call."""
        match fault:
            case Fault.DROP_OPERATOR:
                call.drop_operator()
            case Fault.ROOM_HEARS_NOTHING:
                await call.conference.deafen(ROOM, deaf=True)
            case Fault.CALLER_HEARS_NOTHING:
                await call.conference.deafen(CALLER, deaf=True)
            case _:
                raise DeskError(f"{fault} is a fault of all calls, not of one")
        self.plant.events.tell("fault.call", call=call.id, fault=str(fault))

    async def agency_call(self, desk: Desk, authority: str, route: str) -> dict[str, Any]:
        """Let an operator call a control room without a caller. Raises DeskError, RouteError."""
        to = self.plant.authorities.get(authority)
        only = self.plant.authorities.route(authority, route)
        if only.address is None:
            raise DeskError(f"route {route} of {authority} leads nowhere")
        if not desk.is_free:
            raise DeskError(f"{desk.name} is not free")
        call = self._exchange.open_agency_call()
        self.desks.take(desk, call)
        await call.operator_answers(desk.name)
        await self.desks.plug(desk, call)
        self.plant.spawn(self._ring_agency(call, Connector(self.plant, call).connect(to, only=only)))
        return call.shown()

    async def _ring_agency(self, call: EmergencyCall, connecting: Any) -> None:
        if not await connecting and not call.over:
            call.end(Outcome.NO_ANSWER, "operator", why=Why.OPERATOR)


def _shown(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
