"""Spates: crowds of callers who dial 999 over SIP, at a rate and with a mix of behaviours that a seed settles."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from harness.endpoints.media import MediaPort
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.speech import join_speech
from harness.errors import HarnessError, LocalError, MediaError
from harness.protocols import sdp
from simulators.emergency.plant import Plant
from simulators.settings import Span, Strict

MAX_SPATES: Final = 8
"""Spates at once."""
MAX_KEPT: Final = 64
"""Spates whose figures are kept."""
MAX_CROWD: Final = 1_000
"""Callers of one spate, as many as Ofcom reserves mobile numbers."""
BURST, BURST_SHARE = 0.1, 0.8
"""In a burst, this part of the time has this part of the callers, and more."""
PRESSES_EVERY_S: Final = 4.0
"""How often a caller who can't speak presses 55."""

Shape = Literal["steady", "poisson", "burst", "ramp"]


class Behaviour(StrEnum):
    """What a caller of a crowd does."""

    SPEAK = "speak"
    """Answers the operator, talks, hangs up."""
    PRESS_55 = "press_55"
    """Says nothing and presses 55 again and again."""
    SILENT = "silent"
    """Says nothing at all, and stays."""
    ABANDON = "abandon"
    """Hangs up before anybody can do anything."""


class SpateSettings(Strict):
    """One spate."""

    calls: int = Field(ge=1, le=MAX_CROWD)
    seconds: float = Field(gt=0, le=3600)
    """Over which they come."""
    shape: Shape = "steady"
    """Evenly; at random; four in five in the first tenth; from none to twice the mean."""
    callers: dict[Behaviour, float] = Field(default={Behaviour.SPEAK: 1.0}, min_length=1)
    """How many parts of the crowd do what."""
    talk_s: Span = Span(least=10, most=30)
    """How long one talks, from the operator's answer on."""
    abandon_s: Span = Span(least=1, most=8)
    """When one gives up, from dialling on."""
    dialled: Literal["999", "112"] = "999"
    seed: int = 1

    @model_validator(mode="after")
    def _parts(self) -> SpateSettings:
        if any(not 0 <= part <= 1_000 for part in self.callers.values()) or not sum(self.callers.values()):
            raise ValueError("the parts of 'callers' are 0 to 1000 each, and not all 0")
        return self

    def each(self) -> list[tuple[float, Behaviour, float]]:
        """When each caller dials (seconds from the beginning), what it does, and how long it takes about it."""
        rng = random.Random(f"spate {self.seed}")
        kinds, parts = list(self.callers), list(self.callers.values())
        found = []
        for start in sorted(self._starts(rng)):
            kind = rng.choices(kinds, parts)[0]
            span = self.abandon_s if kind is Behaviour.ABANDON else self.talk_s
            found.append((start, kind, rng.uniform(span.least, span.most)))
        return found

    def _starts(self, rng: random.Random) -> list[float]:
        if self.shape == "steady":
            return [index * self.seconds / self.calls for index in range(self.calls)]
        return [self.seconds * self._share(rng) for _ in range(self.calls)]

    def _share(self, rng: random.Random) -> float:
        """How far into the spate a caller dials, 0 to 1."""
        drawn = rng.random()
        if self.shape == "burst":
            return drawn * BURST if rng.random() < BURST_SHARE else drawn
        return drawn**0.5 if self.shape == "ramp" else drawn


class SpateError(LocalError):
    """A spate that is not there, or one too many."""


