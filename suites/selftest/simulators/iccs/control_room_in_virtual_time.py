"""A control room for the tests beside it: simulator, consoles, callers and telephones on one virtual network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx

from harness.drivers.console import Console
from harness.drivers.radio import RadioTerminal
from harness.drivers.supervisor import Supervisor
from harness.drivers.trunk import EmergencyTrunk
from harness.endpoints.media import MediaService, open_media
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.speech import join_speech
from harness.journal import Event, Journal
from harness.protocols import sdp
from harness.transport.context import Context
from harness.transport.https import http_client
from simulators.iccs.radio_services.services import RadioSurroundings
from simulators.iccs.radio_services.units import StatusMeaning
from simulators.iccs.settings import IccsSettings
from simulators.iccs.simulator import IccsSimulator
from simulators.iccs.talkgroup_ways.lines import GatewayLine, TetraLine
from simulators.radio.config import RadioConfig, TerminalConfig
from simulators.radio.network import RadioNetwork

GROUPS = {"GD-OPS-1": 1001, "GD-OPS-2": 1002}
GATEWAY, STANDBY, OFFICER, SERGEANT = 4009001, 4009021, 4001234, 4001235
LAYOUT: dict[str, Any] = {
    "positions": [
        {"site": "govan", "first": 1, "last": 3},
        {"id": "desk-1", "role": "dispatcher", "talkgroups": ["GD-OPS-1"]},
        {"id": "desk-2", "role": "dispatcher", "talkgroups": ["GD-OPS-1", "GD-OPS-2"]},
    ],
    "subscribers": [{"user": "2001", "password": "test-telephone"}],
    "ring_s": 20,
}


def anything(*_asked: object) -> None:
    """A permit for all."""


More = Callable[[Context, MediaService, AsyncExitStack], Awaitable[Sequence[GatewayLine]]]


class Room:
    """A running simulator and what is plugged into it."""

    def __init__(self, context: Context, media: MediaService, iccs: IccsSimulator, stack: AsyncExitStack) -> None:
        self.context, self.media, self.iccs = context, media, iccs
        self.simulators: Context
        """What the simulators share."""
        self.radio: RadioNetwork
        self._stack = stack
        self._callers = 0

    @property
    def journal(self) -> Journal:
        """What consoles, callers and terminals see."""
        return self.context.journal

    def told(self, source: str, kind: str) -> list[Event]:
        """The events of that kind that `source` has shown so far."""
        return [event for event in self.journal if (event.source, event.kind) == (source, kind)]

    async def console(self, position: str, **options: Any) -> Console:
        """Somebody logged in at a position."""
        console = await Console.open(
            self.context,
            self.media,
            position,
            control=self.iccs.control_url,
            position=position,
            **{"permit_dial": anything, "permit_radio": anything, **options},
        )
        self._stack.push_async_callback(console.close)
        return console

    def supervisor(self) -> Supervisor:
        """Somebody who looks at the wallboard."""
        supervisor = Supervisor.open(self.context, "supervisor", control=self.iccs.control_url)
        self._stack.push_async_callback(supervisor.close)
        return supervisor

    def at_the_end(self, do: Callable[[], Awaitable[None]]) -> None:
        """Do something when the room is closed, before the simulator stops."""
        self._stack.push_async_callback(do)

    async def caller(self) -> EmergencyTrunk:
        """A trunk of its own, so that its events stand apart."""
        self._callers += 1
        trunk = await EmergencyTrunk.open(
            self.context,
            self.media,
            f"caller-{self._callers}",
            local=("127.0.0.1", 0),
            target=self.iccs.sip_address,
            permit=anything,
        )
        self._stack.push_async_callback(trunk.close)
        return trunk

    async def terminal(self, name: str) -> RadioTerminal:
        """An officer with a terminal of the network, on its talkgroup."""
        urls = {each["kind"]: each["url"] for each in self.radio.addresses() if each["name"] == name}
        terminal = await RadioTerminal.open(
            self.context,
            self.media,
            name,
            serial=urls["serial"],
            baud=38400,
            audio=urls["rtp"],
            talkgroups=GROUPS,
        )
        self._stack.push_async_callback(terminal.close)
        await terminal.select("GD-OPS-1")
        return terminal

    async def telephone(self, behaviour: str = "answer", *, user: str = "2001") -> UserAgent:
        """A registered telephone that answers, rings for ever, is busy, or answers with a codec nobody asked for."""

        def invited(call: IncomingCall) -> None:
            match behaviour:
                case "busy":
                    call.reject(486)
                case "ring":
                    call.ring()
                case "answer":
                    call.ring()
                    asyncio.get_running_loop().create_task(answer(call))
                case "nonsense":
                    call.answer(NO_COMMON_CODEC)

        async def answer(call: IncomingCall) -> None:
            port = await self.media.open_port(f"telephone {user}")
            body, agreed = sdp.answer(call.remote_sdp, *port.address)
            await join_speech(port, agreed)
            call.answer(body)

        agent = await UserAgent.open(self.context, f"telephone-{user}", user=user, on_invite=invited)
        self._stack.push_async_callback(agent.close)
        host, port = self.iccs.sip_address
        await agent.register(f"sip:{host}:{port}", user, "test-telephone")
        return agent

    def http(self, token: str | None = None) -> httpx.AsyncClient:
        """A client of the control interface."""
        return http_client(self.iccs.control_url, timeout=5.0, token=token)


NO_COMMON_CODEC = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 97\r\na=rtpmap:97 iLBC/8000\r\n"
)


@asynccontextmanager
async def control_room(
    layout: dict[str, Any] | None = None,
    *,
    radio: bool = False,
    standby: bool = False,
    max_talk_s: float = 60.0,
    more: More | None = None,
    statuses: Mapping[int, StatusMeaning] | None = None,
    **options: Any,
) -> AsyncIterator[Room]:
    """A control room on the running loop; with `radio`, a network, one gateway and two officers' terminals.

    With `standby`, a second gateway that stands by for the first; `more` starts another network and returns the lines
    by which the ICCS reaches it.
    """
    async with AsyncExitStack() as stack:
        context, simulators = Context.create(seed=1), Context.create(seed=2)
        media = await open_media(context, in_process=True)
        stack.push_async_callback(media.close)
        inner = await open_media(simulators, in_process=True)
        stack.push_async_callback(inner.close)
        gateways: list[GatewayLine] = []
        network = None
        if radio:
            terminals = [
                TerminalConfig("gateway-1", GATEWAY, "GD-OPS-1", role="radio_gateway"),
                TerminalConfig("officer", OFFICER, "GD-OPS-1"),
                TerminalConfig("sergeant", SERGEANT, "GD-OPS-1"),
            ]
            if standby:
                terminals.append(TerminalConfig("gateway-1b", STANDBY, "GD-OPS-1", role="radio_gateway"))
            config = RadioConfig(talkgroups=GROUPS, terminals=terminals, max_talk_s=max_talk_s)
            network = await RadioNetwork.start(simulators, inner, config, virtual=True)
            stack.push_async_callback(network.stop)
            for name in [each.name for each in terminals if each.role == "radio_gateway"]:
                urls = {each["kind"]: each["url"] for each in network.addresses() if each["name"] == name}
                gateways.append(
                    TetraLine(
                        name=name,
                        talkgroup="GD-OPS-1",
                        serial=urls["serial"],
                        baud=38400,
                        audio=urls["rtp"],
                        stands_by=name != "gateway-1",
                    )
                )
        if more is not None:
            gateways += await more(simulators, inner, stack)
        iccs = await IccsSimulator.start(
            simulators,
            inner,
            IccsSettings.model_validate(LAYOUT | (layout or {})),
            radio=RadioSurroundings(tuple(gateways), GROUPS, statuses or {}),
            **{"permit_dial": anything, "permit_radio": anything, **options},
        )
        stack.push_async_callback(iccs.stop)
        room = Room(context, media, iccs, stack)
        room.simulators = simulators
        if network is not None:
            room.radio = network
        yield room
