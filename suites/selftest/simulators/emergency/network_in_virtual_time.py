"""An emergency network for the tests beside it, with callers, an operator and control rooms, on one virtual network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import numpy as np

from harness.drivers.caller import CallerPhone
from harness.drivers.emergency_network import EmergencyNetwork as NetworkDriver
from harness.drivers.emergency_operator import EmergencyOperator
from harness.drivers.handset_position import AmlPlan
from harness.drivers.phone_call import PhoneCall
from harness.endpoints.call_media import CallMedia
from harness.endpoints.media import MediaService, open_media
from harness.endpoints.sip.abilities import Abilities
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.journal import Event, Journal
from harness.protocols.location import ecall_control
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.sip.emergency_call import PACKAGE, Ask, Mark, What, mark_of
from harness.protocols.sip.message import Request
from harness.testbed.clips import AUDIO
from harness.transport.context import Context
from harness.transport.https import http_client
from simulators.emergency.announcements import Announcements
from simulators.emergency.settings import EmergencySettings
from simulators.emergency.simulator import EmergencyNetwork

MOBILE, LANDLINE, OTHER_MOBILE = "+447700900123", "+441414960123", "+447700900456"
QUICK: dict[str, Any] = {"answer_s": {"least": 0.5, "most": 0.5}, "stay_s": {"least": 5, "most": 5}}
ANNOUNCEMENTS = Announcements.load(AUDIO)


def anything(*_asked: object) -> None:
    """A permit for all."""


class RoomCall:
    """A call as a control room has it."""

    def __init__(self, room: Room, sip: IncomingCall, media: CallMedia) -> None:
        self.room = room
        self.sip = sip
        self.media = media
        self.marks: list[Mark] = []
        """The INVITE's, then those of INFOs."""
        self.others: list[Request] = []
        """INFOs of other packages."""

    @property
    def mark(self) -> Mark:
        """The latest."""
        return self.marks[-1]

    @property
    def events(self) -> list[What | None]:
        """What was told, in order."""
        return [mark.event for mark in self.marks]

    def informed(self, _call: Call, request: Request) -> int:
        """An INFO came."""
        mark = mark_of(request)
        if mark is None:
            self.others.append(request)
        else:
            self.marks.append(mark)
        return 200

    async def answer(self) -> None:
        """Take the call."""
        answer = self.media.answer(self.sip.remote_sdp)
        if self.sip.remote_sdp:
            await self.media.join()
        self.sip.answer(answer)

    async def early(self, status: int = 183) -> None:
        """Send early media."""
        answer = self.media.answer(self.sip.remote_sdp)
        await self.media.join()
        self.sip.ring(status, sdp=answer, reliable=False)

    async def ask(self, ask: Ask, *, call: Any = None) -> int:
        """Ask the network for something; returns its status."""
        mark = Mark(call or self.mark.call, ask=ask)
        headers = [("Info-Package", PACKAGE), mark.header()]
        return (await self.sip.send("INFO", headers=headers)).status

    async def hears(self, seconds: float) -> Samples:
        """What comes on this call in the seconds from now."""
        await self.media.port.record()
        await asyncio.sleep(seconds)
        return (await self.media.port.recorded()).samples


class Room:
    """A control room that the test holds."""

    def __init__(self, name: str, media: MediaService, *, knows_marks: bool) -> None:
        self.name = name
        self.calls: list[RoomCall] = []
        self._came = asyncio.Event()
        self.does = "answer"
        """`answer`, `ring`, `busy`, `gone` (603), `broken` (500), `silent` (says nothing at all)."""
        self.text = True
        """Whether it takes a stream of text."""
        self.agent: UserAgent
        self._media = media
        self._tasks: set[asyncio.Task[None]] = set()
        self.abilities = Abilities(info_packages=(PACKAGE, ecall_control.INFO_PACKAGE) if knows_marks else ())

    def invited(self, sip: IncomingCall) -> None:
        """A call came."""
        if self.does == "silent":
            sip.status = 100  # so that the agent sends nothing
            return
        task = asyncio.get_running_loop().create_task(self._take(sip))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, sip: IncomingCall) -> None:
        text = self.text and b"m=text" in sip.remote_sdp
        media = await CallMedia.open(self._media, f"{self.name} {len(self.calls) + 1}", host="127.0.0.1", text=text)
        call = RoomCall(self, sip, media)
        mark = mark_of(sip.request)
        if mark is not None:
            call.marks.append(mark)
        sip.on_info = call.informed
        sip.on_change(lambda _sip, what: self._changed(call, what))
        self.calls.append(call)
        self._came.set()
        match self.does:
            case "answer":
                sip.ring()
                await call.answer()
            case "ring":
                sip.ring()
            case "busy":
                sip.reject(486)
            case "broken":
                sip.reject(500)
            case "gone":
                sip.reject(603)

    def _changed(self, call: RoomCall, what: str) -> None:
        if what == "confirmed" and call.media.is_open:
            call.media.take_answer(call.sip.remote_sdp)
            task = asyncio.get_running_loop().create_task(call.media.join())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @property
    def target(self) -> str:
        """Where it takes calls."""
        host, port = self.agent.address
        return f"{host}:{port}"

    async def call(self, number: int = 1, *, within: float = 60.0) -> RoomCall:
        """The nth call that comes, once it is there."""
        async with asyncio.timeout(within):
            while len(self.calls) < number:
                self._came.clear()
                await self._came.wait()
        return self.calls[number - 1]


