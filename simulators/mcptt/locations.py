"""Where users are, at the MCPTT server: terminals configured as they register, reports kept and passed on.

3GPP TS 24.379 clause 13.2. Reports are passed on to who asked, and to those who are told of all (TS 23.280 clause
10.9.3.6: subscribed by the service's configuration, as how a terminal subscribes by SIP is not in TS 24.379).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from harness.errors import McpttError
from harness.protocols.mcptt.info import McpttInfo
from harness.protocols.mcptt.location import (
    LOCATION_TYPE,
    Location,
    Place,
    PlaceRequest,
    Report,
    Triggers,
    read_location,
    write_location,
)
from harness.protocols.sip import body
from harness.transport.context import Context
from simulators.mcptt.desk import MessageDesk
from simulators.mcptt.settings import McpttSettings, UserSettings

ASKED_S: Final = 30.0
"""Seconds for which a report is passed on to whoever asked for it."""
MAX_ASKERS: Final = 16
"""Users who wait for one user's report; more are refused."""


class Locations:
    """One server's."""

    def __init__(self, context: Context, settings: McpttSettings, name: str, desk: MessageDesk) -> None:
        self.places: dict[str, Place] = {}
        """The last place of each user."""
        self._journal = context.journal
        self._settings = settings
        self._triggers = settings.location.triggers()
        self._name = name
        self._desk = desk
        self._configured: set[str] = set()
        self._subscribed = tuple(each.name for each in settings.users if each.is_told_places)
        self._askers: dict[str, dict[str, float]] = {}
        """By user who is asked for: who asks, and until when."""

    def registered(self, user: str) -> None:
        """A user's registration changed: once it is there, the terminal is told when to report."""
        if not self._desk.is_there(user):
            self._configured.discard(user)
        elif user not in self._configured and self._settings.user(user) and self._triggers != Triggers():
            self._configured.add(user)
            self._send(user, McpttInfo(request_uri=self._desk.id_of(user)), self._triggers)

    def received(self, user: UserSettings, info: McpttInfo, content: bytes) -> int:
        """A user's document; returns the status that answers it."""
        try:
            said = read_location(content)
        except McpttError as error:
            self._journal.warn(self._name, "location.unreadable", user=user.name, why=str(error))
            return 400
        match said:
            case Report():
                self._reported(user.name, said)
                return 200
            case PlaceRequest():
                return self._asked(user, info.request_uri.partition(":")[2].partition("@")[0])
            case Triggers():
                return 403  # the server's to say

    def _reported(self, user: str, report: Report) -> None:
        told: dict[str, Any] = {"user": user, "triggers": list(report.triggers), "emergency": report.emergency}
        if report.place is not None:
            self.places[user] = report.place
            told |= {"lat": report.place.latitude, "lon": report.place.longitude}
        self._journal.append(self._name, "location.reported", told)
        now = asyncio.get_running_loop().time()
        askers = [asker for asker, until in self._askers.pop(user, {}).items() if now <= until]
        for other in dict.fromkeys((*askers, *self._subscribed)):
            if other != user:
                info = McpttInfo(request_uri=self._desk.id_of(other), calling_user=self._desk.id_of(user))
                self._send(other, info, report)

    def _asked(self, asker: UserSettings, user: str) -> int:
        """Somebody asks where somebody is: the terminal is asked, and what it says is passed on."""
        if not asker.may_locate:
            self._journal.warn(self._name, "location.refused", user=user, asker=asker.name)
            return 403
        if self._settings.user(user) is None:
            return 404
        if not self._desk.is_there(user):
            return 480
        now = asyncio.get_running_loop().time()
        askers = {name: until for name, until in self._askers.get(user, {}).items() if until > now}
        if len(askers) >= MAX_ASKERS and asker.name not in askers:
            return 486
        self._askers[user] = {**askers, asker.name: now + ASKED_S}
        self._send(user, McpttInfo(request_uri=self._desk.id_of(user)), PlaceRequest(f"by-{asker.name}"))
        return 200

    def _send(self, user: str, info: McpttInfo, said: Location) -> None:
        self._desk.send(user, info, body.Part(LOCATION_TYPE, write_location(said)))

    def shown(self) -> dict[str, Any]:
        """What the control interface tells."""
        return {user: {"lat": place.latitude, "lon": place.longitude} for user, place in self.places.items()}
