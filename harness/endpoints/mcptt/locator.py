"""Where an MCPTT terminal is: told to the server as it was configured, when asked and in an emergency; asked of others.

3GPP TS 24.379 clause 13.3: configuration, request and report are SIP MESSAGEs of the server and the terminal.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from harness.endpoints.mcptt.station import Station
from harness.errors import McpttError, McpttLocalError
from harness.protocols.location.shapes import Point, distance
from harness.protocols.mcptt.info import McpttInfo
from harness.protocols.mcptt.location import (
    CONFIGURED,
    DISTANCE,
    LOCATION_TYPE,
    LOG_ON,
    PERIODIC,
    Location,
    Place,
    PlaceRequest,
    Report,
    Triggers,
    read_location,
    write_location,
)
from harness.protocols.sip import body

MAX_ASKED: Final = 16
"""Reports of ours that may be under way."""


class Locator:
    """One terminal's.

    Events, under its name: ``location.configured`` {periodic_s, distance_m, minimum_s}, ``location.reported``
    {triggers, emergency, lat, lon}, ``location.told`` {user, lat, lon} (another's, that was asked for),
    ``location.unknown`` {user}, ``location.unsent`` {why}, ``location.unreadable`` {why}.
    """

    def __init__(self, station: Station, service: str) -> None:
        self.place: Place | None = None
        """Where it is, as its receiver has it; None: it knows no place, and tells none."""
        self.triggers = Triggers()
        """When it tells by itself."""
        self._station = station
        self._service = service
        self._told_at: float | None = None
        self._told: Place | None = None
        self._due: asyncio.TimerHandle | None = None
        self._under_way = 0
        self._logged_on = False

    async def moved(self, place: Place) -> None:
        """The terminal is somewhere else: it tells where, if the way since it last did is long enough."""
        self.place = place
        way = self.triggers.distance_m
        if way is None:
            return
        if self._told is None or _way(self._told, place) >= way:
            await self._by_itself(DISTANCE)

    async def report(self, *triggers: str, emergency: bool = False, answers: str = "") -> None:
        """Tell the server where it is. Raises McpttLocalError where it does not take it, or no place is known."""
        if self.place is None:
            raise McpttLocalError(f"{self._station.name} does not know where it is")
        told = Report(self.place, tuple(self.triggers.name(each) for each in triggers), answers, emergency)
        loop = asyncio.get_running_loop()
        before = self._told_at, self._told
        self._told_at, self._told = loop.time(), self.place
        try:
            await self._send(McpttInfo(), told)
        except McpttLocalError:
            self._told_at, self._told = before
            raise
        self._station.context.journal.record(
            self._station.name,
            "location.reported",
            triggers=list(told.triggers),
            emergency=emergency,
            lat=self._told.latitude,
            lon=self._told.longitude,
        )

    async def ask(self, user: str) -> None:
        """Ask where another user is; ``location.told`` has it. ``user``: the MCPTT ID. Raises McpttLocalError."""
        await self._send(McpttInfo(request_uri=user), PlaceRequest())

    def log_on(self) -> None:
        """The terminal has registered: it tells where it is, if the server wants it then."""
        self._logged_on = True
        if self.triggers.at_log_on and self.place is not None:
            self._soon(LOG_ON)

    def received(self, content: bytes, info: McpttInfo) -> int:
        """A document of the server's; returns the status that answers it."""
        try:
            said = read_location(content)
        except McpttError as error:
            self._station.warn("location.unreadable", why=str(error))
            return 400
        match said:
            case Triggers():
                self._configure(said)
            case PlaceRequest():
                self._soon(answers=said.id)
            case Report():
                self._hear(said, info.calling_user)
        return 200

    def close(self) -> None:
        """Tell nothing by itself any more."""
        self.triggers = Triggers()
        if self._due is not None:
            self._due.cancel()

    # What the server wants

    def _configure(self, triggers: Triggers) -> None:
        first, self.triggers = self.triggers == Triggers(), triggers
        told = {"periodic_s": triggers.periodic_s, "distance_m": triggers.distance_m, "minimum_s": triggers.minimum_s}
        self._station.context.journal.append(self._station.name, "location.configured", told)
        self._wait()
        wanted = [CONFIGURED] if triggers.when_configured else []
        if first and self._logged_on and triggers.at_log_on:
            wanted.append(LOG_ON)  # the configuration comes once we are registered
        if wanted and self.place is not None:
            self._soon(*wanted)

    def _hear(self, report: Report, user: str) -> None:
        name = user.removeprefix("sip:").partition("@")[0]
        if report.place is None:
            self._station.context.journal.record(self._station.name, "location.unknown", user=name)
            return
        place = report.place
        self._station.context.journal.record(
            self._station.name, "location.told", user=name, lat=place.latitude, lon=place.longitude
        )

    def _wait(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self.triggers.periodic_s is not None:
            self._due = asyncio.get_running_loop().call_later(self.triggers.periodic_s, self._period)

    def _period(self) -> None:
        self._wait()
        if self.place is not None:
            self._soon(PERIODIC)

    # Telling

    def _soon(self, *triggers: str, answers: str = "") -> None:
        if self._under_way >= MAX_ASKED:
            self._station.warn("location.unsent", why=f"{MAX_ASKED} reports are under way")
            return
        self._under_way += 1
        self._station.task(self._tell(triggers, answers))

    async def _tell(self, triggers: tuple[str, ...], answers: str) -> None:
        try:
            if triggers:
                await self._by_itself(*triggers)
            elif self.place is None:
                await self._send(McpttInfo(), Report(None, id=answers))
            else:
                await self.report(answers=answers)
        except McpttLocalError as error:
            self._station.warn("location.unsent", why=str(error))
        finally:
            self._under_way -= 1

    async def _by_itself(self, *triggers: str) -> None:
        """Report, unless the last report is too new."""
        now = asyncio.get_running_loop().time()
        if self._told_at is None or now >= self._told_at + self.triggers.minimum_s:
            await self.report(*triggers)

    async def _send(self, info: McpttInfo, said: Location) -> None:
        own = replace(info, calling_user=self._station.user)
        await self._station.message(self._service, own, body.Part(LOCATION_TYPE, write_location(said)))


def _way(one: Place, other: Place) -> float:
    return distance(Point(one.latitude, one.longitude), Point(other.latitude, other.longitude))
