"""An enterprise switch for the tests beside it: simulator, telephones and trunk peers on one virtual network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import numpy as np

from harness.drivers.telephone import Telephone
from harness.drivers.telephone_call import TelephoneCall
from harness.endpoints.media import MediaService, open_media
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.journal import Event, Journal
from harness.measure.correlate import correlation
from harness.measure.emodel import quality
from harness.protocols.cdr.flat_file import read
from harness.protocols.cdr.records import CallRecord, MediaRecord
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.transport.context import Context
from harness.transport.https import http_client
from simulators.switch.settings import SwitchSettings
from simulators.switch.simulator import SwitchSimulator
from simulators.switch.switch import EnterpriseSwitch

PASSWORD = "test-telephone"
LINES = [
    {
        "number": "3101",
        "name": "Front Desk",
        "external": "+441314960101",
        "password": PASSWORD,
        "pickup_group": "front",
    },
    {
        "number": "3102",
        "name": "Back Office",
        "external": "+441314960102",
        "password": PASSWORD,
        "pickup_group": "front",
    },
    {"number": "3103", "name": "Duty Inspector", "external": "+441314960103", "password": PASSWORD},
    {"number": "3104", "name": "Custody", "password": PASSWORD, "voicemail": False},
]
LAYOUT: dict[str, Any] = {"lines": LINES}
SPEECH = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
)
"""What a bare trunk peer says of its speech."""
ALIKE = 0.8
"""Correlation from which what was heard is what was said."""
OTHER = 0.35
"""What another clip correlates with at most."""


def anything(*_asked: object) -> None:
    """A permit for all."""


def score(codec: str, *, delay_ms: float, loss: float) -> float:
    """The E-model."""
    return quality(codec, delay_ms=delay_ms, loss=loss).mos


def clip(seed: int, seconds: float = 1.0) -> Samples:
    """Noise that is like no other: so that who is heard can be told."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 1, round(seconds * SAMPLE_RATE))
    smooth = np.convolve(noise, np.ones(4) / 4, "same")
    return np.rint(smooth / np.abs(smooth).max() * 12_000).astype(np.int16)


class Exchange:
    """A running switch and what is registered at it."""

    def __init__(
        self,
        context: Context,
        media: MediaService,
        simulators: Context,
        simulator: SwitchSimulator,
        stack: AsyncExitStack,
    ) -> None:
        self.context, self.media, self.simulators, self.simulator = context, media, simulators, simulator
        self.stack = stack

    @property
    def switch(self) -> EnterpriseSwitch:
        return self.simulator.switch

    @property
    def journal(self) -> Journal:
        """What telephones and peers see."""
        return self.context.journal

    @property
    def inside(self) -> Journal:
        """What the switch notes for itself."""
        return self.simulators.journal

    def told(self, kind: str) -> list[Event]:
        """What the switch noted of a kind."""
        return [event for event in self.inside if event.kind == kind]

    async def telephone(self, number: str, *, name: str = "", **options: Any) -> Telephone:
        """A telephone of a line, switched on."""
        telephone = await Telephone.open(
            self.context,
            self.media,
            name or f"phone-{number}",
            number=number,
            password=PASSWORD,
            **{"homes": [self.simulator.sip_address], "permit": anything, **options},
        )
        self.stack.push_async_callback(telephone.close)
        return telephone

    async def telephones(self, *numbers: str) -> list[Telephone]:
        return [await self.telephone(number) for number in numbers]

    async def peer(self, name: str, local: tuple[str, int] = ("127.0.0.1", 0), **options: Any) -> UserAgent:
        """A bare user agent: a trunk's other end, or whoever is needed."""
        agent = await UserAgent.open(self.context, name, local=local, **options)
        self.stack.push_async_callback(agent.close)
        return agent

    async def taker(
        self, name: str, port: int, *, refuses: int = 0, ignores: bool = False
    ) -> tuple[UserAgent, list[IncomingCall]]:
        """A trunk's other end that answers calls, refuses them, or does nothing with them; and the calls it got."""
        came: list[IncomingCall] = []

        def invited(call: IncomingCall) -> None:
            came.append(call)
            if refuses:
                call.reject(refuses)
            elif not ignores:
                call.ring()
                call.answer(SPEECH.format(port=port + 1000).encode())

        return await self.peer(name, ("127.0.0.1", port), on_invite=invited), came

    def http(self, token: str | None = None) -> httpx.AsyncClient:
        return http_client(f"{self.simulator.control_url}/v1", timeout=5.0, token=token)

    def records(self) -> tuple[list[CallRecord], list[MediaRecord]]:
        """All records that the files in its folder hold."""
        self.switch.records.flush()
        calls: list[CallRecord] = []
        media: list[MediaRecord] = []
        for path in sorted(self.simulator.folder.iterdir(), key=lambda path: int(path.name.rpartition("_")[2])):
            found = read(path.read_bytes(), path.name)
            if found.tag == "cdr":
                calls += [CallRecord.of_row(row) for row in found.rows]
            else:
                media += [MediaRecord.of_row(row) for row in found.rows]
        return calls, media


@asynccontextmanager
async def exchange(layout: dict[str, Any] | None = None, *, seed: int = 1, **options: Any) -> AsyncIterator[Exchange]:
    """A switch on the running loop."""
    async with AsyncExitStack() as stack:
        context, simulators = Context.create(seed=seed), Context.create(seed=seed + 1)
        media = await open_media(context, in_process=True)
        stack.push_async_callback(media.close)
        inner = await open_media(simulators, in_process=True)
        stack.push_async_callback(inner.close)
        settings = SwitchSettings.model_validate(LAYOUT | (layout or {}))
        simulator = await SwitchSimulator.start(
            simulators, inner, settings, virtual=True, **{"score": score, "permit": anything, **options}
        )
        stack.push_async_callback(simulator.stop)
        async with AsyncExitStack() as outside:
            yield Exchange(context, media, simulators, simulator, outside)


async def connected(caller: Telephone, called: Telephone, number: str = "") -> tuple[TelephoneCall, TelephoneCall]:
    """A call between two telephones, answered."""
    call = await caller.dial(number or called.number)
    rung = await called.rings()
    await rung.answer()
    await call.answered(within=5)
    return call, rung


async def hears(mouth: TelephoneCall, ear: TelephoneCall, seed: int = 7) -> float:
    """How like what is said at one telephone is what the other hears."""
    said = clip(seed)
    await ear.record()
    await mouth.say(said)
    await asyncio.sleep(1.6)
    return correlation(said, (await ear.recorded()).samples)


async def speak(first: TelephoneCall, second: TelephoneCall) -> None:
    """Hold it to that two telephones hear each other."""
    assert await hears(first, second, 7) > ALIKE
    assert await hears(second, first, 8) > ALIKE


async def until(true: Callable[[], bool], *, within: float = 10.0) -> None:
    """Return once `true()`; fail when it takes longer, in virtual time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not true():
        assert loop.time() < deadline, f"not within {within:g} s"
        await asyncio.sleep(0.01)


def warnings(journal: Journal) -> list[Event]:
    """What a reader should look at."""
    return [event for event in journal if event.data.get("severity") == "warning"]