@dataclass(slots=True)
class Spate:
    """One spate under way, or over."""

    id: str
    settings: SpateSettings
    begun: float
    figures: Counter[str] = field(default_factory=Counter)
    """Callers that have dialled, were answered, refused, are over."""
    task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether its last caller is gone."""
        return self.task is None or self.task.done()

    def shown(self) -> dict[str, Any]:
        """As JSON holds it."""
        figures = {name: self.figures[name] for name in ("dialled", "answered", "refused", "over")}
        return {"spate": self.id, "calls": self.settings.calls, "begun": self.begun, "over": self.is_over, **figures}


class Crowds:
    """All spates of one network."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._numbers = count(1)
        self._spates: dict[str, Spate] = {}
        self._agent: UserAgent | None = None

    async def start(self, settings: SpateSettings) -> Spate:
        """Let a crowd begin to call. Raises SpateError when MAX_SPATES are under way, TransportError."""
        under_way = [each for each in self._spates.values() if not each.is_over]
        if len(under_way) >= MAX_SPATES:
            raise SpateError(f"{MAX_SPATES} spates are under way already")
        for old in [each for each in self._spates.values() if each.is_over][: max(0, len(self._spates) - MAX_KEPT + 1)]:
            del self._spates[old.id]
        if self._agent is None:
            plant = self._plant
            local = (plant.settings.host, 0)
            self._agent = await UserAgent.open(
                plant.context, f"{plant.name} crowd", local=local, user="crowd", trace=False
            )
        spate = Spate(f"spate-{next(self._numbers)}", settings, self._plant.now())
        self._spates[spate.id] = spate
        spate.task = self._plant.spawn(self._run(spate, self._agent))
        return spate

    def get(self, id_: str) -> Spate:
        """One spate. Raises SpateError."""
        try:
            return self._spates[id_]
        except KeyError:
            raise SpateError(f"there is no spate {id_!r}") from None

    async def stop(self) -> None:
        """End all of them."""
        tasks = [spate.task for spate in self._spates.values() if spate.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._agent is not None:
            await self._agent.close()

    async def cancel(self, id_: str) -> Spate:
        """End one: who has called hangs up. Raises SpateError."""
        spate = self.get(id_)
        if spate.task is not None:
            spate.task.cancel()
            await asyncio.gather(spate.task, return_exceptions=True)
        return spate

    async def _run(self, spate: Spate, agent: UserAgent) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        self._plant.events.tell("spate.begun", spate=spate.id, calls=spate.settings.calls)
        # In the order in which they dialled, which a task group would not keep when they are cancelled.
        callers: list[asyncio.Task[None]] = []
        try:
            for index, (start, kind, seconds) in enumerate(spate.settings.each()):
                await asyncio.sleep(max(0.0, begun + start - loop.time()))
                number = f"+447700900{index:03d}"
                caller = self._caller(spate, agent, f"{spate.id} {index}", number, kind, seconds)
                callers.append(loop.create_task(caller))
            await asyncio.gather(*callers)
        finally:
            for each in callers:
                each.cancel()
            await asyncio.gather(*callers, return_exceptions=True)
            self._plant.events.tell("spate.ended", **spate.shown())

    async def _caller(
        self, spate: Spate, agent: UserAgent, name: str, number: str, kind: Behaviour, seconds: float
    ) -> None:
        plant = self._plant
        host, port_number = plant.callers.address
        port = sip = None
        try:
            port = await plant.media.open_port(f"{plant.name} {name}", host=plant.settings.host)
            offer = sdp.offer(*port.address)
            target = f"sip:{spate.settings.dialled}@{host}:{port_number}"
            sip = agent.invite(target, offer=offer, caller=f"<sip:{number}@{host}>")
            spate.figures["dialled"] += 1
            if kind is Behaviour.ABANDON:
                await _gone_within(sip, seconds)
                return
            await sip.answered(within=3600.0)
            spate.figures["answered"] += 1
            await join_speech(port, sdp.negotiated(offer, sip.remote_sdp))
            if kind is Behaviour.SPEAK:
                await port.play(plant.announcements.caller_999)
            if kind is Behaviour.PRESS_55:
                await _press_until(sip, port, asyncio.get_running_loop().time() + seconds)
            else:
                await _gone_within(sip, seconds if kind is Behaviour.SPEAK else 3600.0)
        except HarnessError as error:
            spate.figures["refused"] += 1
            plant.journal.record(plant.name, "spate.caller_failed", caller=name, reason=str(error))
        finally:
            if sip is not None and not sip.is_over:
                sip.hang_up()
            if port is not None:
                await port.close()
            spate.figures["over"] += 1


async def _gone_within(sip: Call, seconds: float) -> None:
    """Wait so long, or until the call is over."""
    try:
        await sip.ended(within=seconds)
    except HarnessError:
        return


async def _press_until(sip: Call, port: MediaPort, until: float) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() < until and not sip.is_over:
        await _gone_within(sip, min(PRESSES_EVERY_S, max(0.01, until - loop.time())))
        if not sip.is_over:
            try:
                await port.send_dtmf("55")
            except MediaError:
                return
