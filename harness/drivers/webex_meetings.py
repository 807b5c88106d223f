"""What Webex accounts do with meetings: make them, let people in, record them; and what is told of them."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from harness.drivers.webex_calls import WebexCalls, busy_since
from harness.drivers.webex_left import Left, remove
from harness.errors import DriverError, ExpectationError
from harness.protocols.times import to_iso

Guests = Literal["allowJoin", "allowJoinWithLobby", "blockFromJoin"]
MEETING_LASTS_S: Final = 3_600.0
RECORDING_THERE_S: Final = 1_800.0
"""Seconds within which a recording that was ended is there: a real service works on it first [unconfirmed]."""
RECORDING_LOOKS_EVERY_S: Final = 10.0
PRESENTATION: Final = "Conference.Presentation.Mode"
"""Of a RoomOS device: ``Off``, ``Sending`` or ``Receiving``."""


@dataclass(frozen=True, slots=True)
class RecordingsDue:
    """What is agreed of an organisation's recordings."""

    region: str
    """Where they lie."""
    kept_s: float
    """For how long after they are made, seconds."""


class WebexMeetings(WebexCalls):
    """The meeting part of Webex."""

    recordings_due: RecordingsDue | None = None
    """None where the testbed file does not tell."""
    _recorded: dict[str, str]
    """Meetings that were recorded here, by the accounts that did it."""

    @abstractmethod
    def _email(self, account: str) -> str:
        """An account's address."""

    async def make_meeting(
        self,
        title: str,
        *,
        by: str,
        invite: Sequence[str] = (),
        rooms: Sequence[str] = (),
        webinar: bool = False,
        guests: Guests | None = None,
    ) -> dict[str, Any]:
        """Make a meeting whose title begins with the prefix and invite accounts; return it with its number.

        ``rooms``: workspaces that are invited too, by their displayName. ``webinar``: who is invited is a panelist, and
        anybody else hears only. ``guests``: what becomes of who is not invited; None: as the service has it.
        """
        now = self._clock()
        emails = [self._email(each) for each in invite] + [await self._address(each) for each in rooms]
        body: dict[str, Any] = {
            "title": f"{self.prefix}{title}",
            "start": to_iso(now),
            "end": to_iso(now + MEETING_LASTS_S),
            "invitees": [{"email": each, "panelist": webinar} for each in emails],
            "scheduledType": "webinar" if webinar else "meeting",
        }
        if guests is not None:
            body["unlockedMeetingJoinSecurity"] = guests
        made: dict[str, Any] = await (await self.account(by)).ask("POST", "/meetings", body)
        self._keep("meetings", made, by)
        self._journal.record(self.name, "webex.meeting_made", meeting=made["id"], account=by)
        return made

    async def meeting_at(self, number: str, *, by: str) -> str:
        """The id of an account's meeting by the number at which it is joined. Raises DriverError."""
        client = await self.account(by)
        found = [each async for each in client.listed("/meetings", query={"meetingNumber": number})]
        if not found:
            raise DriverError(f"{self.name}: {by} is host of no meeting at {number}")
        return str(found[0]["id"])

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
        client = await self.account(by)
        held_off = client.held_off_s
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
                    await asyncio.sleep(self._looks_every_s)
        raise ExpectationError(
            f"{self.name}: {number} was to be {state} in the meeting within {within:g} s, "
            f"and is {', '.join(seen) or 'not there'}{busy_since(client, held_off)}"
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

    # What room devices do; ``device`` is a device's displayName

    async def share(self, device: str, *, on: bool = True) -> None:
        """Show something from a room device in the meeting that it is in, or show it no more."""
        client = await self.account()
        command = "Presentation.Start" if on else "Presentation.Stop"
        await client.ask("POST", f"/xapi/command/{command}", {"deviceId": await self._device(device)})
        self._journal.record(self.name, "webex.shared", device=device, on=on)

    async def expect_shared(self, device: str, *, within: float) -> float:
        """Seconds until a room device receives what another one shows. Raises ExpectationError where it does not."""
        took = await self._presented(device, "Receiving", "see a share", within)
        self._journal.record(self.name, "webex.share_seen", device=device, after=took)
        return took

    async def expect_share_over(self, device: str, *, within: float) -> float:
        """Seconds until a room device receives nothing any more. Raises ExpectationError where it still does."""
        took = await self._presented(device, "Off", "see a share no more", within)
        self._journal.record(self.name, "webex.share_over", device=device, after=took)
        return took

    async def _presented(self, device: str, mode: str, due: str, within: float) -> float:
        client, id_, began = await self.account(), await self._device(device), self._journal.now()
        query, seen, held_off = {"deviceId": id_, "name": PRESENTATION}, "not asked", client.held_off_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    told = await client.ask("GET", "/xapi/status", query=query)
                    seen = str(told["result"]["Conference"]["Presentation"]["Mode"])
                    if seen == mode:
                        return round(self._journal.now() - began, 3)
                    await asyncio.sleep(self._looks_every_s)
        busy = busy_since(client, held_off)
        raise ExpectationError(f"{self.name}: {device!r} was to {due} within {within:g} s, and is {seen}{busy}")

    async def _device(self, name: str) -> str:
        return str((await self._named("/devices", name))["id"])

    async def _address(self, workspace: str) -> str:
        return str((await self._named("/workspaces", workspace))["sipAddress"])

    async def _named(self, path: str, name: str) -> dict[str, Any]:
        client = await self.account()
        found = [each async for each in client.listed(path, query={"displayName": name})]
        if len(found) != 1:
            raise DriverError(f"{self.name}: {path} has {len(found)} of the name {name!r}; one is needed")
        return found[0]

    async def delay_shares(self, seconds: float) -> None:
        """Let shares of a simulated Webex be seen so late. Raises NotPlayedError of a real one."""
        await self._simulated().ask("PUT", "/sharing", {"after_s": seconds})

    async def record_meeting(self, meeting: str, *, on: bool, by: str) -> None:
        """Begin to record a meeting, or end it. What was recorded is taken away at the end."""
        client = await self.account(by)
        if on:
            self._recorded[meeting] = by
        await client.ask("PUT", "/meetings/controls", {"recordingStarted": on}, query={"meetingId": meeting})
        self._journal.record(self.name, "webex.meeting_recorded", meeting=meeting, on=on, account=by)

    async def recordings(self, meeting: str, *, by: str) -> list[dict[str, Any]]:
        """A meeting's recordings."""
        client = await self.account(by)
        return [each async for each in client.listed("/recordings", query={"meetingId": meeting})]

    async def expect_recording(self, meeting: str, *, by: str, within: float = RECORDING_THERE_S) -> dict[str, Any]:
        """The recording of a meeting that was recorded once, as soon as the service has it. Raises ExpectationError."""

        async def look() -> list[dict[str, Any]] | None:
            return await self.recordings(meeting, by=by) or None

        found, after = await self._looked_for(
            look, within, "the recording of the meeting", every=RECORDING_LOOKS_EVERY_S
        )
        if len(found) != 1:
            raise ExpectationError(f"the meeting was recorded once, and {by} sees {len(found)} recordings of it")
        self._journal.record(self.name, "webex.recording_seen", meeting=meeting, account=by, after=after)
        return found[0]

    async def _take_recordings_away(self) -> None:
        while self._recorded:
            meeting, by = self._recorded.popitem()
            client = await self.account(by)
            for each in await self.recordings(meeting, by=by):
                await remove(client, Left("recordings", str(each["id"]), str(each["topic"]), by))
