"""A control room that works talkgroups of an MCPTT server, and officers with handsets, for the tests beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from control_room_in_virtual_time import Room, anything, control_room

from harness.drivers.mcptt import McpttRadio
from harness.endpoints.media import MediaService
from harness.transport.context import Context
from simulators.iccs.radio_services.units import StatusMeaning
from simulators.iccs.talkgroup_ways.lines import GatewayLine, McpttLine
from simulators.mcptt.server import McpttServer
from simulators.mcptt.settings import McpttSettings

ESN, OTHER, STRANGE, TETRA = "GD-ESN-1", "GD-ESN-2", "GD-ESN-9", "GD-OPS-1"
DOMAIN = "mcptt.example"
OFFICER = f"sip:officer-8@{DOMAIN}"
USERS: list[dict[str, Any]] = [
    {"name": "control", "password": "test-control", "may_listen": True, "is_told_places": True},
    *({"name": name, "password": f"test-{name}"} for name in ("officer-8", "officer-9")),
]
STATUSES = {0: StatusMeaning(0, "Emergency"), 32773: StatusMeaning(5, "At scene")}
LAYOUT: dict[str, Any] = {
    "positions": [
        {"id": "desk-1", "role": "dispatcher", "talkgroups": [ESN, OTHER, TETRA], "may": ["patch", "ambience"]},
        {"id": "desk-2", "role": "dispatcher", "talkgroups": [ESN]},
        {"id": "chief-1", "role": "supervisor", "may": ["replay"]},
    ],
    "ambience_password": "test-ambience",
    "radio": {"aliases": {"officer-8": "GB 208"}},
}


class Esn:
    """The MCPTT server beside the control room, and its officers."""

    def __init__(self, room: Room, server: McpttServer, stack: AsyncExitStack) -> None:
        self.room = room
        self.server = server
        self.address = server.sip_address
        self._stack = stack

    def unplug(self, *, out: bool) -> None:
        """Pull the server's SIP cable, or put it back."""
        self.server._agent.endpoint.transports.unplug(out=out)

    async def officer(self, user: str, *talkgroups: str) -> McpttRadio:
        """An officer with a handset, turned to talkgroups; the last is in use."""
        radio = await McpttRadio.open(
            self.room.context,
            self.room.media,
            user,
            user=user,
            domain=DOMAIN,
            server=self.address,
            permit=anything,
        )
        self._stack.push_async_callback(radio.close)
        await radio.register(f"test-{user}")
        for talkgroup in talkgroups:
            await radio.select(talkgroup)
        return radio


@asynccontextmanager
async def esn(*, radio: bool = False, **server: Any) -> AsyncIterator[Esn]:
    """A control room that works two talkgroups by MCPTT, and with `radio` one by TETRA; `server`: of its settings."""
    started: list[McpttServer] = []

    async def more(context: Context, media: MediaService, stack: AsyncExitStack) -> Sequence[GatewayLine]:
        groups = [{"name": name} for name in (ESN, OTHER, STRANGE)]
        settings = McpttSettings.model_validate({"users": USERS, "groups": groups, **server})
        started.append(await McpttServer.start(context, media, settings, name="esn"))
        stack.push_async_callback(started[0].stop)
        return [
            McpttLine(
                name=f"iccs.{talkgroup}",
                talkgroup=talkgroup,
                server=started[0].sip_address,
                domain=DOMAIN,
                group=talkgroup,
                user="control",
                terminal="iccs.control",
                password="test-control",
            )
            for talkgroup in (ESN, OTHER)
        ]

    async with control_room(LAYOUT, radio=radio, more=more, statuses=STATUSES) as room, AsyncExitStack() as radios:
        yield Esn(room, started[0], radios)