class Town:
    """A network, and all who are connected to it."""

    def __init__(self, context: Context, media: MediaService, stack: AsyncExitStack) -> None:
        self.context, self.media = context, media
        self.stack = stack
        self.network: EmergencyNetwork
        self.driver: NetworkDriver
        self.simulators: Context
        self.rooms: dict[str, Room] = {}
        self.phones: list[CallerPhone] = []

    @property
    def journal(self) -> Journal:
        """What drivers see."""
        return self.context.journal

    @property
    def room(self) -> Room:
        """The first control room."""
        return next(iter(self.rooms.values()))

    def told(self, kind: str, **data: Any) -> list[Event]:
        """What the network told so far of that kind."""
        fitting = [each for each in self.journal if (each.source, each.kind) == ("network", kind)]
        return [each for each in fitting if all(each.data.get(key) == value for key, value in data.items())]

    async def phone(self, number: str = MOBILE, *, name: str = "caller", **options: Any) -> CallerPhone:
        """Somebody's telephone."""
        phone = await CallerPhone.open(
            self.context,
            self.media,
            name,
            network=self.network.caller_address,
            number=number,
            **{"permit": anything, "permit_locate": anything, **options},
        )
        self.stack.push_async_callback(phone.close)
        self.phones.append(phone)
        return phone

    async def speaks(self, phone: CallerPhone, number: str = "999", **options: Any) -> PhoneCall:
        """A caller who dials and, when answered, asks for help."""
        call = await phone.dial(number, **options)
        await call.answered(within=30.0)
        await call.say(ANNOUNCEMENTS.caller_999)
        return call

    async def connected(self, call: str = "em-1", *, within: float = 60.0) -> RoomCall:
        """The first room's latest call, once the network has a call connected."""
        await self.driver.expect("call.connected", within=within, call=call)
        return self.room.calls[-1]

    async def operator(self, desk: str = "operator-1") -> EmergencyOperator:
        """Somebody at a desk."""
        operator = await EmergencyOperator.open(
            self.context, self.media, desk, control=self.network.control_url, desk=desk, permit=anything
        )
        self.stack.push_async_callback(operator.close)
        return operator

    def http(self) -> httpx.AsyncClient:
        """A plain client of the control interface."""
        return http_client(f"{self.network.control_url}/v1", timeout=5.0)

    async def record(self, call: str = "em-1") -> dict[str, Any]:
        """A call's record."""
        return await self.driver.record(call)


@asynccontextmanager
async def town(
    layout: dict[str, Any] | None = None,
    *,
    rooms: tuple[str, ...] = ("room",),
    knows_marks: bool = True,
    seed: int = 1,
    **options: Any,
) -> AsyncIterator[Town]:
    """A network on the running loop whose primary route leads to the first room, secondary to the second, and so on.

    In `layout` a route's ``to`` names a room.
    """
    async with AsyncExitStack() as stack:
        context, simulators = Context.create(seed=seed), Context.create(seed=seed + 1)
        media = await open_media(context, in_process=True)
        stack.push_async_callback(media.close)
        inner = await open_media(simulators, in_process=True)
        stack.push_async_callback(inner.close)
        made = Town(context, media, stack)
        for name in rooms:
            room = made.rooms[name] = Room(name, media, knows_marks=knows_marks)
            room.agent = await UserAgent.open(context, name, on_invite=room.invited, abilities=room.abilities)
            stack.push_async_callback(room.agent.close)
        settings = {
            "authorities": [{"name": "police", "routes": [{"to": name} for name in rooms[:3]]}],
            "operators": {**QUICK},
            "routing": {"ping_s": 0},
        }
        settings |= layout or {}
        made.simulators = simulators
        made.network = await EmergencyNetwork.start(
            simulators,
            inner,
            EmergencySettings.model_validate(settings),
            announcements=ANNOUNCEMENTS,
            resolve=lambda name: made.rooms[name].agent.address if name in made.rooms else None,
            **{"permit_dial": anything, "permit_locate": anything, **options},
        )
        stack.push_async_callback(made.network.stop)
        made.driver = await NetworkDriver.open(
            context, "network", control=made.network.control_url, token=settings.get("token"), permit=anything
        )
        stack.push_async_callback(made.driver.close)
        yield made


def tone(seconds: float, *, hertz: float = 800.0, dbov: float = -20.0) -> Samples:
    """A steady tone."""
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (np.sin(2 * np.pi * hertz * at) * 32768 * 10 ** (dbov / 20)).astype(np.int16)


def tap() -> Samples:
    """A tap on the telephone: 15 ms of it."""
    return np.concatenate([tone(0.015, hertz=1200.0, dbov=-10.0), np.zeros(200, np.int16)])


def level(samples: Samples) -> float:
    """How loud some sound is on average, dBov."""
    power = float(np.mean(samples.astype(np.float64) ** 2)) if len(samples) else 0.0
    return -96.0 if power <= 0 else 10 * np.log10(power / 32768**2)


__all__ = ["AmlPlan", "Town", "town"]
