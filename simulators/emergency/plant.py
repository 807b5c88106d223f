"""What all parts of the network share: its agents, its media, its settings, its records, and what runs beside."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from harness.endpoints.media import MediaService
from harness.endpoints.sip.agent import UserAgent
from harness.journal import Event, Journal
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context
from simulators.emergency.announcements import Announcements, ringing_tone
from simulators.emergency.faults import Faults
from simulators.emergency.records import Records
from simulators.emergency.routes import Authorities
from simulators.emergency.settings import EmergencySettings, OperatorSettings
from simulators.events import Events
from simulators.settings import Span

if TYPE_CHECKING:
    from simulators.emergency.call import EmergencyCall
    from simulators.emergency.leg import Leg

MAX_CALLS: Final = 2_000
"""Calls at once; a caller beyond them gets 503."""
HEARD: Final = frozenset(("dtmf.received", "voice.started", "voice.ended", "text.received"))
"""What a party's media tells that the network looks at."""


@dataclass(slots=True)
class Plant:
    """The network's insides."""

    name: str
    context: Context
    media: MediaService
    settings: EmergencySettings
    announcements: Announcements
    events: Events
    authorities: Authorities
    operators: OperatorSettings
    """How operators work now; the control interface changes it."""
    faults: Faults = field(default_factory=Faults)
    records: Records = field(default_factory=Records)
    calls: dict[str, EmergencyCall] = field(default_factory=dict)
    """Those that are not over, by id."""
    legs: dict[str, Leg] = field(default_factory=dict)
    """Every party that has media, by the name of its ports."""
    numbers: count[int] = field(default_factory=lambda: count(1))
    tone: Samples = field(default_factory=ringing_tone)
    tasks: dict[asyncio.Task[None], None] = field(default_factory=dict)
    callers: UserAgent = field(init=False)
    """The SIP side towards callers' telephones."""
    trunk: UserAgent = field(init=False)
    """The SIP side towards control rooms."""

    @property
    def journal(self) -> Journal:
        """The simulators' journal."""
        return self.context.journal

    def now(self) -> float:
        """The run's time, seconds."""
        return round(self.context.journal.now(), 6)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside; it ends with the network at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks[task] = None
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            told = {"message": "the emergency network failed at something", "exception": error}
            asyncio.get_running_loop().call_exception_handler(told)

    def hear(self, event: Event) -> None:
        """Hand on what was heard on a party's media: keys, voice, text."""
        leg = self.legs.get(event.source)
        if leg is not None and leg.heard is not None and event.kind in HEARD:
            leg.heard(event)

    def new_uuid(self) -> uuid.UUID:
        """A call's identity, of the run's seed."""
        return uuid.UUID(int=self.context.rng.getrandbits(128), version=4)

    def drawn(self, span: Span, *about: object) -> float:
        """A time within a span, which the seed and what it is about settle, whatever else goes on."""
        rng = random.Random(f"emergency {self.settings.seed} {' '.join(map(str, about))}")
        return rng.uniform(span.least, span.most)

    async def stop(self) -> None:
        """End what runs beside."""
        while self.tasks:
            for task in tuple(self.tasks):
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
