"""The part of a switch's control interface that tells as it happens what becomes of its parties' calls."""

from __future__ import annotations

from fastapi import WebSocket

from simulators.events import Events, serve
from simulators.routes import Routes
from simulators.switch.switch import EnterpriseSwitch
from simulators.switch.views import PartyEvent


def party_routes(switch: EnterpriseSwitch) -> Routes:
    """The interface: a stream of ``party.created``, ``party.updated`` and ``party.ended``, each with the party."""
    router = Routes()
    core = switch.core
    events = Events(core.journal, core.name)

    def told(event: PartyEvent) -> None:
        events.send({"time": core.now(), "kind": f"party.{event.kind}", "data": event.party.shown()})

    switch.subscribe(told)

    @router.websocket("/events")
    async def stream(socket: WebSocket) -> None:
        await serve(events, socket)

    return router
