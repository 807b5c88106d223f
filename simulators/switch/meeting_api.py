"""The part of a switch's control interface that is about meetings."""

from __future__ import annotations

import io
from typing import Annotated, Any

from fastapi import Path, Response, status
from pydantic import Field

from harness.endpoints.media.wav import write_wav
from simulators.bodies import Body
from simulators.routes import Routes
from simulators.switch.meetings import MAX_ATTENDED, Guests, Meeting
from simulators.switch.switch import EnterpriseSwitch

Name = Annotated[str, Path(max_length=64)]
Line = Annotated[str, Field(pattern=r"^[0-9*#]{1,20}$")]


class MeetingBody(Body):
    """Lines that need not wait in the lobby, how many may be in, and what becomes of those who are not expected."""

    expected: list[Line] = Field(default=[], max_length=MAX_ATTENDED)
    most: int | None = Field(default=None, ge=2)
    guests: Guests = "lobby"
    guests_speak: bool = True


class ExpectedBody(Body):
    """Lines that need not wait in the lobby."""

    expected: list[Line] = Field(max_length=MAX_ATTENDED)


class AttendeeBody(Body):
    """One who came, by the leg."""

    leg: str = Field(max_length=64)


class RecordingBody(Body):
    """Whether it is recorded."""

    on: bool


class FrozenBody(Body):
    """Whether its mixer hangs."""

    on: bool


def meeting_routes(switch: EnterpriseSwitch) -> Routes:
    """The interface."""
    router = Routes(prefix="/meetings")

    def meeting(number: str) -> Meeting:
        return switch.meetings().get(number)

    @router.post("", status_code=status.HTTP_201_CREATED)
    async def begin(body: MeetingBody) -> dict[str, Any]:
        meetings = switch.meetings()
        return meetings.begin(body.expected, body.most, body.guests, guests_speak=body.guests_speak).shown()

    @router.get("/{number}")
    async def read(number: Name) -> dict[str, Any]:
        return meeting(number).shown()

    @router.put("/{number}/expected")
    async def expect(number: Name, body: ExpectedBody) -> dict[str, Any]:
        found = meeting(number)
        found.expected = frozenset(body.expected)
        return found.shown()

    @router.post("/{number}/admit")
    async def admit(number: Name, body: AttendeeBody) -> dict[str, Any]:
        await meeting(number).admit(body.leg)
        return meeting(number).shown()

    @router.post("/{number}/expel")
    async def expel(number: Name, body: AttendeeBody) -> dict[str, Any]:
        meeting(number).get(body.leg).hang_up()
        return meeting(number).shown()

    @router.put("/{number}/recording")
    async def record(number: Name, body: RecordingBody) -> dict[str, Any]:
        found = meeting(number)
        await (found.start_recording() if body.on else found.stop_recording())
        return found.shown()

    @router.put("/{number}/frozen")
    async def freeze(number: Name, body: FrozenBody) -> dict[str, Any]:
        meeting(number).freeze(on=body.on)
        return meeting(number).shown()

    @router.get("/{number}/recordings/{recording}", response_class=Response)
    async def recording(number: Name, recording: Name) -> Response:
        target = io.BytesIO()
        write_wav(target, meeting(number).recording(recording).samples)
        return Response(target.getvalue(), media_type="audio/wav")

    @router.delete("/{number}", status_code=status.HTTP_204_NO_CONTENT)
    async def end(number: Name) -> Response:
        switch.meetings().end(number)
        return Response(status_code=status.HTTP_204_NO_CONTENT)

    return router
