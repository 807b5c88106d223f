"""Where an MCPTT handset is: set as its receiver would, told to the server, asked of another handset."""

from __future__ import annotations

from typing import Final, Protocol

from harness.drivers.mcptt_floor import KeyedHandset
from harness.errors import DriverError, McpttLocalError
from harness.journal import Event
from harness.protocols.mcptt.location import Place

ASKED_S: Final = 10.0
"""Seconds within which another handset's place is waited for."""


class SomePlace(Protocol):
    """Any protocol's position."""

    @property
    def latitude(self) -> float:
        """Degrees, north positive."""

    @property
    def longitude(self) -> float:
        """Degrees, east positive."""


class PlacedHandset(KeyedHandset):
    """The part of a handset that knows where it is.

    Events: ``location.sent`` {triggers, emergency, lat, lon}, ``location.received`` {user, lat, lon}.
    """

    async def move_to(self, place: SomePlace) -> None:
        """The handset is there now; it tells the server so when that is due, as the server configured it.

        Raises DriverError where the server does not take it, InterlockError where the testbed does not allow reports.
        """
        self._ask("message", self._own, 0)
        try:
            await self._terminal.locator.moved(Place(place.latitude, place.longitude))
        except McpttLocalError as error:
            raise DriverError(str(error)) from None

    async def send_location(self, place: SomePlace) -> None:
        """The handset is there now, and tells the server so at once. Raises as ``move_to``."""
        self._ask("message", self._own, 0)
        self._terminal.locator.place = Place(place.latitude, place.longitude)
        try:
            await self._terminal.locator.report()
        except McpttLocalError as error:
            raise DriverError(str(error)) from None

    async def ask_location(self, user: str, *, within: float = ASKED_S) -> Event:
        """Ask where ``user`` is and return ``location.received``.

        Raises DriverError where the server refuses, ExpectationError where no place comes, InterlockError where the
        testbed does not allow it: nothing has left then.
        """
        self._ask("message", user, 0)
        before = self._journal.position
        try:
            await self._terminal.locator.ask(self._id(user))
        except McpttLocalError as error:
            raise DriverError(str(error)) from None
        return await self._journal.expect(self.name, "location.received", within=within, after=before, user=user)

    @property
    def _own(self) -> str:
        return self._name(self._terminal.user)

    async def _tell_emergency(self) -> None:
        """Where an emergency is, where that is known: what goes wrong with it holds nothing else back."""
        if self._terminal.locator.place is None:
            return
        try:
            await self._terminal.locator.report(emergency=True)
        except McpttLocalError as error:
            self._journal.warn(self.name, "location.unsent", why=str(error))

    def _seen_places(self, event: Event) -> None:
        """What the endpoint reports of places."""
        if event.kind == "location.told":
            self._journal.record(self.name, "location.received", **event.data)
        elif event.kind == "location.reported":
            self._journal.record(self.name, "location.sent", **event.data)
