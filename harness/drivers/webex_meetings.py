"""What Webex accounts do with meetings: make them, let people in, record them; and what is told of them."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final

from harness.drivers.webex_calls import WebexCalls
from harness.errors import ExpectationError
from harness.protocols.times import to_iso

MEETING_LASTS_S: Final = 3_600.0
LOOKS_EVERY_S: Final = 0.1


class WebexMeetings(WebexCalls):
    """The meeting part of Webex."""

    prefix: str

    @abstractmethod
    def _email(self, account: str) -> str:
        """An account's address."""

    @abstractmethod
    def _keep(self, kind: str, made: dict[str, Any], by: str) -> None:
        """Remember what is taken away at the end."""

    async def make_meeting(self, title: str, *, by: str, invite: Sequence[str] = ()) -> dict[str, Any]:
        """Make a meeting whose title begins with the prefix and invite accounts; return it with its number."""
        now = self._clock()
        body = {
            "title": f"{self.prefix}{title}",
            "start": to_iso(now),
            "end": to_iso(now + MEETING_LASTS_S),
            "invitees": [{"email": self._email(each)} for each in invite],
        }
        made: dict[str, Any] = await (await self.account(by)).ask("POST", "/meetings", body)
        self._keep("meetings", made, by)
        self._journal.record(self.name, "webex.meeting_made", meeting=made["id"], account=by)
        return made

    async def participants(self, meeting: str, *, by: str) -> list[dict[str, Any]]:
        """Who is at a meeting, was, or waits in its lobby, as its host sees it."""
        client = await self.account(by)
        found: list[dict[str, Any]] = (await client.ask("GET", "/meetingParticipants", query={"meetingId": meeting}))[
            "items"
        ]
        return found

    async def expect_participant(
        self, meeting: str, state: str, *, number: str, by: str, within: float
    ) -> dict[str, Any]:
        """The one at this number who is in this state: ``lobby``, ``joined`` or ``end``. Raises ExpectationError."""
        seen: list[str] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    found = [
                        each
                        for each in await self.participants(meeting, by=by)
                        if each["devices"][-1].get("phoneNumber") == number
                    ]
                    seen = [each["state"] for each in found]
                    for each in found:
                        if each["state"] == state:
                            self._journal.record(self.name, "webex.participant_seen", meeting=meeting, state=state)
                            return each
                    await asyncio.sleep(LOOKS_EVERY_S)
        raise ExpectationError(
            f"{self.name}: {number} was to be {state} in the meeting within {within:g} s, "
            f"and is {', '.join(seen) or 'not there'}"
        )

    async def admit(self, participant: str, *, by: str) -> None:
        """Let somebody in who waits in the lobby."""
        body = {"items": [{"participantId": participant}]}
        await (await self.account(by)).ask("POST", "/meetingParticipants/admit", body)
        self._journal.record(self.name, "webex.admitted", participant=participant, account=by)

    async def expel(self, participant: str, *, by: str) -> None:
        """Put somebody out."""
        await (await self.account(by)).ask("PUT", f"/meetingParticipants/{participant}", {"expel": True})
        self._journal.record(self.name, "webex.expelled", participant=participant, account=by)

    async def record_meeting(self, meeting: str, *, on: bool, by: str) -> None:
        """Begin to record a meeting, or end it."""
        client = await self.account(by)
        await client.ask("PUT", "/meetings/controls", {"recordingStarted": on}, query={"meetingId": meeting})
        self._journal.record(self.name, "webex.meeting_recorded", meeting=meeting, on=on, account=by)

    async def recordings(self, meeting: str, *, by: str) -> list[dict[str, Any]]:
        """A meeting's recordings."""
        client = await self.account(by)
        return [each async for each in client.listed("/recordings", query={"meetingId": meeting})]
